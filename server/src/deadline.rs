//! How long a caller says that it waits.

use http::HeaderMap;
use std::time::Duration;

/// What a request's headers say: `grpc-timeout` (gRPC over HTTP/2), or `Prefer: wait=N` in seconds
/// (RFC 7240, section 4.3). What is malformed there is as if it were not there.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("grpc-timeout")
        .and_then(grpc_timeout)
        .or_else(|| text("prefer").and_then(wait))
}

/// At most eight digits and a unit.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let sane = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = if sane {
        digits.parse().ok()?
    } else {
        return None;
    };
    Some(match unit {
        "H" => Duration::from_hours(count),
        "M" => Duration::from_mins(count),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

fn wait(text: &str) -> Option<Duration> {
    let mut preferences = text.split([',', ';']).map(str::trim);
    let seconds = preferences.find_map(|one| one.strip_prefix("wait="))?;
    let digits = seconds.len() <= 8 && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits {
        seconds.parse().ok()?
    } else {
        return None;
    };
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_say() {
        assert_eq!(grpc_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(grpc_timeout("1S"), Some(Duration::from_secs(1)));
        assert_eq!(grpc_timeout("2H"), Some(Duration::from_hours(2)));
        for bad in ["", "S", "123456789S", "-1S", "1", "1s", "+1S", "1\u{e9}"] {
            assert_eq!(grpc_timeout(bad), None, "{bad}");
        }
        assert_eq!(
            wait("respond-async, wait=10"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(wait("wait=soon"), None);
        assert_eq!(asked(&HeaderMap::new()), None);
    }
}
