//! A token bucket in integers: time is money, a request costs one interval.

use crate::limits::Rate;
use std::time::{Duration, Instant};

/// A caller's bucket (the generic cell rate algorithm): instead of tokens it keeps the moment at
/// which it will be full again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) const fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Whether nothing is missing.
    pub(super) fn is_full(self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Takes one token; else says how long until there is one.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        let capacity = interval * rate.burst.max(1);
        let after = self.full_at.max(now) + interval;
        let missing = after.saturating_duration_since(now);
        if missing > capacity {
            return Err(missing.saturating_sub(capacity));
        }
        self.full_at = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 10,
        burst: 3,
    };

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut bucket = Bucket::new(start);
        for _ in 0..3 {
            assert_eq!(bucket.take(RATE, at(0)), Ok(()));
        }
        assert_eq!(bucket.take(RATE, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(RATE, at(40)), Err(Duration::from_millis(60)));
        // A refusal costs nothing.
        assert_eq!(bucket.take(RATE, at(100)), Ok(()));
        assert!(bucket.take(RATE, at(100)).is_err());
        assert!(!bucket.is_full(at(399)) && bucket.is_full(at(400)));
        let allowed = (0..10_000).filter(|millis| bucket.take(RATE, at(1000 + millis)).is_ok());
        assert_eq!(allowed.count(), 102);
    }
}
