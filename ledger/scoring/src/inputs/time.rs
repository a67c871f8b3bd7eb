//! RFC 3339 times as foreign documents write them: any offset, any number of digits.

use stella_verify::units::UnixMillis;

/// Reads a time, rounded down to milliseconds; `None` for texts that are none or lie before 1970.
pub(crate) fn read_time(text: &str) -> Option<UnixMillis> {
    let bytes = text.as_bytes();
    let number = |from: usize, count: usize| -> Option<i64> {
        let digits = text.get(from..from + count)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    let marks = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let ranges = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !marks || !ranges {
        return None;
    }
    let (millis, zone) = fraction(text.get(19..)?)?;
    let minutes = (days_from_1970(year, month, day) * 24 + hour) * 60 + minute - offset(zone)?;
    let total = (minutes * 60 + second) * 1_000 + millis;
    u64::try_from(total).ok().map(UnixMillis::new)
}

/// Splits `.123456Z` into milliseconds and the zone.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (digits, zone) = rest.split_at_checked(end)?;
    let millis = format!("{digits:0<3}");
    Some((
        millis
            .get(..3)?
            .parse()
            .ok()
            .filter(|_| !digits.is_empty())?,
        zone,
    ))
}

/// Minutes that the zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let ahead = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    match zone.bytes().next()? {
        b'+' => Some(ahead),
        b'-' => Some(-ahead),
        _ => None,
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that the
/// leap day is the last.
fn days_from_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_offset_are_one_instant() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2023-01-08T18:02:03.647787998-06:00", 1_673_222_523_647),
            ("2023-01-09T00:02:03.647Z", 1_673_222_523_647),
            ("2024-07-09T11:38:00.115697+04:00", 1_720_510_680_115),
            ("2024-01-04 17:17:25.5+01:00", 1_704_385_045_500),
        ] {
            assert_eq!(read_time(text).map(UnixMillis::get), Some(millis), "{text}");
        }
        for text in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "1969-12-31T23:59:59Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00 01:00",
            "２024-01-01T00:00:00Z",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }
}
