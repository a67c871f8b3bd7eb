//! Tokens that were verified, so that the second call of a bearer costs a hash and a look-up.

use crate::auth::caller::Caller;
use std::collections::HashMap;
use stella_verify::units::UnixMillis;

/// Most tokens that are remembered.
const MAX_TOKENS: usize = 4096;

/// Verified tokens by their SHA-256.
///
/// A hit means: the very token was verified with the keys of this generation and has not ended.
#[derive(Debug, Default)]
pub(super) struct Cache {
    generation: u64,
    tokens: HashMap<[u8; 32], (Caller, UnixMillis)>,
}

impl Cache {
    pub(super) fn get(&self, generation: u64, token: &[u8; 32], now: UnixMillis) -> Option<Caller> {
        let (caller, end) = self.tokens.get(token)?;
        (self.generation == generation && now < *end).then(|| caller.clone())
    }

    pub(super) fn put(
        &mut self,
        generation: u64,
        token: [u8; 32],
        (caller, end): (Caller, UnixMillis),
        now: UnixMillis,
    ) {
        if self.generation != generation {
            // Other keys: what they withdrew must be verified again, and fail.
            self.tokens.clear();
            self.generation = generation;
        }
        if self.tokens.len() >= MAX_TOKENS {
            self.tokens.retain(|_, (_, end)| now < *end);
        }
        if self.tokens.len() >= MAX_TOKENS {
            // Rare enough that forgetting all is cheaper than keeping an order.
            self.tokens.clear();
        }
        self.tokens.insert(token, (caller, end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_with_the_token_with_the_keys_and_when_full() {
        let at = UnixMillis::new;
        let mut cache = Cache::default();
        cache.put(1, [1; 32], (Caller::local(), at(10)), at(0));
        assert_eq!(cache.get(1, &[1; 32], at(9)), Some(Caller::local()));
        assert_eq!(cache.get(1, &[1; 32], at(10)), None);
        assert_eq!(cache.get(2, &[1; 32], at(9)), None);
        assert_eq!(cache.get(1, &[2; 32], at(9)), None);
        for token in 0..10_000_u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&token.to_le_bytes());
            cache.put(2, digest, (Caller::local(), at(10)), at(0));
            assert!(cache.tokens.len() <= MAX_TOKENS);
            assert!(cache.get(2, &digest, at(0)).is_some());
        }
    }
}
