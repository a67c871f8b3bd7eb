//! Alpine's order (apk-package(5), apk-tools `version.c`).

use std::cmp::Ordering;

use super::Digits;
use super::dpkg::split;

/// Suffixes before a release, in order; those after it follow. The release stands between.
const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// One step of a version. The order of kinds is apk's: where two versions differ in kind, the one
/// with the earlier kind goes on and is newer, unless the other's suffix comes before a release.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Number {
        text: Box<str>,
        first: bool,
    },
    Letter(u8),
    /// Rank: negative before a release.
    Suffix(i8),
    SuffixNumber(Digits),
    Revision(Digits),
    End,
}

/// A version: `digits{.digits}[letter]{_suffix[digits]}[~hash][-rdigits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApkVersion(Vec<Token>);

impl ApkVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let (number, mut rest) = number(text)?;
        tokens.push(Token::Number {
            text: number.into(),
            first: true,
        });
        while let Some(after) = rest.strip_prefix('.') {
            let (text, after) = self::number(after)?;
            tokens.push(Token::Number {
                text: text.into(),
                first: false,
            });
            rest = after;
        }
        if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
            tokens.push(Token::Letter(letter));
            rest = rest.get(1..)?;
        }
        while let Some(after) = rest.strip_prefix('_') {
            let (word, after) = split(after, |byte| byte.is_ascii_lowercase());
            tokens.push(Token::Suffix(rank(word)?));
            let (digits, after) = split(after, |byte| byte.is_ascii_digit());
            if !digits.is_empty() {
                tokens.push(Token::SuffixNumber(Digits::new(digits)));
            }
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('~') {
            let (hash, after) = split(after, |byte| byte.is_ascii_hexdigit());
            (!hash.is_empty()).then_some(())?;
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("-r") {
            let (digits, after) = self::number(after)?;
            tokens.push(Token::Revision(Digits::new(digits)));
            rest = after;
        }
        tokens.push(Token::End);
        rest.is_empty().then_some(Self(tokens))
    }
}

fn number(text: &str) -> Option<(&str, &str)> {
    let (digits, rest) = split(text, |byte| byte.is_ascii_digit());
    (!digits.is_empty()).then_some((digits, rest))
}

fn rank(word: &str) -> Option<i8> {
    let place = |list: &[&str]| {
        list.iter()
            .position(|have| *have == word)
            .and_then(|place| i8::try_from(place).ok())
    };
    match place(&BEFORE) {
        // alpha is -4, rc is -1
        Some(place) => Some(place - 4),
        None => place(&AFTER),
    }
}

impl Token {
    fn kind(&self) -> u8 {
        match self {
            Self::Number { .. } => 0,
            Self::Letter(_) => 1,
            Self::Suffix(_) => 2,
            Self::SuffixNumber(_) => 3,
            Self::Revision(_) => 4,
            Self::End => 5,
        }
    }

    fn is_before_release(&self) -> bool {
        matches!(self, Self::Suffix(rank) if *rank < 0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number { text: a, first }, Self::Number { text: b, .. }) => {
                // After the first point, a number with a leading zero is a fraction.
                let fraction = !first && (a.starts_with('0') || b.starts_with('0'));
                if fraction {
                    a.cmp(b)
                } else {
                    Digits::new(a).cmp(&Digits::new(b))
                }
            }
            (Self::Letter(a), Self::Letter(b)) => a.cmp(b),
            (Self::Suffix(a), Self::Suffix(b)) => a.cmp(b),
            (Self::SuffixNumber(a), Self::SuffixNumber(b))
            | (Self::Revision(a), Self::Revision(b)) => a.cmp(b),
            _ if self.is_before_release() => Ordering::Less,
            _ if other.is_before_release() => Ordering::Greater,
            _ => other.kind().cmp(&self.kind()),
        }
    }
}

impl PartialOrd for ApkVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ApkVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| a.compare(b))
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::check_ascending;

    #[test]
    fn the_order_is_that_of_apk() {
        check_ascending(
            EcosystemKind::Apk,
            &[
                "1.0_alpha1",
                "1.0_alpha2",
                "1.0_beta",
                "1.0_pre1",
                "1.0_rc1",
                "1.0_rc1-r1",
                "1.0",
                "1.0-r1",
                "1.0_git20240101",
                "1.0_p1",
                "1.0a",
                "1.0b",
                "1.0.1",
                "1.1",
                "1.10",
                "2",
            ],
        );
        check_ascending(EcosystemKind::Apk, &["1.01", "1.02", "1.1"]);
        check_ascending(
            EcosystemKind::Apk,
            &["1.36.1-r2", "1.36.1-r15", "1.36.1-r29"],
        );
    }
}
