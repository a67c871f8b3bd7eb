//! Names of keys.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

/// Who a key belongs to, such as `example.com/log42`: not empty, without Unicode spaces, control
/// characters and `+`.
///
/// A space would end the name in a signature line and `+` in a verifier key, so those two texts
/// could be read in two ways. Names are compared byte by byte; the specification sets no longest
/// length, the note's own bound holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// Why a text is not a key name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key name is not empty and has no spaces, no control characters and no '+'")]
pub struct KeyNameError;

impl KeyName {
    /// Checks and takes a name.
    pub fn new(name: &str) -> Result<Self, KeyNameError> {
        let refused = |c: char| c.is_whitespace() || c == '+' || c < '\u{20}';
        if name.is_empty() || name.contains(refused) {
            return Err(KeyNameError);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::str::FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        Self::new(text)
    }
}
