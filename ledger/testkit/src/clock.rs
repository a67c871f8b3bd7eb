//! A clock that moves when told to.

use std::sync::atomic::{AtomicU64, Ordering};
use stella_ledger::clock::Clock;
use stella_verify::units::UnixMillis;

/// Shows a set time until another is set. It may be set backwards, as real clocks are.
#[derive(Debug)]
pub struct FakeClock(AtomicU64);

impl FakeClock {
    /// Starts at `now`.
    #[must_use]
    pub const fn at(now: UnixMillis) -> Self {
        Self(AtomicU64::new(now.get()))
    }

    /// Shows `now` from here on.
    pub fn set(&self, now: UnixMillis) {
        self.0.store(now.get(), Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.0.load(Ordering::SeqCst))
    }
}
