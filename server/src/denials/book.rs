//! Refused calls that are not in the log yet, counted together by what they have in common.
//!
//! The first refusal of a kind is written a second later, with those that came meanwhile; those
//! after it are counted, and written a minute later, then after two, four, at last an hour, as
//! long as they go on. So a flood of one kind is a handful of events, and each counts what it stands
//! for. What is due beyond the allowance waits and is counted on; only a kind for which there is no
//! place is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_verify::event::payload::{AccessDenied, EventPrincipal};
use stella_verify::units::UnixMillis;

/// How long the first refusal of a kind waits for more of it.
pub(super) const GATHER: Duration = Duration::from_secs(1);

/// How long the next ones wait; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// How long they wait at most.
const LAST_PAUSE: Duration = Duration::from_hours(1);

/// Kinds that are remembered.
pub(super) const MAX_KINDS: usize = 512;

/// Events that may be written at once after a pause.
pub(super) const BURST: u32 = 64;

/// Events a minute in the long run: with one commit for those of a minute, some 17 MB a day.
const PER_MINUTE: u32 = 8;

const MINUTE: Duration = Duration::from_mins(1);

/// What refusals that are counted together have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) method: String,
    pub(super) principal: EventPrincipal,
    pub(super) reason: &'static str,
    pub(super) scope: Option<&'static str>,
    pub(super) tenant: Option<String>,
    pub(super) why: Option<String>,
}

/// When something was refused: the moment, and what the clock said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) time: UnixMillis,
}

#[derive(Debug)]
struct Tally {
    /// None since the last event.
    count: u64,
    first: UnixMillis,
    last: UnixMillis,
    request_id: Arc<str>,
    due: Instant,
    pause: Duration,
}

/// The refusals of one log's callers.
#[derive(Debug)]
pub(super) struct Book {
    kinds: BTreeMap<Kind, Tally>,
    allowed: u32,
    since: Instant,
}

impl Book {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            kinds: BTreeMap::new(),
            allowed: BURST,
            since: now,
        }
    }

    /// Counts a refusal; whether there was a place for it.
    pub(super) fn note(&mut self, kind: Kind, at: Moment, request_id: Arc<str>) -> bool {
        if let Some(tally) = self.kinds.get_mut(&kind) {
            if tally.count == 0 {
                tally.first = at.time;
                tally.request_id = request_id;
            }
            tally.count += 1;
            // The clock may have gone back meanwhile.
            tally.last = at.time.max(tally.first);
            return true;
        }
        if self.kinds.len() >= MAX_KINDS && !self.forget_one() {
            return false;
        }
        let tally = Tally {
            count: 1,
            first: at.time,
            last: at.time,
            request_id,
            due: at.instant + GATHER,
            pause: FIRST_PAUSE,
        };
        self.kinds.insert(kind, tally);
        true
    }

    /// Makes place for a new kind, if one is only remembered for its pause: the allowance bounds what
    /// comes of it.
    fn forget_one(&mut self) -> bool {
        let idle = self.kinds.iter().filter(|(_, tally)| tally.count == 0);
        let oldest = idle.min_by_key(|(_, tally)| tally.due);
        let Some(kind) = oldest.map(|(kind, _)| kind.clone()) else {
            return false;
        };
        self.kinds.remove(&kind).is_some()
    }

    /// Whether [`Book::take`] has something to do.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.kinds.values().any(|tally| tally.due <= now)
    }

    /// The events that are due and allowed now, those that waited longest first.
    pub(super) fn take(&mut self, now: Instant) -> Vec<AccessDenied> {
        self.refill(now);
        self.kinds
            .retain(|_, tally| tally.count > 0 || tally.due > now);
        let mut due: Vec<(&Kind, &mut Tally)> = self.kinds.iter_mut().collect();
        due.retain(|(_, tally)| tally.count > 0 && tally.due <= now);
        due.sort_by_key(|(_, tally)| tally.due);
        let allowed = usize::try_from(self.allowed).unwrap_or(usize::MAX);
        let events: Vec<AccessDenied> = (due.into_iter().take(allowed))
            .map(|(kind, tally)| {
                let event = event(kind, tally);
                tally.count = 0;
                tally.due = now + tally.pause;
                tally.pause = (tally.pause * 2).min(LAST_PAUSE);
                event
            })
            .collect();
        let used = u32::try_from(events.len()).unwrap_or(u32::MAX);
        self.allowed = self.allowed.saturating_sub(used);
        events
    }

    /// Everything that is in no event yet: at the end.
    pub(super) fn take_all(&mut self) -> Vec<AccessDenied> {
        let kinds = std::mem::take(&mut self.kinds);
        let counted = kinds.iter().filter(|(_, tally)| tally.count > 0);
        counted.map(|(kind, tally)| event(kind, tally)).collect()
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs() / MINUTE.as_secs();
        let minutes = u32::try_from(passed).unwrap_or(u32::MAX);
        let more = minutes.saturating_mul(PER_MINUTE);
        self.allowed = self.allowed.saturating_add(more).min(BURST);
        self.since += MINUTE.saturating_mul(minutes);
    }
}

