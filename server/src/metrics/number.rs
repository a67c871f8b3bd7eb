//! Counters and floats: everything here is shown, nothing is hashed or compared for equality.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many of something there are now.
#[derive(Debug, Default)]
pub(crate) struct Level(AtomicU64);

impl Level {
    /// One more, until the guard is dropped.
    pub(crate) fn enter(self: &std::sync::Arc<Self>) -> Entered {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entered(std::sync::Arc::clone(self))
    }

    /// One more, unless there are `most` already.
    pub(crate) fn try_enter(self: &std::sync::Arc<Self>, most: u64) -> Option<Entered> {
        let entered = self.enter();
        (self.get() <= most).then_some(entered)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts as one of a [`Level`] until it is dropped.
#[derive(Debug)]
pub(crate) struct Entered(std::sync::Arc<Level>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The float next to an integer.
#[expect(
    clippy::cast_precision_loss,
    reason = "figures for a graph: 53 bits are plenty"
)]
pub(crate) const fn float(n: u64) -> f64 {
    n as f64
}
