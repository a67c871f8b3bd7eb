//! Page tokens: where a listing goes on.
//!
//! ```text
//! token = base64url(version 1 | tree size 8 | place 8 | listing 8 | mac 17)
//! ```
//!
//! A token is opaque to callers: it names the tree that the first page was read at, so that all pages
//! are of one state, and the listing (log, method, filters) that it belongs to. The MAC makes what was
//! altered, or made by somebody else, a refusal instead of a strange page.

use super::App;
use crate::refusal::Refusal;
use stella_ledger::ledger::{PageSize, View};
use stella_verify::base64;
use stella_verify::hash::sha256_parts;
use stella_verify::units::{LeafIndex, TreeSize};

const VERSION: u8 = 1;
const LISTING_BYTES: usize = 8;

/// 136 bits: enough against guessing, and the whole needs no padding in base64.
const MAC_BYTES: usize = 17;
const BODY_BYTES: usize = 1 + 8 + 8 + LISTING_BYTES;
const TOKEN_BYTES: usize = BODY_BYTES + MAC_BYTES;

/// What is listed: a method of this log with its filters. Tokens of another listing are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listing([u8; LISTING_BYTES]);

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The tree that all pages are read at.
    pub(super) tree: TreeSize,
    /// What the listing makes of it: a leaf index mostly.
    pub(super) at: u64,
}

/// Makes and opens tokens.
pub(super) struct Tokens {
    key: [u8; 32],
    origin: String,
}

impl Tokens {
    /// Tokens of one log under a secret of its owner.
    pub(super) fn new(secret: &[u8; 32], origin: &str) -> Self {
        Self {
            key: sha256_parts(&[b"stella.page-token/v1\0", secret]),
            origin: origin.to_owned(),
        }
    }

    /// The listing of a method with its filters.
    pub(super) fn listing(&self, method: &str, filters: &[&str]) -> Listing {
        let lengths: Vec<[u8; 8]> = (filters.iter())
            .map(|filter| (filter.len() as u64).to_be_bytes())
            .collect();
        let mut parts: Vec<&[u8]> = vec![self.origin.as_bytes(), b"\0", method.as_bytes(), b"\0"];
        for (length, filter) in lengths.iter().zip(filters) {
            parts.push(length);
            parts.push(filter.as_bytes());
        }
        let mut listing = [0; LISTING_BYTES];
        for (byte, of) in listing.iter_mut().zip(sha256_parts(&parts)) {
            *byte = of;
        }
        Listing(listing)
    }

    /// The token of a place.
    pub(super) fn seal(&self, listing: Listing, place: Place) -> String {
        let mut token = Vec::with_capacity(TOKEN_BYTES);
        token.push(VERSION);
        token.extend_from_slice(&place.tree.get().to_be_bytes());
        token.extend_from_slice(&place.at.to_be_bytes());
        token.extend_from_slice(&listing.0);
        let mac = hmac_sha256(&self.key, &token);
        token.extend(mac.iter().take(MAC_BYTES));
        base64::encode(&token).replace('+', "-").replace('/', "_")
    }

    /// The place that a token of this listing names.
    pub(super) fn open(&self, listing: Listing, token: &str) -> Result<Place, Refusal> {
        let bad = || Refusal::field("page_token", "is not one that this server gave");
        if token.contains(['+', '/']) {
            return Err(bad());
        }
        let bytes = base64::decode(&token.replace('-', "+").replace('_', "/"));
        let bytes: [u8; TOKEN_BYTES] =
            (bytes.ok().and_then(|bytes| bytes.try_into().ok())).ok_or_else(bad)?;
        let (body, mac) = bytes.split_at(BODY_BYTES);
        let wanted = hmac_sha256(&self.key, body);
        // In one time for all, so that a MAC cannot be found byte by byte.
        let differing = mac.iter().zip(wanted).fold(0, |sum, (a, b)| sum | (a ^ b));
        let Some((&[VERSION], body)) = body.split_first_chunk::<1>() else {
            return Err(bad());
        };
        let (numbers, of) = body.as_chunks::<8>();
        let [tree, at, found] = numbers else {
            return Err(bad());
        };
        if differing != 0 || !of.is_empty() {
            return Err(bad());
        }
        if *found != listing.0 {
            let problem = "belongs to another request: keep its filters on all pages";
            return Err(Refusal::field("page_token", problem));
        }
        Ok(Place {
            tree: TreeSize::new(u64::from_be_bytes(*tree)),
            at: u64::from_be_bytes(*at),
        })
    }
}

/// HMAC-SHA256 (RFC 2104) under a key of 32 bytes.
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (slot, key) in block.iter_mut().zip(key) {
            *slot ^= key;
        }
        block
    };
    let inner = sha256_parts(&[&pad(0x36), message]);
    sha256_parts(&[&pad(0x5c), &inner])
}