fn event(kind: &Kind, tally: &Tally) -> AccessDenied {
    AccessDenied {
        count: tally.count,
        first: tally.first,
        last: tally.last,
        method: kind.method.clone(),
        principal: kind.principal.clone(),
        reason: kind.reason.to_owned(),
        request_id: tally.request_id.to_string(),
        scope: kind.scope.map(str::to_owned),
        tenant: kind.tenant.clone(),
        why: kind.why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(method: &str) -> Kind {
        Kind {
            method: method.to_owned(),
            principal: EventPrincipal::UNKNOWN,
            reason: "UNAUTHENTICATED",
            scope: None,
            tenant: None,
            why: None,
        }
    }

    /// A book, and a way to count in it and to ask it, by seconds.
    struct Desk {
        begun: Instant,
        book: Book,
    }

    impl Desk {
        fn new() -> Self {
            let begun = Instant::now();
            Self {
                begun,
                book: Book::new(begun),
            }
        }

        fn at(&self, second: u64) -> Instant {
            self.begun + Duration::from_secs(second)
        }

        fn note(&mut self, method: &str, second: u64) -> bool {
            let at = Moment {
                instant: self.at(second),
                time: UnixMillis::new(second),
            };
            let id = Arc::from(format!("r{second}"));
            self.book.note(kind(method), at, id)
        }

        fn take(&mut self, second: u64) -> Vec<(String, u64)> {
            let taken = self.book.take(self.at(second));
            let shown = |event: AccessDenied| (event.method, event.count);
            taken.into_iter().map(shown).collect()
        }
    }

    #[test]
    fn repetitions_are_counted_and_pauses_grow() {
        let mut desk = Desk::new();
        let once = |count| vec![("a".to_owned(), count)];
        assert!(desk.note("a", 0) && desk.note("a", 0));
        assert!(!desk.book.is_due(desk.at(0)));
        assert_eq!(desk.take(0), []);
        assert_eq!(desk.take(1), once(2));
        for second in 2..60 {
            assert!(desk.note("a", second));
            assert_eq!(desk.take(second), []);
        }
        let written = desk.book.take(desk.at(61));
        assert_eq!(written.len(), 1);
        assert_eq!(written[0].count, 58);
        assert_eq!(&*written[0].request_id, "r2");
        let [first, last] = [written[0].first, written[0].last];
        assert_eq!([first.get(), last.get()], [2, 59]);
        desk.note("a", 62);
        assert_eq!(desk.take(180), [], "two minutes after the last");
        assert_eq!(desk.take(181), once(1));
        // Silence ends the pause.
        assert_eq!(desk.take(181 + 240), []);
        desk.note("a", 500);
        assert_eq!(desk.take(501), once(1));
    }

    #[test]
    fn what_is_not_allowed_waits_and_what_has_no_place_is_refused() {
        let mut desk = Desk::new();
        for n in 0..MAX_KINDS {
            assert!(desk.note(&format!("m{n}"), 0));
        }
        assert!(!desk.note("one more", 0));
        assert!(desk.note("m0", 0), "a known kind is counted on");
        let burst = usize::try_from(BURST).unwrap();
        assert_eq!(desk.take(1).len(), burst);
        assert_eq!(desk.take(2).len(), 0);
        assert_eq!(desk.take(60).len(), 8);
        assert_eq!(desk.take(119).len(), 0);
        assert!(
            desk.note("one more", 119),
            "in the place of one that waits for nothing"
        );
        let rest = desk.book.take_all();
        assert_eq!(rest.len(), MAX_KINDS - burst - 8 + 1);
        assert!(desk.book.take_all().is_empty());
    }
}
