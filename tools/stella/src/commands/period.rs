//! Points in time on the command line.

use crate::failure::Failure;
use stella_verify::time::parse_time;
use stella_verify::units::UnixMillis;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A point in time, or a whole day of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A day, by its first millisecond.
    Day(UnixMillis),
    /// An instant.
    Instant(UnixMillis),
}

impl Moment {
    /// Reads `2025-01-31`, `2025-01-31T12:00:00Z` or `2025-01-31T12:00:00.000Z`; `None` for anything
    /// else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let whole = |text: &str| parse_time(text).ok();
        whole(text)
            .or_else(|| whole(&format!("{}.000Z", text.strip_suffix('Z')?)))
            .map(Self::Instant)
            .or_else(|| whole(&format!("{text}T00:00:00.000Z")).map(Self::Day))
    }

    /// Where a period that begins here begins.
    pub(crate) fn start(self) -> UnixMillis {
        match self {
            Self::Day(time) | Self::Instant(time) => time,
        }
    }

    /// Where a period that ends here ends, the end excluded: a day belongs to it whole.
    pub(crate) fn end(self) -> UnixMillis {
        match self {
            Self::Day(time) => UnixMillis::new(time.get().saturating_add(DAY_MS)),
            Self::Instant(time) => time,
        }
    }
}

/// A moment that an option names.
pub(crate) fn moment(option: &str, text: &str) -> Result<Moment, Failure> {
    Moment::parse(text).ok_or_else(|| {
        Failure::usage(
            format!("{option} {text} is no date or time"),
            "write for example 2025-01-31 or 2025-01-31T12:00:00Z (UTC)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_instants_are_points() {
        let day = Moment::parse("2025-01-31").unwrap();
        let (start, end) = (1_738_281_600_000, 1_738_368_000_000);
        assert_eq!((day.start().get(), day.end().get()), (start, end));
        let instant = Moment::parse("2025-01-31T00:00:00Z").unwrap();
        assert_eq!((instant.start().get(), instant.end().get()), (start, start));
        assert_eq!(Moment::parse("2025-01-31T00:00:00.000Z"), Some(instant));
        for bad in [
            "",
            "42",
            "2025-02-30",
            "2025-1-1",
            "2025-01-31T00:00Z",
            "yesterday",
        ] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }
}
