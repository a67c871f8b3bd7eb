//! Counts of the recent past: what a rate of "the last hour" is made of.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps into which a window is cut: it forgets one step at a time.
const STEPS: u32 = 30;

/// Good and bad outcomes of the last while.
#[derive(Debug)]
pub(crate) struct Window {
    step: Duration,
    steps: Mutex<VecDeque<(Instant, Outcomes)>>,
}

/// How often something went well, and how often it did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) good: u64,
    pub(crate) bad: u64,
}

impl Window {
    /// Remembers for `length`.
    pub(crate) fn of(length: Duration) -> Self {
        Self {
            step: length / STEPS,
            steps: Mutex::default(),
        }
    }

    pub(crate) fn record(&self, good: bool, now: Instant) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let current = steps
            .back_mut()
            .filter(|(begun, _)| now < *begun + self.step);
        let mut outcomes = Outcomes::default();
        let counted = match current {
            Some((_, outcomes)) => outcomes,
            None => &mut outcomes,
        };
        if good {
            counted.good += 1;
        } else {
            counted.bad += 1;
        }
        if outcomes != Outcomes::default() {
            steps.push_back((now, outcomes));
        }
        while steps.len() > STEPS as usize + 1 {
            steps.pop_front();
        }
    }

    /// What happened within the window before `now`.
    pub(crate) fn recent(&self, now: Instant) -> Outcomes {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.retain(|(begun, _)| now < *begun + self.step * STEPS);
        steps
            .iter()
            .fold(Outcomes::default(), |sum, (_, one)| Outcomes {
                good: sum.good + one.good,
                bad: sum.bad + one.bad,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_is_forgotten() {
        let window = Window::of(Duration::from_mins(1));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        window.record(true, at(0));
        window.record(false, at(1));
        window.record(true, at(30));
        assert_eq!(window.recent(at(31)), Outcomes { good: 2, bad: 1 });
        assert_eq!(window.recent(at(61)), Outcomes { good: 1, bad: 0 });
        assert_eq!(window.recent(at(200)), Outcomes::default());
    }
}
