//! Events and commits as they are stored.

use stella_verify::hash::Salt;
use stella_verify::units::{LeafIndex, TreeSize};

/// An event as stored, borrowed from a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredEvent<'a> {
    /// Its place in the log.
    pub index: LeafIndex,
    /// The leaf: exactly the bytes that were hashed.
    pub leaf: &'a [u8],
    /// What stands beside the leaf.
    pub payload: StoredPayload<'a>,
}

/// What stands beside a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredPayload<'a> {
    /// A raw leaf has no payload.
    None,
    /// The payload and the salt of the leaf's commitment.
    Present {
        /// The salt.
        salt: Salt,
        /// The payload.
        bytes: &'a [u8],
    },
    /// Salt and payload were erased by a retention event.
    Erased {
        /// Leaf index of the retention event.
        by: LeafIndex,
    },
}

/// An event as stored, on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedEvent {
    /// Its place in the log.
    pub index: LeafIndex,
    /// The leaf: exactly the bytes that were hashed.
    pub leaf: Vec<u8>,
    /// What stands beside the leaf.
    pub payload: OwnedPayload,
}

/// What stands beside a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnedPayload {
    /// A raw leaf has no payload.
    None,
    /// The payload and the salt of the leaf's commitment.
    Present {
        /// The salt.
        salt: Salt,
        /// The payload.
        bytes: Vec<u8>,
    },
    /// Salt and payload were erased by a retention event.
    Erased {
        /// Leaf index of the retention event.
        by: LeafIndex,
    },
}

/// The commit that an event came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommit {
    /// The commit's first leaf.
    pub first: LeafIndex,
    /// The tree's size after it.
    pub size: TreeSize,
    /// The signed checkpoint of exactly that size.
    pub checkpoint: String,
}

impl StoredEvent<'_> {
    /// A copy that owns its bytes.
    #[must_use]
    pub fn to_owned(&self) -> OwnedEvent {
        OwnedEvent {
            index: self.index,
            leaf: self.leaf.to_vec(),
            payload: match self.payload {
                StoredPayload::None => OwnedPayload::None,
                StoredPayload::Present { salt, bytes } => OwnedPayload::Present {
                    salt,
                    bytes: bytes.to_vec(),
                },
                StoredPayload::Erased { by } => OwnedPayload::Erased { by },
            },
        }
    }
}
