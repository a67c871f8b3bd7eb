//! Signed notes (C2SP signed-note): a text and the signatures of named keys under it.
//!
//! ```text
//! text, one or more lines, each ending in a newline
//!                                                     <- the last empty line of the note
//! — <key name> base64(4-byte key id || signature)     <- one or more
//! ```
//!
//! Base64 is read strictly: padded, and no bits after the last byte, so that a note that is accepted
//! has one spelling. (The Go implementation lets such bits pass in lines of keys it does not know.)
//!
//! A [`Note`] is parsed and nothing more. Its text is to be ignored until [`Note::open`] has found
//! a signature of a key the caller trusts: that yields a [`VerifiedNote`].
//!
//! In scope: the format, key names, ids and texts, Ed25519 (type 0x01) and, over
//! [`crate::cosignature`], timestamped cosignatures (0x04). Other types are read and carried along
//! but verify nothing. Out of scope: what a text says ([`crate::checkpoint`]), how private keys
//! are stored.

mod key;
mod name;
mod open;
mod parse;
mod sign;

pub use key::{KeyId, SignatureType, VerifierKey, VerifierKeyError};
pub use name::{KeyName, KeyNameError};
pub use open::{OpenError, SignatureMeaning, VerifiedNote, VerifiedSignature};
pub use parse::{Note, NoteError, NoteSignature, NoteText};
pub use sign::{Ed25519Signer, NoteSigner, SignError};

#[cfg(test)]
mod tests;
