//! A filter over the prefixes of one run: says "not here" for most ids that are not.
//!
//! The split block filter of the Parquet format: a prefix sets one bit in each of the eight words
//! of one 32-byte block. At 12 bits per prefix about one absent prefix in 200 is let through.

use super::Prefix;

const WORDS: usize = 8;
const BLOCK_BYTES: usize = WORDS * 4;
const BITS_PER_PREFIX: usize = 12;

/// Odd multipliers, one per word (Parquet, "Split Block Bloom Filter").
const SALTS: [u32; WORDS] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// Which prefixes may be in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    blocks: Vec<[u32; WORDS]>,
}

impl Filter {
    /// An empty filter for `count` prefixes.
    pub(super) fn with_room_for(count: usize) -> Self {
        let bits = count.saturating_mul(BITS_PER_PREFIX);
        let blocks = bits.div_ceil(BLOCK_BYTES * 8).max(1);
        Self {
            blocks: vec![[0; WORDS]; blocks],
        }
    }

    pub(super) fn insert(&mut self, prefix: Prefix) {
        let (at, masks) = self.place(prefix);
        if let Some(block) = self.blocks.get_mut(at) {
            for (word, mask) in block.iter_mut().zip(masks) {
                *word |= mask;
            }
        }
    }

    pub(super) fn may_contain(&self, prefix: Prefix) -> bool {
        let (at, masks) = self.place(prefix);
        let mut pairs = self.blocks.get(at).into_iter().flatten().zip(masks);
        pairs.all(|(word, mask)| word & mask != 0)
    }

    /// Prefixes come from SHA-256, but only 40 bits of it: they are spread once more, the upper
    /// half choosing the block and the lower half the bits.
    fn place(&self, prefix: Prefix) -> (usize, [u32; WORDS]) {
        let spread = prefix.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let spread = spread ^ (spread >> 32);
        let spread = spread.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let blocks = u64::try_from(self.blocks.len()).unwrap_or(u64::MAX);
        let at = usize::try_from(((spread >> 32) * blocks) >> 32).unwrap_or(usize::MAX);
        let low = u32::try_from(spread & u64::from(u32::MAX)).unwrap_or(0);
        (at, SALTS.map(|salt| 1 << (low.wrapping_mul(salt) >> 27)))
    }

    pub(super) fn same_size(&self, other: &Self) -> bool {
        self.blocks.len() == other.blocks.len()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let words = self.blocks.iter().flatten();
        words.flat_map(|word| word.to_be_bytes()).collect()
    }

    /// `None` when the bytes are not whole blocks.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<4>();
        let words: Vec<u32> = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
        let (blocks, odd) = words.as_chunks::<WORDS>();
        (rest.is_empty() && odd.is_empty() && !blocks.is_empty()).then(|| Self {
            blocks: blocks.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(number: u64) -> Prefix {
        let hash = stella_verify::hash::sha256(&number.to_be_bytes());
        Prefix::of(&stella_verify::hash::NodeId::new(hash))
    }

    #[test]
    fn it_lets_through_all_that_is_in_and_little_that_is_not() {
        let mut filter = Filter::with_room_for(20_000);
        (0..20_000).for_each(|number| filter.insert(prefix(number)));
        assert!((0..20_000).all(|number| filter.may_contain(prefix(number))));
        let wrong = (20_000..120_000)
            .filter(|number| filter.may_contain(prefix(*number)))
            .count();
        assert!(wrong < 1_000, "{wrong} of 100,000 absent prefixes pass");
        assert_eq!(Filter::from_bytes(&filter.to_bytes()), Some(filter));
        assert_eq!(Filter::from_bytes(&[0; 33]), None);
    }
}
