//! A blocked Bloom filter over keys that are hashes already.
//!
//! Each key touches one 64-byte block, so asking hundreds of runs about a new key costs one cache
//! line each. 12 bits and 6 probes a key: about one false "maybe" in a hundred.

use crate::log::bytes::Fields;

const WORDS_A_BLOCK: usize = 8;
const BITS_A_KEY: usize = 12;
const PROBES: u32 = 6;

/// Says "certainly not" or "maybe".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// A filter of `keys`, each at least 16 bytes of a hash.
    pub(crate) fn of<'a>(count: usize, keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let blocks = (count * BITS_A_KEY).div_ceil(WORDS_A_BLOCK * 64);
        let mut filter = Self {
            words: vec![0; blocks * WORDS_A_BLOCK],
        };
        for key in keys {
            for (word, bit) in probes(key, filter.words.len()) {
                if let Some(slot) = filter.words.get_mut(word) {
                    *slot |= 1 << bit;
                }
            }
        }
        filter
    }

    /// Whether the key may be among those the filter was made of.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        !self.words.is_empty()
            && probes(key, self.words.len()).all(|(word, bit)| {
                self.words
                    .get(word)
                    .is_some_and(|word| word >> bit & 1 == 1)
            })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        // A run's tables fit u32 blocks, so their filters fit u32 words.
        let count = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for word in &self.words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let count = usize::try_from(fields.u32()?).ok()?;
        if !count.is_multiple_of(WORDS_A_BLOCK) {
            return None;
        }
        let (words, _) = fields.take(count.checked_mul(8)?)?.as_chunks::<8>();
        Some(Self {
            words: words.iter().map(|word| u64::from_le_bytes(*word)).collect(),
        })
    }
}

/// The bits of one key as (word, bit in the word), all in one block.
fn probes(key: &[u8], words: usize) -> impl Iterator<Item = (usize, u32)> {
    let mut fields = Fields(key);
    let place = fields.u64().unwrap_or(0) >> 32;
    let mut bits = fields.u64().unwrap_or(0);
    let blocks = (words / WORDS_A_BLOCK) as u64;
    // Multiply-shift instead of a remainder: `place` is uniform below 2^32.
    let start = ((place * blocks) >> 32) as usize * WORDS_A_BLOCK;
    (0..PROBES).map(move |_| {
        let probe = (start + (bits >> 6 & 7) as usize, (bits & 63) as u32);
        bits >>= 9;
        probe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> [u8; 32] {
        *blake3::hash(&number.to_le_bytes()).as_bytes()
    }

    #[test]
    fn it_holds_its_keys_and_few_others() {
        let keys: Vec<_> = (0..10_000).map(key).collect();
        let filter = Filter::of(keys.len(), keys.iter().map(<[u8; 32]>::as_slice));
        assert!(keys.iter().all(|key| filter.may_hold(key)));
        let wrong = (10_000..110_000)
            .filter(|number| filter.may_hold(&key(*number)))
            .count();
        assert!(wrong < 2_000, "{wrong} false positives in 100,000");
        assert!(!Filter::default().may_hold(&key(1)));
    }

    #[test]
    fn it_comes_back() {
        let keys: Vec<_> = (0..100).map(key).collect();
        let filter = Filter::of(keys.len(), keys.iter().map(<[u8; 32]>::as_slice));
        let mut bytes = Vec::new();
        filter.put(&mut bytes);
        assert_eq!(Filter::read(&mut Fields(&bytes)), Some(filter));
        bytes.pop();
        assert_eq!(Filter::read(&mut Fields(&bytes)), None);
    }
}
