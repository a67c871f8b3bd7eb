//! SemVer 2.0, read tolerantly as OSV evaluates it: a `v` before it, one or two missing numbers.

use std::cmp::Ordering;

use super::{Digits, is_digits};

/// A semantic version without its build metadata, which has no part in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SemVer {
    numbers: [Digits; 3],
    /// Empty for a release.
    pre: Vec<Identifier>,
}

/// Numbers stand before words (SemVer 2.0, item 11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(Digits),
    Word(Box<str>),
}

impl SemVer {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V', '=']).unwrap_or(text);
        let text = text.split('+').next().unwrap_or(text);
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (text, None),
        };
        let mut parts = core.split('.');
        let major = number(parts.next()?)?;
        let minor = parts.next().map_or(Some(Digits::new("")), number)?;
        let patch = parts.next().map_or(Some(Digits::new("")), number)?;
        if parts.next().is_some() {
            return None;
        }
        let pre = pre.map_or(Some(Vec::new()), identifiers)?;
        Some(Self {
            numbers: [major, minor, patch],
            pre,
        })
    }

    /// Also reads releases of the Go toolchain: `go1.22rc1` is `1.22.0-rc.1` in advisories.
    pub(super) fn parse_go(text: &str) -> Option<Self> {
        let text = text.strip_prefix("go").unwrap_or(text);
        let text = text.split_whitespace().next()?;
        Self::parse(text).or_else(|| {
            let at = text.find(|character: char| character.is_ascii_alphabetic())?;
            let (core, word) = text.split_at_checked(at)?;
            let digits = word.find(|character: char| character.is_ascii_digit())?;
            let (word, count) = word.split_at_checked(digits)?;
            matches!(word, "rc" | "beta").then_some(())?;
            let zeros = if core.matches('.').count() == 1 {
                ".0"
            } else {
                ""
            };
            Self::parse(&format!("{core}{zeros}-{word}.{count}"))
        })
    }
}

fn number(text: &str) -> Option<Digits> {
    is_digits(text).then(|| Digits::new(text))
}

fn identifiers(text: &str) -> Option<Vec<Identifier>> {
    text.split('.')
        .map(|part| {
            if is_digits(part) {
                return Some(Identifier::Number(Digits::new(part)));
            }
            let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let word = !part.is_empty() && part.bytes().all(valid);
            word.then(|| Identifier::Word(part.into()))
        })
        .collect()
}

impl PartialOrd for SemVer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SemVer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => self.pre.cmp(&other.pre),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ascending: &[&str]) {
        let parsed: Vec<_> = ascending
            .iter()
            .map(|text| SemVer::parse_go(text).expect(text))
            .collect();
        for (place, pair) in parsed.windows(2).enumerate() {
            assert!(
                pair[0] < pair[1],
                "{} < {}",
                ascending[place],
                ascending[place + 1]
            );
        }
    }

    #[test]
    fn precedence_is_that_of_semver_item_11() {
        check(&[
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
        ]);
    }

    #[test]
    fn go_versions_are_read() {
        check(&[
            "v0.0.0-20190308221718-c2843e01d9a2",
            "v0.0.0-20210322153248-0c34fe9e7dc2",
            "go1.21",
            "1.21.1",
            "1.22rc1",
            "go1.22",
            "v27.0.3+incompatible",
            "v27.0.4",
        ]);
        assert_eq!(SemVer::parse_go("go1.22rc1"), SemVer::parse("1.22.0-rc.1"));
        assert_eq!(
            SemVer::parse_go("go1.22.3 X:boringcrypto"),
            SemVer::parse("1.22.3")
        );
    }

    #[test]
    fn numbers_have_any_length() {
        check(&[
            "1.0.18446744073709551615",
            "1.0.18446744073709551616",
            "1.0.99999999999999999999",
        ]);
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in [
            "",
            "x",
            "1.x",
            "1.2.3.4",
            "1..2",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3-ä",
            "-1",
            "^1.2",
        ] {
            assert_eq!(SemVer::parse(text), None, "{text}");
        }
    }
}
