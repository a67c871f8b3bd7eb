//! Refused calls become events of the log of whoever was refused.
//!
//! ```text
//! AuthLayer, dispatch, a use case -> Denials: counted in memory, in no time
//!                                            -> each second: what is due, in one commit a log
//! ```
//!
//! Nothing that is refused waits for this, and nothing that is refused can fill the disk: see
//! [`book`] for the bounds. Known callers and unknown ones have a book each, so that a flood of wrong
//! keys hides no caller who reaches for what it may not have.
//!
//! A refusal is of the log of its caller's tenant. Whose credentials were refused is of no tenant
//! that is known, and who is of a tenant without a log here has none: these are in the log of the
//! default tenant, the operator's, since what they say is about the server as a whole.

mod book;

use crate::App;
use crate::auth::{Caller, Denial, Scope, TenantName, table};
use crate::front::Front;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::trace;
use book::{Book, GATHER, Kind, Moment};
use http::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use stella_ledger::clock::Clock;
use stella_verify::event::payload::{AccessDenied, EventPrincipal};
use tokio::sync::oneshot;

/// Books before it is known which tenants have logs: what comes for more is lost.
const MAX_BOOKS: usize = 256;

/// How long the last events may take when the service ends.
const LAST: Duration = Duration::from_secs(5);

/// Refused calls that wait to be events.
#[derive(Debug)]
pub(crate) struct Denials {
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// Who has a log here, once that is known.
    served: OnceLock<BTreeSet<TenantName>>,
    /// By whose log, and whether the callers are known.
    books: Mutex<BTreeMap<(TenantName, bool), Book>>,
}

impl Denials {
    pub(crate) fn new(clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            metrics,
            served: OnceLock::new(),
            books: Mutex::default(),
        })
    }

    /// Says who has a log here.
    pub(crate) fn serve(&self, tenants: impl IntoIterator<Item = TenantName>) {
        self.served.set(tenants.into_iter().collect()).ok();
    }

    /// Counts a call that may not pass. What nobody asked for under a name, good or bad, is not
    /// counted: a call without credentials says nothing about anybody.
    pub(crate) fn denied(&self, denial: &Denial, method: &Method, path: &str) {
        let scope = || table::needed(method, path).and_then(table::Need::scope);
        let (caller, scope, why) = match denial {
            Denial::Nowhere(..) | Denial::Anonymous(_) => return,
            Denial::Credentials(_) | Denial::UnknownKey => {
                let why = Refusal::from(denial.clone()).message;
                (None, scope(), Some(why))
            }
            Denial::Scope(caller, scope) => (Some(caller), Some(*scope), None),
            Denial::Tenant(caller) => (Some(caller), scope(), None),
        };
        // Of the methods that there are, so that paths make no kinds of their own.
        let method = match table::name_of(method, path) {
            Some(name) => name.to_owned(),
            None => self.metrics.requests.of(method, path).name.clone(),
        };
        self.note(method, denial.reason().name(), caller, scope, why);
    }

    /// Counts a call that passed, and whose caller then lacked a scope for what it asked for.
    pub(crate) fn lacks(&self, caller: &Caller, scope: Scope, method: &str) {
        let denial = Denial::Scope(caller.clone(), scope);
        let reason = denial.reason().name();
        self.note(method.to_owned(), reason, Some(caller), Some(scope), None);
    }

    fn note(
        &self,
        method: String,
        reason: &'static str,
        caller: Option<&Caller>,
        scope: Option<Scope>,
        why: Option<String>,
    ) {
        let tenant = caller.map_or_else(TenantName::default, |caller| caller.tenant().clone());
        let has_log = (self.served.get()).is_none_or(|served| served.contains(&tenant));
        let (log, stranger) = if has_log {
            (tenant, None)
        } else {
            (TenantName::default(), Some(tenant.to_string()))
        };
        let kind = Kind {
            method,
            principal: caller.map_or(EventPrincipal::UNKNOWN, Caller::principal),
            reason,
            scope: scope.map(Scope::name),
            tenant: stranger,
            why,
        };
        let at = Moment {
            instant: Instant::now(),
            time: self.clock.now(),
        };
        let place = (log, caller.is_some());
        let mut books = self.books();
        let full = books.len() >= MAX_BOOKS && !books.contains_key(&place);
        let counted = !full
            && (books.entry(place))
                .or_insert_with(|| Book::new(at.instant))
                .note(kind, at, trace::request_id());
        drop(books);
        if !counted {
            self.metrics.denials_dropped.add(1);
        }
    }

    fn books(&self) -> MutexGuard<'_, BTreeMap<(TenantName, bool), Book>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.books().values().any(|book| book.is_due(now))
    }

    /// Appends what `take` gives of each book; blocks.
    fn write(&self, app: &Arc<App>, take: impl Fn(&mut Book) -> Vec<AccessDenied>) {
        let mut events: BTreeMap<TenantName, Vec<AccessDenied>> = BTreeMap::new();
        for ((tenant, _), book) in self.books().iter_mut() {
            let taken = take(book);
            if !taken.is_empty() {
                events.entry(tenant.clone()).or_default().extend(taken);
            }
        }
        let ledgers = app.by_tenant();
        for (tenant, mut events) in events {
            let ledger = ledgers.get(&tenant).unwrap_or_else(|| {
                // Counted before it was known that this tenant has no log.
                for event in &mut events {
                    event.tenant.get_or_insert_with(|| tenant.to_string());
                }
                app
            });
            if let Err(refusal) = ledger.record_denials(&events) {
                let lost = events.iter().map(|event| event.count).sum();
                self.metrics.denials_dropped.add(lost);
                tracing::warn!("{lost} refused calls are in no event: {refusal}");
            }
        }
    }
}

/// Appends what is due, each second, until `end` resolves, and then the rest.
pub(crate) async fn keep(denials: Arc<Denials>, front: Arc<Front>, mut end: oneshot::Receiver<()>) {
    loop {
        let ended = tokio::time::timeout(GATHER, &mut end).await.is_ok();
        // Not open yet: it waits, and is counted on.
        if let Some(app) = front.app() {
            let now = Instant::now();
            if ended || denials.is_due(now) {
                let denials = Arc::clone(&denials);
                let writing = tokio::task::spawn_blocking(move || {
                    denials.write(&app, |book| {
                        if ended {
                            book.take_all()
                        } else {
                            book.take(now)
                        }
                    });
                });
                writing.await.ok();
            }
        }
        if ended {
            return;
        }
    }
}

/// Ends [`keep`] and waits for the last events, within the time for that.
pub(crate) async fn finish(end: oneshot::Sender<()>, keeping: tokio::task::JoinHandle<()>) {
    end.send(()).ok();
    if tokio::time::timeout(LAST, keeping).await.is_err() {
        tracing::warn!("the last refused calls may be in no event: the log took too long");
    }
}
