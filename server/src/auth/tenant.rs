//! Whose log a call is about.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Name of a tenant: 1-63 of `a-z`, `0-9` and `-`, the first and last no `-`.
///
/// It is a folder's name, part of the log's origin and a claim of tokens: this is what all three
/// take on every system, without two spellings of one name. The tenant `default` is the data
/// directory itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantName(Arc<str>);

/// Longest name in bytes: a label of a host name (RFC 1035 2.3.4).
const MAX_TENANT_BYTES: usize = 63;

/// A text cannot name a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1-63 of a-z, 0-9 and -, and - is neither first nor last")]
pub struct TenantNameError;

impl TenantName {
    /// The tenant whose log is the data directory itself.
    pub const DEFAULT: &'static str = "default";

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the tenant of the data directory itself.
    #[must_use]
    pub fn is_default(&self) -> bool {
        &*self.0 == Self::DEFAULT
    }
}

impl Default for TenantName {
    fn default() -> Self {
        Self(Arc::from(Self::DEFAULT))
    }
}

impl FromStr for TenantName {
    type Err = TenantNameError;
    fn from_str(text: &str) -> Result<Self, TenantNameError> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=MAX_TENANT_BYTES).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        fits.then(|| Self(Arc::from(text))).ok_or(TenantNameError)
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folders_and_labels_everywhere() {
        for good in ["a", "acme", "team-7", "0", &"x".repeat(63)] {
            assert_eq!(good.parse::<TenantName>().unwrap().as_str(), good);
        }
        let long = "x".repeat(64);
        for bad in [
            "", "-", "-a", "a-", "A", "a.b", "..", "a/b", "a b", "a_b", "ä", "a\0", "a\n", &long,
        ] {
            assert_eq!(bad.parse::<TenantName>(), Err(TenantNameError), "{bad:?}");
        }
    }
}
