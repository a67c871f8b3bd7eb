//! RubyGems' order (`Gem::Version`).

use std::cmp::Ordering;

use super::Digits;
use super::dpkg::split;

/// A gem version as its segments, trailing zeros dropped before the first word and at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GemVersion(Vec<Segment>);

/// Words stand before numbers: `1.0.a < 1.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(Box<str>),
    Number(Digits),
}

impl GemVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let starts = text.starts_with(|first: char| first.is_ascii_digit());
        if !starts || !text.bytes().all(valid) || text.split('.').any(str::is_empty) {
            return None;
        }
        let text = text.replace('-', ".pre.");
        let mut numbers = Vec::new();
        let mut words = Vec::new();
        for part in text.split('.') {
            let mut rest = part;
            while !rest.is_empty() {
                let digits = rest.starts_with(|first: char| first.is_ascii_digit());
                let (segment, after) = split(rest, |byte| byte.is_ascii_digit() == digits);
                let segment = if digits {
                    Segment::Number(Digits::new(segment))
                } else {
                    Segment::Word(segment.into())
                };
                let list = if words.is_empty() && digits {
                    &mut numbers
                } else {
                    &mut words
                };
                list.push(segment);
                rest = after;
            }
        }
        drop_zeros(&mut numbers);
        drop_zeros(&mut words);
        numbers.append(&mut words);
        Some(Self(numbers))
    }
}

fn drop_zeros(segments: &mut Vec<Segment>) {
    while matches!(segments.last(), Some(Segment::Number(number)) if number.0.is_empty()) {
        segments.pop();
    }
}

impl PartialOrd for GemVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GemVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let zero = Segment::Number(Digits::new(""));
        (0..self.0.len().max(other.0.len()))
            .map(|place| {
                let at = |version: &Self| version.0.get(place).unwrap_or(&zero).clone();
                at(self).cmp(&at(other))
            })
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::{check_ascending, check_equal};

    #[test]
    fn the_order_is_that_of_rubygems() {
        check_ascending(
            EcosystemKind::RubyGems,
            &[
                "1.0.a", "1.0.a.2", "1.0.b1", "1.0.b10", "1.0.pre1", "1.0.rc1", "1.0", "1.0.1",
                "1.10",
            ],
        );
        check_equal(EcosystemKind::RubyGems, "1", "1.0.0");
        check_equal(EcosystemKind::RubyGems, "1.0.0-x", "1.pre.x");
    }
}
