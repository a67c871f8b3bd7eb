//! Randomness as an argument, for payload salts and log ids.

/// The source of randomness failed; nothing was appended. Retry once the system's source is ready.
#[derive(Debug, thiserror::Error)]
#[error("the source of randomness failed: {reason}")]
pub struct EntropyError {
    /// What the source said.
    pub reason: String,
}

/// A cryptographically strong source of random bytes.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`]; the content of `bytes` is then unspecified and must not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator (`getrandom`).
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError {
            reason: error.to_string(),
        })
    }
}
