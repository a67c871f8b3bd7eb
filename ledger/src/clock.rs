//! Time as an argument: the log never asks the operating system by itself.

use stella_verify::units::UnixMillis;

/// Tells the time. It may jump backwards: the log takes max(now, time of the previous event).
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The current time.
    fn now(&self) -> UnixMillis;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Time before 1970 reads as 1970.
    fn now(&self) -> UnixMillis {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis::new(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}
