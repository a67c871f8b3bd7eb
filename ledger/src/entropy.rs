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
///
/// Up to 256 bytes come from it directly. More are the output of BLAKE3 in its extendable mode,
/// keyed with 32 fresh bytes of it: a batch's salts then cost one system call, and knowing some of
/// them says nothing of the others without breaking BLAKE3 as a pseudorandom function.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

const DIRECT_BYTES: usize = 256;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if bytes.len() <= DIRECT_BYTES {
            return system(bytes);
        }
        let mut key = [0u8; 32];
        system(&mut key)?;
        blake3::Hasher::new_keyed(&key).finalize_xof().fill(bytes);
        Ok(())
    }
}

fn system(bytes: &mut [u8]) -> Result<(), EntropyError> {
    getrandom::fill(bytes).map_err(|error| EntropyError {
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_alike() {
        for length in [32, 256, 257, 32_000] {
            let mut draws = [vec![0u8; length], vec![0u8; length]];
            for draw in &mut draws {
                OsEntropy.fill(draw).unwrap();
                let (salts, _) = draw.as_chunks::<32>();
                let distinct: std::collections::BTreeSet<_> = salts.iter().collect();
                assert_eq!(distinct.len(), salts.len());
            }
            assert_ne!(draws[0], draws[1]);
        }
    }
}
