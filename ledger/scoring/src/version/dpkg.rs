//! Debian's order (Debian Policy 5.6.12, deb-version(7)).

use std::cmp::Ordering;

use super::Digits;

/// `[epoch:]upstream[-revision]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DebVersion {
    epoch: Digits,
    upstream: Box<str>,
    revision: Box<str>,
}

impl DebVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (super::is_digits(epoch).then(|| Digits::new(epoch))?, rest),
            None => (Digits::new(""), text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let valid = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'~' | b':' | b'_')
        };
        if upstream.is_empty() || !rest.bytes().all(valid) {
            return None;
        }
        Some(Self {
            epoch,
            upstream: upstream.into(),
            revision: revision.into(),
        })
    }
}

impl PartialOrd for DebVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DebVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| part(&self.upstream, &other.upstream))
            .then_with(|| part(&self.revision, &other.revision))
    }
}

/// Compares alternating runs of other characters and of digits.
fn part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_word, a_rest) = split(a, |byte| !byte.is_ascii_digit());
        let (b_word, b_rest) = split(b, |byte| !byte.is_ascii_digit());
        let (a_number, a_rest) = split(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_rest) = split(b_rest, |byte| byte.is_ascii_digit());
        let order =
            words(a_word, b_word).then_with(|| Digits::new(a_number).cmp(&Digits::new(b_number)));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

/// Compares runs without digits: `~` before the end, the end before letters, letters before the
/// rest.
fn words(a: &str, b: &str) -> Ordering {
    let weight = |byte: Option<u8>| match byte {
        Some(b'~') => (0, 0),
        None => (1, 0),
        Some(byte) if byte.is_ascii_alphabetic() => (2, byte),
        Some(byte) => (3, byte),
    };
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (left, right) = (a.next(), b.next());
        let order = weight(left).cmp(&weight(right));
        if order != Ordering::Equal || left.is_none() {
            return order;
        }
    }
}

pub(super) fn split(text: &str, inside: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !inside(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::check_ascending;

    #[test]
    fn the_order_is_that_of_dpkg() {
        check_ascending(
            EcosystemKind::Dpkg,
            &[
                "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1", "1.0a", "1.0+b", "1.0.1", "1.10",
                "1:0.1",
            ],
        );
    }
}
