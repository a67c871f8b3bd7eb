//! What others know of the log must be reproduced by it.

use super::OpenError;
use super::sealed::Sealed;
use super::tail::TailScans;
use crate::log::fault::StoreFault;
use crate::log::head::FoundHead;
use crate::log::index::{FrameIndex, IndexedSegment};
use crate::log::options::{Evidence, LogOptions};
use crate::log::read::read_logical;
use crate::log::segment::Segment;
use crate::log::signer::states;
use crate::log::spec::LogSpec;
use stella_verify::merkle::{Frontier, TreeHead};
use stella_verify::units::LeafIndex;

/// Nobody may know of more than was recovered, or of another root.
pub(super) fn check_evidence(
    found: &FoundHead,
    options: &LogOptions,
    segments: &[Segment],
    sealed: &Sealed,
    tail: &TailScans,
) -> Result<(), OpenError> {
    let spec = &found.head.spec;
    let recovered = tail
        .scans
        .last()
        .map_or_else(Frontier::new, |scan| scan.after.frontier.clone());
    let own = Evidence {
        source: "the head file".to_owned(),
        head: found.head.published,
    };
    for evidence in std::iter::once(&own).chain(&options.evidence) {
        let size = evidence.head.size;
        if size > recovered.size() {
            return Err(OpenError::Truncated {
                evidence: evidence.clone(),
                recovered: recovered.size(),
            });
        }
        if !reproduces(&evidence.head, spec, segments, sealed, tail)? {
            return Err(OpenError::Forked {
                evidence: evidence.clone(),
            });
        }
    }
    Ok(())
}

/// Whether the log had exactly this head. Only ends of frames were ever published, so the frame
/// that ends there states the root; any other size was never this log's.
fn reproduces(
    head: &TreeHead,
    spec: &LogSpec,
    segments: &[Segment],
    sealed: &Sealed,
    tail: &TailScans,
) -> Result<bool, StoreFault> {
    let Some(last) = head.size.get().checked_sub(1).map(LeafIndex::new) else {
        return Ok(head.root == Frontier::new().root());
    };
    if sealed.cursor(tail.first).frontier.size() < head.size {
        return Ok(tail.heads.contains(head));
    }
    let place = sealed.seals.partition_point(|seal| seal.size() < head.size);
    let (Some(segment), Some(Some(run))) = (segments.get(place), sealed.runs.get(place)) else {
        return Ok(false);
    };
    let first = sealed.cursor(place).frontier.size().next_index();
    let frames = FrameIndex::from_marks(run.frames().to_vec());
    let segment = IndexedSegment::new(segment.clone(), first, frames);
    let found = segment.find(last)?;
    let header = &found.header;
    let note = header.checkpoint_start()..header.hash_start();
    let note = read_logical(&segment, &found, note)?;
    let stated = std::str::from_utf8(&note).is_ok_and(|note| states(note, &spec.origin, head));
    Ok(header.end() == Some(head.size) && stated)
}
