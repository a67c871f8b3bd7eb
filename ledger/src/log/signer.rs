//! Who signs checkpoints, and who checks them.

use std::sync::Arc;
use stella_verify::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use stella_verify::event::LogOrigin;
use stella_verify::merkle::TreeHead;
use stella_verify::note::{NoteSigner, VerifierKey};

/// The signer gave no checkpoint. The batch is not written; the log must be reopened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the checkpoint could not be signed: {reason}")]
pub struct SignError {
    /// What the signer said.
    pub reason: String,
}

/// Makes the log's checkpoints.
///
/// Called once a commit, before the write: what it returns goes into the frame and leaves the
/// process only after the frame's sync. It should be quick; every append waits for it.
pub trait CheckpointSigner: Send + Sync + std::fmt::Debug {
    /// The signed note of a C2SP checkpoint of exactly this origin and tree head.
    ///
    /// # Errors
    /// [`SignError`].
    fn sign(&self, origin: &LogOrigin<Arc<str>>, head: TreeHead) -> Result<String, SignError>;
}

/// Checks the signatures of stored checkpoints: of all for `fsck`, of the newest at open.
pub trait CheckpointVerifier: Send + Sync + std::fmt::Debug {
    /// Whether `note` is signed by a key of the log of this origin.
    ///
    /// # Errors
    /// The reason in words.
    fn verify(&self, origin: &LogOrigin<Arc<str>>, note: &str) -> Result<(), String>;
}

/// Signs with note keys in this process, or wherever a [`NoteSigner`] reaches.
pub struct NoteCheckpointSigner {
    first: Box<dyn NoteSigner + Send + Sync>,
    others: Vec<Box<dyn NoteSigner + Send + Sync>>,
}

impl NoteCheckpointSigner {
    /// Signs with one key.
    #[must_use]
    pub fn new(key: Box<dyn NoteSigner + Send + Sync>) -> Self {
        Self {
            first: key,
            others: Vec::new(),
        }
    }

    /// Signs with this key, too: while one log key replaces another, both sign.
    #[must_use]
    pub fn and(mut self, key: Box<dyn NoteSigner + Send + Sync>) -> Self {
        self.others.push(key);
        self
    }
}

impl std::fmt::Debug for NoteCheckpointSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoteCheckpointSigner({}", self.first.verifier_key())?;
        for other in &self.others {
            write!(f, ", {}", other.verifier_key())?;
        }
        f.write_str(")")
    }
}

impl CheckpointSigner for NoteCheckpointSigner {
    fn sign(&self, origin: &LogOrigin<Arc<str>>, head: TreeHead) -> Result<String, SignError> {
        let refused = |reason: String| SignError { reason };
        let checkpoint = Checkpoint {
            origin: Origin::new(origin.as_str()).map_err(|error| refused(error.to_string()))?,
            head,
            extensions: Vec::new(),
        };
        let others: Vec<&dyn NoteSigner> = self
            .others
            .iter()
            .map(|key| &**key as &dyn NoteSigner)
            .collect();
        let note = checkpoint
            .sign(&*self.first, &others)
            .map_err(|error| refused(error.to_string()))?;
        Ok(note.to_string())
    }
}

/// Checks notes against known keys: one good signature of them is needed, and no bad one.
#[derive(Debug, Clone)]
pub struct NoteCheckpointVerifier {
    keys: Vec<VerifierKey>,
}

impl NoteCheckpointVerifier {
    /// Trusts these keys: the log's present one and those it had before.
    #[must_use]
    pub const fn new(keys: Vec<VerifierKey>) -> Self {
        Self { keys }
    }
}

impl CheckpointVerifier for NoteCheckpointVerifier {
    fn verify(&self, origin: &LogOrigin<Arc<str>>, note: &str) -> Result<(), String> {
        let origin = Origin::new(origin.as_str()).map_err(|error| error.to_string())?;
        SignedCheckpoint::open(note.as_bytes(), &self.keys, Some(&origin))
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// Whether a note's text is a checkpoint of this origin and head; says nothing of signatures.
pub(crate) fn states(note: &str, origin: &LogOrigin<Arc<str>>, head: &TreeHead) -> bool {
    let root = stella_verify::base64::encode(head.root.as_bytes());
    note.strip_prefix(origin.as_str())
        .and_then(|rest| {
            rest.strip_prefix('\n')?
                .strip_prefix(&head.size.to_string())
        })
        .and_then(|rest| rest.strip_prefix('\n')?.strip_prefix(root.as_str()))
        .is_some_and(|rest| rest.starts_with('\n'))
}
