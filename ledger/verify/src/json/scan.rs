//! Finding the end of what a JSON string can hold unescaped, eight bytes at a time.
//!
//! Reading and writing both spend most of their time here: most strings are ids, package URLs and
//! words that need no escape at all.

/// How many leading bytes are neither `"` nor `\` nor a control character (below U+0020).
pub(super) fn clean_prefix(bytes: &[u8]) -> usize {
    let mut clean = 0;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = word.try_into().map_or(u64::MAX, u64::from_le_bytes);
        let special = special_bytes(word);
        if special != 0 {
            return clean + usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
        }
        clean += 8;
    }
    let is_special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    let rest = words.remainder();
    clean + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Sets the high bit of each special byte. Bits above the lowest one set may be wrong (a borrow runs
/// upward); the lowest is exact, and so is zero.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let is_control = word.wrapping_sub(ONES * 0x20) & !word;
    (is_quote | is_backslash | is_control) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_agree_with_bytes(
            bytes in prop::collection::vec(
                prop_oneof![Just(b'"'), Just(b'\\'), 0u8..0x24, any::<u8>(), Just(b'a')], 0..40,
            ),
        ) {
            let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
            let expected = bytes.iter().position(special).unwrap_or(bytes.len());
            prop_assert_eq!(clean_prefix(&bytes), expected);
        }

        #[test]
        fn long_clean_runs_are_one(length in 0usize..70, byte in prop_oneof![Just(0x20u8), Just(0x21), Just(0x23), Just(0x5b), Just(0x5d), 0x7fu8..=0xff]) {
            let bytes = alloc::vec![byte; length];
            prop_assert_eq!(clean_prefix(&bytes), length);
        }
    }
}
