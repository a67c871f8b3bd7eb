//! rpm's order (rpm-version(7), rpmvercmp).

use std::cmp::Ordering;

use super::Digits;
use super::dpkg::split;

/// `[epoch:]version[-release]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RpmVersion {
    epoch: Digits,
    version: Box<str>,
    release: Box<str>,
}

impl RpmVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.is_empty() || super::is_digits(epoch) => {
                (Digits::new(epoch), rest)
            }
            Some(_) => return None,
            None => (Digits::new(""), text),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        if version.is_empty() || !rest.is_ascii() || rest.bytes().any(|b| b.is_ascii_whitespace()) {
            return None;
        }
        Some(Self {
            epoch,
            version: version.into(),
            release: release.into(),
        })
    }
}

impl PartialOrd for RpmVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RpmVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare(&self.version, &other.version))
            .then_with(|| compare(&self.release, &other.release))
    }
}

/// rpmvercmp: segments of digits or letters, separators dropped; `~` before the end, `^` after it
/// and before anything else.
fn compare(mut a: &str, mut b: &str) -> Ordering {
    let separator = |byte: u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^');
    loop {
        a = split(a, separator).1;
        b = split(b, separator).1;
        for (mark, order_of_mark) in [('~', Ordering::Less), ('^', Ordering::Greater)] {
            match (a.strip_prefix(mark), b.strip_prefix(mark)) {
                (Some(a_rest), Some(b_rest)) => return compare(a_rest, b_rest),
                // A caret is greater than the end, and less than any further segment.
                (Some(_), None) if mark == '^' && !b.is_empty() => return Ordering::Less,
                (None, Some(_)) if mark == '^' && !a.is_empty() => return Ordering::Greater,
                (Some(_), None) => return order_of_mark,
                (None, Some(_)) => return order_of_mark.reverse(),
                (None, None) => {}
            }
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let digits = a.starts_with(|first: char| first.is_ascii_digit());
        let inside = |byte: u8| {
            if digits {
                byte.is_ascii_digit()
            } else {
                byte.is_ascii_alphabetic()
            }
        };
        let (a_segment, a_rest) = split(a, inside);
        let (b_segment, b_rest) = split(b, inside);
        // Segments of different kinds: numbers are newer than words.
        if b_segment.is_empty() {
            return if digits {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let order = if digits {
            Digits::new(a_segment).cmp(&Digits::new(b_segment))
        } else {
            a_segment.cmp(b_segment)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::{check_ascending, check_equal};

    #[test]
    fn the_order_is_that_of_rpmvercmp() {
        check_ascending(
            EcosystemKind::Rpm,
            &[
                "1.0~rc1", "1.0", "1.0^git1", "1.0.a", "1.0.1", "1.1", "1.10", "1:0.1",
            ],
        );
        check_ascending(EcosystemKind::Rpm, &["a", "1"]);
        check_ascending(EcosystemKind::Rpm, &["3.0.7-6.el9_2", "3.0.7-18.el9_2"]);
        check_equal(EcosystemKind::Rpm, "1.0_1", "1.0.01");
        check_equal(EcosystemKind::Rpm, "0:1.0-1", "1.0-1");
    }
}
