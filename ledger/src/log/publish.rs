//! What the log has published: everything below it is durable and immutable.

use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use stella_verify::hash::RootHash;
use stella_verify::merkle::Frontier;
use stella_verify::units::{TreeSize, UnixMillis};

/// One published state. Values only grow; two of them are always consistent.
#[derive(Debug, Clone)]
pub struct Published {
    /// How many leaves the log has.
    pub size: TreeSize,
    /// The tree's root at that size.
    pub root: RootHash,
    /// The signed checkpoint (a C2SP note) of exactly this size and root; `None` only for the
    /// empty log, which has nothing durable to sign.
    pub checkpoint: Option<Arc<str>>,
    /// The tree's right edge, for whoever continues hashing from here.
    pub frontier: Frontier,
    /// Time of the last event; zero for the empty log.
    pub time: UnixMillis,
}

type Subscriber = Box<dyn Fn(&Arc<Published>) + Send + Sync>;

/// Holds the latest published state, wakes who waits for it, tells who subscribed.
pub(crate) struct Publisher {
    latest: RwLock<Arc<Published>>,
    waiters: Mutex<usize>,
    advanced: Condvar,
    subscribers: RwLock<Vec<Subscriber>>,
}

impl Publisher {
    pub(crate) fn new(recovered: Published) -> Self {
        Self {
            latest: RwLock::new(Arc::new(recovered)),
            waiters: Mutex::new(0),
            advanced: Condvar::new(),
            subscribers: RwLock::new(Vec::new()),
        }
    }

    pub(crate) fn latest(&self) -> Arc<Published> {
        Arc::clone(&self.latest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a durable state visible. Called by the one commit in flight, in order.
    pub(crate) fn publish(&self, state: &Arc<Published>) {
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(state);
        self.wake();
        for subscriber in &*self
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
        {
            subscriber(state);
        }
    }

    /// Lets waiters look again (after a publication, or when the log is poisoned).
    pub(crate) fn wake(&self) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if *waiters > 0 {
            self.advanced.notify_all();
        }
    }

    pub(crate) fn subscribe(&self, subscriber: Subscriber) {
        self.subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(subscriber);
    }

    /// The first published state of at least `size` seen within `timeout`, else the latest one.
    /// `give_up` ends the wait early.
    pub(crate) fn wait(
        &self,
        size: TreeSize,
        timeout: Duration,
        give_up: impl Fn() -> bool,
    ) -> Arc<Published> {
        let start = Instant::now();
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        *waiters += 1;
        loop {
            let latest = self.latest();
            let remaining = timeout.saturating_sub(start.elapsed());
            if latest.size >= size || remaining.is_zero() || give_up() {
                *waiters -= 1;
                return latest;
            }
            waiters = self
                .advanced
                .wait_timeout(waiters, remaining)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
