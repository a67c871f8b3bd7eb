//! Names that stand in an event's header.

use crate::limits::MAX_NAME_BYTES;
use alloc::string::String;
use core::fmt;

/// A text cannot name a stream, actor, event type or log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Names have at least one byte.
    #[error("a name in an event is not empty")]
    Empty,
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("a name in an event has at most {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// A control character (Unicode category Cc) would let a name forge lines of a listing.
    #[error("a name in an event has no control characters")]
    Control,
}

/// # Errors
/// [`NameError`] when `text` is not 1-255 bytes of UTF-8 without control characters.
fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    // Printable ASCII, the common case, is decided without decoding characters.
    // Without a short cut in it, the loop runs on whole vectors.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    if !plain && text.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 1-255 bytes of UTF-8 without control characters. `S` is how the text is held: `&str` in
        /// a header that is being encoded or was decoded, `String` or `Arc<str>` where it is kept.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<S = String>(S);

        impl<S: AsRef<str>> $name<S> {
            /// Checks the text.
            ///
            /// # Errors
            /// [`NameError`].
            pub fn new(text: S) -> Result<Self, NameError> {
                check(text.as_ref())?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_ref()
            }

            /// The same name, borrowed.
            pub fn borrowed(&self) -> $name<&str> {
                $name(self.0.as_ref())
            }

            /// The same name with a text of its own.
            pub fn to_owned(&self) -> $name<String> {
                $name(String::from(self.0.as_ref()))
            }
        }

        impl<S: AsRef<str>> fmt::Display for $name<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.as_ref())
            }
        }

        impl<S: AsRef<str>> fmt::Debug for $name<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0.as_ref())
            }
        }
    };
}

name_type! {
    /// Which stream an event belongs to, such as `scan/scan-0123`.
    StreamName
}
name_type! {
    /// Who caused an event: a reference that outlives its meaning being erased, not a person's name.
    Actor
}
name_type! {
    /// What kind of fact an event states, such as `rule.applied`.
    EventType
}
name_type! {
    /// Which log an event belongs to: the origin line of its checkpoints.
    LogOrigin
}

impl EventType<&'static str> {
    /// A feed or VEX snapshot was imported.
    pub const SNAPSHOT_IMPORTED: Self = Self("snapshot.imported");
    /// A snapshot became the current one of its kind.
    pub const SNAPSHOT_PUBLISHED: Self = Self("snapshot.published");
    /// A snapshot's records are no longer kept.
    pub const SNAPSHOT_REMOVED: Self = Self("snapshot.removed");
    /// A policy was registered.
    pub const POLICY_REGISTERED: Self = Self("policy.registered");
    /// A policy became the current one.
    pub const POLICY_PUBLISHED: Self = Self("policy.published");
    /// A score was asked for.
    pub const SCAN_REQUESTED: Self = Self("scan.requested");
    /// A scan manifest was registered.
    pub const MANIFEST_REGISTERED: Self = Self("manifest.registered");
    /// One scoring rule was applied: one proof node.
    pub const RULE_APPLIED: Self = Self("rule.applied");
    /// A computation ended; its proof root is fixed.
    pub const ROOT_SEALED: Self = Self("root.sealed");
    /// A sealed root and its manifest were signed.
    pub const PROOF_SIGNED: Self = Self("proof.signed");
    /// What a computation used of its feed snapshot.
    pub const SCAN_FOOTPRINT: Self = Self("scan.footprint");
    /// A sealed computation was recomputed and compared.
    pub const SCORE_REPLAYED: Self = Self("score.replayed");
    /// A batch of replays is to be done.
    pub const JOB_STARTED: Self = Self("job.started");
    /// Scans of a batch have results.
    pub const JOB_PROGRESS: Self = Self("job.progress");
    /// A batch is to stop.
    pub const JOB_CANCELLED: Self = Self("job.cancelled");
    /// A batch has ended.
    pub const JOB_ENDED: Self = Self("job.ended");
    /// A request that changed nothing was answered.
    pub const REQUEST_ANSWERED: Self = Self("request.answered");
    /// Calls were refused.
    pub const ACCESS_DENIED: Self = Self("access.denied");
    /// A rebuild of the projections is to stop.
    pub const ADMIN_CANCEL_REBUILD: Self = Self("admin.cancel-rebuild");
    /// The projections are to be folded again.
    pub const ADMIN_REBUILD: Self = Self("admin.rebuild");
    /// A snapshot's records are to go.
    pub const ADMIN_REMOVE_SNAPSHOT: Self = Self("admin.remove-snapshot");
    /// Payloads were erased; their leaves stay.
    pub const PAYLOAD_ERASED: Self = Self("payload.erased");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        assert!(StreamName::new("scan/scan-01").is_ok());
        assert!(StreamName::new("日本 語").is_ok());
        assert_eq!(StreamName::new(""), Err(NameError::Empty));
        assert!(StreamName::new("x".repeat(255)).is_ok());
        assert_eq!(StreamName::new("x".repeat(256)), Err(NameError::TooLong));
        for control in ["a\nb", "a\u{7f}b", "a\u{85}b", "\u{0}"] {
            assert_eq!(StreamName::new(control), Err(NameError::Control));
        }
    }
}
