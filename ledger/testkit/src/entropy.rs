//! Randomness that repeats itself.

use std::sync::{Mutex, PoisonError};
use stella_ledger::entropy::{Entropy, EntropyError};

/// The seed of everything random in a test; print it with the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// `SplitMix64`: small, and good enough to choose faults. Not for secrets.
#[derive(Debug, Clone)]
pub struct Choices(u64);

impl Choices {
    /// The choices of a seed.
    #[must_use]
    pub const fn of(seed: Seed) -> Self {
        Self(seed.0)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound` (which is above zero).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// A coin.
    pub fn coin(&mut self) -> bool {
        self.number() & 1 == 1
    }
}

/// [`Choices`] as the log's source of salts and ids.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<Choices>);

impl SeededEntropy {
    /// The salts of a seed.
    #[must_use]
    pub const fn of(seed: Seed) -> Self {
        Self(Mutex::new(Choices::of(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut choices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            let number = choices.number().to_le_bytes();
            for (slot, byte) in chunk.iter_mut().zip(number) {
                *slot = byte;
            }
        }
        Ok(())
    }
}
