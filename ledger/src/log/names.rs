//! The texts of a request that are no part of its events, checked once and cheap to copy.
//!
//! Streams, actors and event types are `stella_verify::event`'s.

use crate::limits::MAX_REQUEST_ID_BYTES;
use std::fmt;
use std::sync::Arc;
use stella_verify::limits::MAX_NAME_BYTES;

/// Why a text is not a name. The caller's mistake: send another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("{what} must not be empty")]
    Empty {
        /// Which name was refused.
        what: &'static str,
    },
    /// The text is longer than the bound.
    #[error("{what} has {length} bytes; at most {limit} are allowed")]
    TooLong {
        /// Which name was refused.
        what: &'static str,
        /// Bytes of the text.
        length: usize,
        /// Most bytes that are allowed.
        limit: usize,
    },
    /// The text has a control character, which would make logs and tables lie.
    #[error("{what} contains the control character U+{code_point:04X}")]
    Control {
        /// Which name was refused.
        what: &'static str,
        /// The offending character.
        code_point: u32,
    },
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts 1 to
            #[doc = stringify!($limit)]
            /// bytes of UTF-8 without control characters.
            ///
            /// # Errors
            /// [`NameError`].
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, NameError> {
                let text = text.into();
                check($what, &text, $limit)?;
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    };
}

name_type! {
    /// Who sent the request, as authentication knows them: the scope of their request ids.
    Principal, "a principal", MAX_NAME_BYTES
}
name_type! {
    /// Chosen by the client; the same principal sending it again means the same request.
    RequestId, "a request id", MAX_REQUEST_ID_BYTES
}
fn check(what: &'static str, text: &str, limit: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > limit {
        return Err(NameError::TooLong {
            what,
            length: text.len(),
            limit,
        });
    }
    match text.chars().find(|character| character.is_control()) {
        Some(character) => Err(NameError::Control {
            what,
            code_point: u32::from(character),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_visible_text() {
        assert_eq!(Principal::new("ci/é").unwrap().as_str(), "ci/é");
        let empty = NameError::Empty {
            what: "a principal",
        };
        assert_eq!(Principal::new(""), Err(empty));
        assert!(matches!(
            RequestId::new("a".repeat(256)),
            Err(NameError::TooLong { length: 256, .. })
        ));
        assert!(RequestId::new("a".repeat(255)).is_ok());
        assert!(matches!(
            RequestId::new("a\nb"),
            Err(NameError::Control { code_point: 10, .. })
        ));
        assert!(RequestId::new("a\u{7f}").is_err());
    }
}
