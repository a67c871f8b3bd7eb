//! Version orders, one per ecosystem family.
//!
//! Each order is stated by its ecosystem's own tools; where they and a specification differ, the
//! tools rule, because advisories are written with them. The orders are frozen with the engine
//! version, so they are ours; tests compare them with well-kept crates and with recorded answers
//! of the tools (`tests/vectors/versions`).
//!
//! Texts are bounded by [`MAX_VERSION_BYTES`]; longer ones are no versions.

mod apk;
mod composer;
mod dpkg;
mod gem;
mod maven;
mod nuget;
mod rpm;
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
    PyPi(Box<pep440_rs::Version>),
    Maven(maven::MavenVersion),
    NuGet(nuget::NuGetVersion),
    Gem(gem::GemVersion),
    Composer(composer::ComposerVersion),
    Dpkg(dpkg::DebVersion),
    Apk(apk::ApkVersion),
    Rpm(rpm::RpmVersion),
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
            EcosystemKind::PyPi => Inner::PyPi(Box::new(text.parse().ok()?)),
            EcosystemKind::Maven => Inner::Maven(maven::MavenVersion::parse(text)),
            EcosystemKind::NuGet => Inner::NuGet(nuget::NuGetVersion::parse(text)?),
            EcosystemKind::RubyGems => Inner::Gem(gem::GemVersion::parse(text)?),
            EcosystemKind::Packagist => Inner::Composer(composer::ComposerVersion::parse(text)?),
            EcosystemKind::Dpkg => Inner::Dpkg(dpkg::DebVersion::parse(text)?),
            EcosystemKind::Apk => Inner::Apk(apk::ApkVersion::parse(text)?),
            EcosystemKind::Rpm => Inner::Rpm(rpm::RpmVersion::parse(text)?),
            EcosystemKind::Unordered => return None,
        }))
    }
}

impl PartialOrd for Parsed {
    /// `None` for versions of different families.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Inner::SemVer(a), Inner::SemVer(b)) => Some(a.cmp(b)),
            (Inner::PyPi(a), Inner::PyPi(b)) => Some(a.cmp(b)),
            (Inner::Maven(a), Inner::Maven(b)) => Some(a.cmp(b)),
            (Inner::NuGet(a), Inner::NuGet(b)) => Some(a.cmp(b)),
            (Inner::Gem(a), Inner::Gem(b)) => Some(a.cmp(b)),
            (Inner::Composer(a), Inner::Composer(b)) => Some(a.cmp(b)),
            (Inner::Dpkg(a), Inner::Dpkg(b)) => Some(a.cmp(b)),
            (Inner::Apk(a), Inner::Apk(b)) => Some(a.cmp(b)),
            (Inner::Rpm(a), Inner::Rpm(b)) => Some(a.cmp(b)),
            _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    pub(super) fn check_ascending(kind: EcosystemKind, versions: &[&str]) {
        for (place, a) in versions.iter().enumerate() {
            for (other, b) in versions.iter().enumerate() {
                assert_eq!(compare(kind, a, b), Some(place.cmp(&other)), "{a} and {b}");
            }
        }
    }

    #[track_caller]
    pub(super) fn check_equal(kind: EcosystemKind, a: &str, b: &str) {
        assert_eq!(compare(kind, a, b), Some(Ordering::Equal), "{a} and {b}");
    }

    #[test]
    fn pypi_follows_pep_440() {
        check_ascending(
            EcosystemKind::PyPi,
            &[
                "1.0.dev1",
                "1.0a1",
                "1.0b2",
                "1.0rc1",
                "1.0",
                "1.0+local",
                "1.0.post1",
                "1.1",
                "1!0",
            ],
        );
        check_equal(EcosystemKind::PyPi, "1.0", "v1.0.0");
    }

    #[test]
    fn versions_of_two_families_do_not_compare() {
        let a = Parsed::new(EcosystemKind::Npm, "1.0.0").unwrap();
        let b = Parsed::new(EcosystemKind::Maven, "1.0.0").unwrap();
        assert_eq!(a.partial_cmp(&b), None);
        assert!(Parsed::new(EcosystemKind::Unordered, "1").is_none());
        assert!(Parsed::new(EcosystemKind::Maven, &"1".repeat(MAX_VERSION_BYTES + 1)).is_none());
    }
}
