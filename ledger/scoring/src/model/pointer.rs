//! Places in JSON documents.

use core::fmt;

/// Place in a JSON document (RFC 6901), empty for the whole document.
///
/// Kept for every component and warning: it is the evidence that `score explain` ends at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct JsonPointer(Box<str>);

impl JsonPointer {
    /// The whole document.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The member `name` of the object at this place.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{escaped}", self.0).into())
    }

    /// The element at `place`, counted from 0, of the array at this place.
    #[must_use]
    pub fn element(&self, place: usize) -> Self {
        Self(format!("{}/{place}", self.0).into())
    }

    /// RFC 6901 text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_rfc_6901_says() {
        let place = JsonPointer::root().member("a/b").element(3).member("m~n");
        assert_eq!(place.as_str(), "/a~1b/3/m~0n");
        assert_eq!(JsonPointer::root().as_str(), "");
    }
}
