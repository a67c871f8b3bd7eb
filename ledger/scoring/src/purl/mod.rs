//! Package URLs, parsed, and in the one spelling that is hashed.
//!
//! A finding's id is the hash of a canonical purl, so the spelling is ours to freeze: it follows
//! the purl specification (ECMA-427), with two exceptions that keep packages apart which their
//! registries keep apart: Go and npm names keep their case. Vectors: `tests/vectors/purl`.
//!
//! In scope: parsing, type rules, canonical spelling. Out of scope: which advisories a purl is
//! matched with (`matching`).

mod encode;
mod parse;
mod rules;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub(crate) use encode::decode;
pub use parse::PurlError;

/// A valid package URL. Cheap to clone; compared and ordered by its canonical text.
#[derive(Clone)]
pub struct Purl(Arc<Parts>);

/// Key and value.
type Qualifier = (Box<str>, Box<str>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) kind: Box<str>,
    pub(crate) namespace: Option<Box<str>>,
    pub(crate) name: Box<str>,
    pub(crate) version: Option<Box<str>>,
    /// Sorted by key.
    pub(crate) qualifiers: Vec<Qualifier>,
    pub(crate) subpath: Option<Box<str>>,
    /// Canonical text.
    pub(crate) text: Box<str>,
    /// Bytes of `text` before the version.
    pub(crate) package_end: usize,
}

impl Purl {
    /// The type: `cargo`, `npm`, `pypi`, ...; lower case.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The namespace, decoded, its segments joined by `/`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace.as_deref()
    }

    /// The name, decoded.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The version, decoded.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// The value of a qualifier, decoded; `key` in lower case.
    #[must_use]
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers()
            .find(|(have, _)| *have == key)
            .map(|(_, value)| value)
    }

    /// The qualifiers, sorted by key.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .qualifiers
            .iter()
            .map(|(key, value)| (&**key, &**value))
    }

    /// The subpath, decoded, its segments joined by `/`.
    #[must_use]
    pub fn subpath(&self) -> Option<&str> {
        self.0.subpath.as_deref()
    }

    /// The same package at `version`. An empty version is none.
    #[must_use]
    pub fn with_version(&self, version: &str) -> Self {
        Self(Arc::new(parse::with_version(&self.0, version)))
    }

    /// The canonical text: what is hashed and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The canonical text up to the name: the package, whatever its version and qualifiers.
    #[must_use]
    pub fn package_text(&self) -> &str {
        self.0
            .text
            .get(..self.0.package_end)
            .unwrap_or(&self.0.text)
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        parse::parse(text).map(|parts| Self(Arc::new(parts)))
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Purl({self})")
    }
}

impl PartialEq for Purl {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Purl {}

impl PartialOrd for Purl {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Purl {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for Purl {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

#[cfg(test)]
mod tests;
