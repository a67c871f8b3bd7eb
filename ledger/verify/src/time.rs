//! Times as text: `YYYY-MM-DDTHH:MM:SS.sssZ`, one spelling for every millisecond.
//!
//! RFC 3339 allows many spellings (offsets, any number of fraction digits, a leap second); hashed
//! objects and statements use this one. Integer arithmetic only, on the proleptic Gregorian calendar.

use crate::units::UnixMillis;
use alloc::format;
use alloc::string::String;

/// Not a time, or not in the one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Later than the last millisecond of the year 9999.
    #[error("times are written up to the year 9999")]
    Range,
    /// Not `YYYY-MM-DDTHH:MM:SS.sssZ`, or no such day or hour.
    #[error("a time is written YYYY-MM-DDTHH:MM:SS.sssZ")]
    Spelling,
}

const MILLIS_PER_DAY: u64 = 86_400_000;
/// Days in 400 years, after which the calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01: years are counted from March, so that the leap day is last.
const DAYS_TO_1970: u64 = 719_468;

/// Writes a time.
///
/// # Errors
/// [`TimeError::Range`].
pub fn format_time(time: UnixMillis) -> Result<String, TimeError> {
    let (days, millis) = (time.get() / MILLIS_PER_DAY, time.get() % MILLIS_PER_DAY);
    let (year, month, day) = date_of(days);
    if year > 9999 {
        return Err(TimeError::Range);
    }
    let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
    let (second, milli) = (millis / 1000 % 60, millis % 1000);
    Ok(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
    ))
}

/// Reads exactly what [`format_time`] writes.
///
/// # Errors
/// [`TimeError::Spelling`].
pub fn parse_time(text: &str) -> Result<UnixMillis, TimeError> {
    let number = |from: usize, to: usize| {
        let digits = text
            .get(from..to)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits
            .and_then(|digits| digits.parse::<u64>().ok())
            .ok_or(TimeError::Spelling)
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let milli = number(20, 23)?;
    let days = days_to(year, month, day).ok_or(TimeError::Spelling)?;
    let minutes = hour
        .checked_mul(60)
        .and_then(|minutes| minutes.checked_add(minute));
    let seconds = minutes.and_then(|minutes| minutes.checked_mul(60)?.checked_add(second));
    let millis = seconds.and_then(|seconds| seconds.checked_mul(1000)?.checked_add(milli));
    let total = millis.and_then(|millis| days.checked_mul(MILLIS_PER_DAY)?.checked_add(millis));
    let time = UnixMillis::new(total.ok_or(TimeError::Spelling)?);
    // Catches separators, a 30th of February, a 25th hour and a 61st second alike.
    if format_time(time)? == text {
        Ok(time)
    } else {
        Err(TimeError::Spelling)
    }
}

/// Year, month and day of a number of days since 1970-01-01.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let leap_days = day_of_era / 1_460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days since 1970-01-01; `None` for an earlier date or a month that is none.
fn days_to(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * DAYS_PER_ERA + day_of_era).checked_sub(DAYS_TO_1970)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(format_time(UnixMillis::new(millis)).as_deref(), Ok(text));
            assert_eq!(parse_time(text), Ok(UnixMillis::new(millis)));
        }
        for late in [253_402_300_800_000, u64::MAX] {
            assert_eq!(format_time(UnixMillis::new(late)), Err(TimeError::Range));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00.00Z",
            "1970-01-01T00:00:00.0000Z",
            "1970-01-01t00:00:00.000Z",
            "1970-01-01 00:00:00.000Z",
            "1970-01-01T00:00:00.000z",
            "1970-01-01T00:00:00.000+00:00",
            "2023-02-29T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "1970-13-01T00:00:00.000Z",
            "1970-00-01T00:00:00.000Z",
            "1970-01-00T00:00:00.000Z",
            "1970-01-01T24:00:00.000Z",
            "1970-01-01T23:60:00.000Z",
            "1970-01-01T23:59:60.000Z",
            "1969-12-31T23:59:59.999Z",
            "+970-01-01T00:00:00.000Z",
            "0000-01-01T00:00:00.000Z",
        ] {
            assert_eq!(parse_time(text), Err(TimeError::Spelling), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_millisecond_reads_back(millis in 0..=253_402_300_799_999u64) {
            let time = UnixMillis::new(millis);
            prop_assert_eq!(parse_time(&format_time(time).unwrap()), Ok(time));
        }
    }
}
