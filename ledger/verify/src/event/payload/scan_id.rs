//! Names of scans.

use crate::hash::{ManifestHash, to_hex};
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// A text is not a scan's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scan is named scan-<20 to 64 lower-case hex digits>")]
pub struct ScanIdError;

/// A scan's name: `scan-` and the first hex digits of the first manifest registered under it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScanId(String);

impl ScanId {
    /// Digits in a name that no earlier scan has taken.
    pub const MIN_DIGITS: usize = 20;

    /// The name of a scan whose first manifest is `manifest`, with at least 20 digits and as many
    /// as asked for, up to all 64.
    #[must_use]
    pub fn of(manifest: ManifestHash, digits: usize) -> Self {
        let mut name = String::from("scan-");
        let digits = digits.max(Self::MIN_DIGITS);
        name.extend(to_hex(manifest.as_bytes()).chars().take(digits));
        Self(name)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ScanId {
    type Err = ScanIdError;
    fn from_str(text: &str) -> Result<Self, ScanIdError> {
        let digits = text.strip_prefix("scan-").ok_or(ScanIdError)?;
        let hex = digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex && (Self::MIN_DIGITS..=64).contains(&digits.len()) {
            Ok(Self(text.into()))
        } else {
            Err(ScanIdError)
        }
    }
}
