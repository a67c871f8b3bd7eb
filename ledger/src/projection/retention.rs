//! `payload.erased`: what is gone on purpose.

use stella_verify::event::payload::PayloadErased;
use stella_verify::units::LeafIndex;

/// The leaves whose payloads the event at `leaf` erases.
///
/// Only earlier ones count: naming itself or a later leaf would make the fold depend on where the
/// log is cut.
pub(super) fn erased(leaf: LeafIndex, payload: &[u8]) -> Vec<LeafIndex> {
    let Ok(erased) = PayloadErased::parse(payload) else {
        return Vec::new();
    };
    let leaves = erased.leaves().iter().copied();
    leaves.filter(|erased| *erased < leaf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_erases_only_what_came_before_it() {
        let leaves = [1, 5, 9].map(LeafIndex::new).to_vec();
        let payload = PayloadErased::new(leaves, "age".into()).unwrap().to_bytes();
        let found = erased(LeafIndex::new(5), &payload);
        assert_eq!(found, [LeafIndex::new(1)]);
        assert!(erased(LeafIndex::new(5), b"{}").is_empty());
    }
}
