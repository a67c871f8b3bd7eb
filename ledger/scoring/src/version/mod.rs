//! Version orders, one per ecosystem family.
//!
//! Each order is stated by its ecosystem's own tools; where they and a specification differ, the
//! tools rule, because advisories are written with them. The orders are frozen with the engine
//! version, so they are ours; tests compare them with well-kept crates and with recorded answers
//! of the tools (`tests/vectors/versions`).
//!
//! Texts are bounded by [`MAX_VERSION_BYTES`]; longer ones are no versions.

mod semver;

use std::cmp::Ordering;

use crate::limits::MAX_VERSION_BYTES;
use crate::model::EcosystemKind;

/// A version, parsed under one ecosystem family's order.
#[derive(Debug, Clone)]
pub struct Parsed(Inner);

#[derive(Debug, Clone)]
enum Inner {
    SemVer(semver::SemVer),
}

impl Parsed {
    /// Reads `text` under the order of `kind`; `None` when it is no version there, or the kind has
    /// no order.
    #[must_use]
    pub fn new(kind: EcosystemKind, text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_VERSION_BYTES {
            return None;
        }
        Some(Self(match kind {
            EcosystemKind::CratesIo | EcosystemKind::Npm | EcosystemKind::SemVerOther => {
                Inner::SemVer(semver::SemVer::parse(text)?)
            }
            EcosystemKind::Go => Inner::SemVer(semver::SemVer::parse_go(text)?),
            _ => return None,
        }))
    }
}

impl PartialOrd for Parsed {
    /// `None` for versions of different families.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Inner::SemVer(a), Inner::SemVer(b)) => Some(a.cmp(b)),
        }
    }
}

impl PartialEq for Parsed {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// Compares two texts under the order of `kind`; `None` when either is no version there.
#[must_use]
pub fn compare(kind: EcosystemKind, a: &str, b: &str) -> Option<Ordering> {
    Parsed::new(kind, a)?.partial_cmp(&Parsed::new(kind, b)?)
}

/// A number of any length, compared by value. Versions carry dates, build ids and worse.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits(Box<str>);

impl Digits {
    /// `text` must be ASCII digits; leading zeros do not count.
    fn new(text: &str) -> Self {
        Self(text.trim_start_matches('0').into())
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.cmp(&other.0))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
