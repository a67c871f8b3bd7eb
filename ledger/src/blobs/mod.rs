//! Blobs: immutable inputs and results, addressed by SHA-256 of their bytes.
//!
//! An event names a blob only after the blob is durable. Bytes are compressed inside the store and
//! nowhere else: a digest is always that of the bytes as received, decompressed.
//!
//! [`FileBlobs`] keeps a file per blob. Object stores come in by implementing [`BlobStore`].

mod files;

pub use files::FileBlobs;

use std::io::{self, Read, Write};
use std::sync::Arc;

use stella_verify::hash::BlobDigest;

/// Why a blob was not read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// No such blob. Import or upload it first.
    #[error("there is no blob {0}")]
    NotFound(BlobDigest),
    /// The stored bytes are not those of the name. Restore the blob; its content is its name.
    #[error("blob {digest} is damaged: {what}")]
    Damaged {
        /// Which.
        digest: BlobDigest,
        /// What is wrong.
        what: String,
    },
    /// More bytes than the caller allows.
    #[error("a blob here has at most {} bytes", .0.0)]
    TooLarge(BlobLimit),
    /// What was received is not what was announced. Send it again.
    #[error("the bytes received are {found}, not {expected}")]
    OtherBytes {
        /// What was announced.
        expected: BlobDigest,
        /// What came.
        found: BlobDigest,
    },
    /// The operating system refused.
    #[error("the blob store cannot be used: {0}")]
    Io(Arc<io::Error>),
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

/// How many bytes, decompressed, a blob may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobLimit(pub u64);

/// Where blobs are kept.
pub trait BlobStore: Send + Sync + std::fmt::Debug {
    /// Begins a blob of at most `limit` bytes.
    ///
    /// # Errors
    /// [`BlobError`].
    fn create(&self, limit: BlobLimit) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Reads a blob as a stream. The digest is checked at its end: what came before is to be
    /// trusted only once the reader has returned 0; wrong bytes end in an error instead.
    ///
    /// # Errors
    /// [`BlobError`].
    fn open(&self, digest: &BlobDigest) -> Result<Box<dyn Read + Send>, BlobError>;

    /// Whether there is such a blob. Says nothing of its bytes.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    fn contains(&self, digest: &BlobDigest) -> Result<bool, BlobError>;

    /// Removes a blob that nothing names any more; one that is not there is as good.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    fn remove(&self, digest: &BlobDigest) -> Result<(), BlobError>;

    /// Every blob, in ascending order.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    fn list(&self) -> Result<Vec<BlobDigest>, BlobError>;

    /// A whole blob, verified.
    ///
    /// # Errors
    /// [`BlobError`]; [`BlobError::TooLarge`] when it has more bytes than `limit`.
    fn get(&self, digest: &BlobDigest, limit: BlobLimit) -> Result<Vec<u8>, BlobError> {
        let mut bytes = Vec::new();
        let mut reader = self.open(digest)?.take(limit.0.saturating_add(1));
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| unwrap_io(digest, error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit.0 {
            return Err(BlobError::TooLarge(limit));
        }
        Ok(bytes)
    }

    /// Stores `bytes`; durable when it returns.
    ///
    /// # Errors
    /// [`BlobError`].
    fn put(&self, bytes: &[u8]) -> Result<BlobDigest, BlobError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut writer = self.create(BlobLimit(length))?;
        writer.write_all(bytes)?;
        writer.finish(None)
    }

    /// Reads a blob to its end for its digest alone.
    ///
    /// # Errors
    /// [`BlobError::Damaged`] when the bytes are not those of the name.
    fn check(&self, digest: &BlobDigest) -> Result<(), BlobError> {
        io::copy(&mut self.open(digest)?, &mut io::sink())
            .map(|_| ())
            .map_err(|error| unwrap_io(digest, error))
    }
}

/// A blob being written. Dropped unfinished, it leaves nothing.
pub trait BlobWriter: Write + Send {
    /// Makes the blob durable and names it. With `expected`, other bytes are refused.
    ///
    /// # Errors
    /// [`BlobError`].
    fn finish(self: Box<Self>, expected: Option<BlobDigest>) -> Result<BlobDigest, BlobError>;
}

/// A reader reports damage through [`io::Error`]; this takes it out again.
fn unwrap_io(digest: &BlobDigest, error: io::Error) -> BlobError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
            BlobError::Damaged {
                digest: *digest,
                what: error.to_string(),
            }
        }
        _ => error.into(),
    }
}