impl App {
    /// The view and the place that a page token pins; without one the view as of a tree size, or
    /// the newest.
    pub(super) fn paged_at(
        &self,
        listing: Listing,
        token: &str,
        at: Option<u64>,
    ) -> Result<(View<'_>, Option<u64>), Refusal> {
        if token.is_empty() {
            return Ok((self.view_of(at)?, None));
        }
        let place = self.tokens.open(listing, token)?;
        if at.is_some_and(|at| at != place.tree.get()) {
            let problem = format!("is not {}, where the page token was given", place.tree);
            return Err(Refusal::field("tree_size", problem));
        }
        Ok((self.view_at(place.tree)?, Some(place.at)))
    }

    /// The token of what follows a page; empty at the end.
    pub(super) fn page_token(&self, listing: Listing, tree: TreeSize, next: Option<u64>) -> String {
        next.map(|at| self.tokens.seal(listing, Place { tree, at }))
            .unwrap_or_default()
    }
}

/// How many items a request asks for.
pub(super) fn page_size(asked: u32) -> PageSize {
    PageSize::of(usize::try_from(asked).unwrap_or(usize::MAX))
}

/// A page of a list that is at hand, and the place of the next one.
pub(super) fn cut<T>(items: Vec<T>, from: Option<u64>, size: PageSize) -> (Vec<T>, Option<u64>) {
    let from = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let total = items.len();
    let page: Vec<T> = items.into_iter().skip(from).take(size.get()).collect();
    let end = from.saturating_add(page.len());
    let next = (end < total).then(|| u64::try_from(end).unwrap_or(u64::MAX));
    (page, next)
}

/// The leaf index in a place, and the other way round.
pub(super) fn leaf(at: Option<u64>) -> Option<LeafIndex> {
    at.map(LeafIndex::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_proto::reason::Reason;

    fn tokens() -> Tokens {
        Tokens::new(&[7; 32], "example.com/log")
    }

    const PLACE: Place = Place {
        tree: TreeSize::new(1_000),
        at: 77,
    };

    #[test]
    fn a_token_opens_where_it_was_made() {
        let tokens = tokens();
        let listing = tokens.listing("ListScans", &["sha256:aa", ""]);
        let token = tokens.seal(listing, PLACE);
        assert_eq!(token.len(), 56);
        assert_eq!(tokens.open(listing, &token), Ok(PLACE));
    }

    #[test]
    fn a_token_of_elsewhere_is_refused() {
        let tokens = tokens();
        let listing = tokens.listing("ListScans", &["a", "b"]);
        let token = tokens.seal(listing, PLACE);
        let refused = |tokens: &Tokens, listing, token: &str| {
            let refusal = tokens.open(listing, token).unwrap_err();
            assert_eq!(refusal.reason, Reason::InvalidArgument);
        };
        for filters in [["ab", ""], ["b", "a"], ["", ""]] {
            refused(&tokens, tokens.listing("ListScans", &filters), &token);
        }
        refused(&tokens, tokens.listing("ListProofs", &["a", "b"]), &token);
        let other_log = Tokens::new(&[7; 32], "example.com/other");
        refused(
            &other_log,
            other_log.listing("ListScans", &["a", "b"]),
            &token,
        );
        let other_key = Tokens::new(&[8; 32], "example.com/log");
        refused(&other_key, listing, &token);
    }

    #[test]
    fn no_altered_token_opens() {
        let tokens = tokens();
        let listing = tokens.listing("ListScans", &[]);
        let token = tokens.seal(listing, PLACE);
        for place in 0..token.len() {
            for with in ["A", "B", "+", "=", ""] {
                let mut altered = token.clone();
                altered.replace_range(place..=place, with);
                if altered != token {
                    assert!(tokens.open(listing, &altered).is_err(), "{altered}");
                }
            }
        }
        for other in ["", "7-9", "vex:", &token.repeat(2)] {
            assert!(tokens.open(listing, other).is_err(), "{other}");
        }
    }

    #[test]
    fn the_mac_is_that_of_rfc_4231() {
        // Test case 4 has a key of 25 bytes: with zeros behind it HMAC is the same.
        let mut key = [0; 32];
        for (slot, byte) in key.iter_mut().zip(1..=25) {
            *slot = byte;
        }
        let mac = stella_verify::hash::to_hex(&hmac_sha256(&key, &[0xcd; 50]));
        assert_eq!(
            mac,
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        );
    }

    #[test]
    fn a_list_is_cut_into_pages() {
        let page = |from, size| cut(vec![1, 2, 3], from, PageSize::of(size));
        assert_eq!(page(None, 2), (vec![1, 2], Some(2)));
        assert_eq!(page(Some(2), 2), (vec![3], None));
        assert_eq!(page(Some(9), 2), (vec![], None));
        assert_eq!(page(None, 3), (vec![1, 2, 3], None));
    }
}
