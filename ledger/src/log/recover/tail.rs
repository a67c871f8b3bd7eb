//! Checking every byte of the segments that a crash may have left unfinished.

use super::sealed::{Sealed, rebuild_runs, scan_at};
use crate::log::fault::{Fault, Place, StoreFault};
use crate::log::head::{FoundHead, Stop};
use crate::log::options::LogOptions;
use crate::log::scan::{Scanned, Tail};
use crate::log::segment::{FIRST_FRAME, Segment};
use std::collections::BTreeSet;
use stella_verify::merkle::{Frontier, TreeHead};
use stella_verify::units::{LeafIndex, TreeSize};

/// The scans of the last sealed segment and all after it, with runs rebuilt where needed.
#[derive(Debug)]
pub(super) struct TailScans {
    /// Place of the first scanned segment.
    pub(super) first: usize,
    pub(super) scans: Vec<Scanned>,
    /// Tree heads after each scanned frame that someone asked about.
    pub(super) heads: Vec<TreeHead>,
}

/// The signed checkpoint of the newest frame, if there is a frame.
pub(super) fn newest_checkpoint(tail: &TailScans) -> Option<&str> {
    let mut scans = tail.scans.iter().rev();
    scans.find_map(|scan| scan.checkpoint.as_deref())
}

pub(super) fn scan_tail(
    found: &FoundHead,
    options: &LogOptions,
    segments: &[Segment],
    sealed: &mut Sealed,
) -> Result<TailScans, StoreFault> {
    let disk = &*options.disk;
    let spec = &found.head.spec;
    rebuild_runs(disk, spec, segments, sealed)?;
    // The last sealed segment, and any whose seal is not known to be synced.
    let doubtful = usize::try_from(found.head.sealed.0).unwrap_or(usize::MAX);
    let first = sealed.seals.len().saturating_sub(1).min(doubtful);
    let wanted: BTreeSet<TreeSize> = options
        .evidence
        .iter()
        .map(|evidence| evidence.head.size)
        .chain([found.head.published.size])
        .collect();
    let mut tail = TailScans {
        first,
        scans: Vec::new(),
        heads: Vec::new(),
    };
    for (place, segment) in segments.iter().enumerate().skip(first) {
        let mut heads = Vec::new();
        let mut look = |tree: &Frontier| {
            if wanted.contains(&tree.size()) {
                heads.push(tree.head());
            }
        };
        let scanned = scan_at(segment, place, spec, sealed, &tail.scans, &mut look)?;
        tail.heads.extend(heads);
        // A frame, whole or torn, stands in a segment only if the one before it is full and whole.
        let used = scanned.frames > 0 || scanned.tail == Tail::Torn;
        if let (true, Some(before)) = (used, tail.scans.last())
            && (before.frames == 0 || before.tail == Tail::Torn)
        {
            return Err(segment.damage(FIRST_FRAME, Fault::NotZero).into());
        }
        tail.scans.push(scanned);
    }
    check_tail(found, segments, sealed, &tail)?;
    Ok(tail)
}

/// What scans of single segments cannot see.
fn check_tail(
    found: &FoundHead,
    segments: &[Segment],
    sealed: &Sealed,
    tail: &TailScans,
) -> Result<(), StoreFault> {
    let torn = tail.scans.iter().position(|scan| scan.tail == Tail::Torn);
    if let Some(torn) = torn
        && found.head.stop == Stop::Clean
        && let (Some(segment), Some(scan)) = (segments.get(tail.first + torn), tail.scans.get(torn))
    {
        return Err(segment.damage(scan.end, Fault::TornAfterCleanStop).into());
    }
    // Full, active, spare: no more than three segments are without a seal.
    if let Some(segment) = segments.get(sealed.seals.len() + 3) {
        let fault = Fault::Seal("the segments before it have none");
        return Err(segment.damage(Place::File, fault).into());
    }
    let mut erased: BTreeSet<LeafIndex> = BTreeSet::new();
    for run in sealed.runs.iter().flatten().filter(|run| run.has_erased()) {
        erased.extend(run.all_erased()?.iter().map(|(leaf, _)| *leaf));
    }
    for scan in &tail.scans {
        erased.extend(scan.memory.erased.keys());
    }
    for (offset, scan) in tail.scans.iter().enumerate() {
        if let Some(blank) = scan.blank.iter().find(|leaf| !erased.contains(leaf))
            && let Some(segment) = segments.get(tail.first + offset)
        {
            return Err(segment.damage(*blank, Fault::BlankUnexplained).into());
        }
    }
    Ok(())
}
