//! Seals, their chain, and the runs they name.

use crate::disk::Disk;
use crate::log::block::{BlockKey, FileKind};
use crate::log::fault::{Damage, Fault, Place, StoreFault};
use crate::log::ids::{ChainHash, SegmentNumber};
use crate::log::record::StreamKey;
use crate::log::request::StreamHead;
use crate::log::run::{Run, encode, run_path};
use crate::log::scan::{Cursor, ScanContext, Scanned, Tail, scan};
use crate::log::seal::Seal;
use crate::log::segment::Segment;
use crate::log::spec::LogSpec;
use std::sync::Arc;
use stella_verify::merkle::Frontier;

/// The sealed segments' seals and runs.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    pub(super) seals: Vec<Seal>,
    /// One per seal; `None` while it must be rebuilt.
    pub(super) runs: Vec<Option<Arc<Run>>>,
    pub(super) rebuilt: Vec<SegmentNumber>,
}

impl Sealed {
    /// The log before the segment at this place.
    pub(super) fn cursor(&self, place: usize) -> Cursor {
        let before = place.checked_sub(1).and_then(|last| self.seals.get(last));
        before.map_or_else(Cursor::default, |seal| Cursor {
            frontier: seal.frontier.clone(),
            previous: seal.last_frame,
            time: seal.time,
        })
    }

    /// The end of a stream in the segments before this place.
    pub(super) fn stream_before(
        &self,
        place: usize,
        key: &StreamKey,
    ) -> Result<Option<StreamHead>, StoreFault> {
        for run in self.runs.iter().take(place).rev().flatten() {
            if let Some(head) = run.stream(key)? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }
}

/// Reads all seals and checks that they form one chain; opens their runs.
pub(super) fn read_seals(
    disk: &dyn Disk,
    spec: &LogSpec,
    segments: &[Segment],
) -> Result<Sealed, StoreFault> {
    let mut sealed = Sealed::default();
    let mut previous = ChainHash::default();
    for (place, segment) in segments.iter().enumerate() {
        let Some(seal) = Seal::read(segment)? else {
            continue;
        };
        let wrong = |what| segment.damage(segment.seal_block(), Fault::Seal(what));
        let before = sealed.cursor(place);
        if sealed.seals.len() != place {
            return Err(wrong("a segment before it has none").into());
        }
        if seal.previous != previous {
            return Err(wrong("it does not name the seal before it").into());
        }
        let starts = seal.first == before.frontier.size().next_index();
        if !starts || seal.size() <= before.frontier.size() || seal.time < before.time {
            return Err(wrong("it does not continue the seal before it").into());
        }
        previous = seal.hash();
        let run = match Run::open(disk, spec.log, segment.number, &seal.run) {
            Ok(run) => Some(Arc::new(run)),
            // It can be made again from the frames.
            Err(StoreFault::Damage(_)) => None,
            Err(fault) => return Err(fault),
        };
        sealed.seals.push(seal);
        sealed.runs.push(run);
    }
    Ok(sealed)
}

/// Scans one segment with everything before it known, and checks its seal if it has one.
pub(super) fn scan_at(
    segment: &Segment,
    place: usize,
    spec: &LogSpec,
    sealed: &Sealed,
    earlier: &[Scanned],
    after_frame: &mut dyn FnMut(&Frontier),
) -> Result<Scanned, StoreFault> {
    let before = match earlier.last() {
        Some(last) if sealed.seals.len() < place => last.after.clone(),
        _ => sealed.cursor(place),
    };
    let stream_before = |key: &StreamKey| {
        for scanned in earlier.iter().rev() {
            if let Some(head) = scanned.memory.streams.get(key) {
                return Ok(Some(*head));
            }
        }
        sealed.stream_before(place, key)
    };
    let mut context = ScanContext {
        spec,
        stream_before: &stream_before,
        positions_known: true,
        verifier: None,
        limit: None,
        after_frame,
    };
    let scanned = scan(segment, before, &mut context)?;
    if let Some(seal) = sealed.seals.get(place) {
        check_seal(spec, segment, seal, &scanned)?;
    }
    Ok(scanned)
}

/// The seal says what the frames say.
pub(crate) fn check_seal(
    spec: &LogSpec,
    segment: &Segment,
    seal: &Seal,
    scanned: &Scanned,
) -> Result<(), StoreFault> {
    let wrong = |what| segment.damage(segment.seal_block(), Fault::Seal(what));
    if scanned.tail == Tail::Torn {
        return Err(segment.damage(scanned.end, Fault::Lost).into());
    }
    if seal.end != scanned.end || seal.last_frame != scanned.after.previous {
        return Err(wrong("it does not name the segment's last frame").into());
    }
    if seal.frontier != scanned.after.frontier || seal.time != scanned.after.time {
        return Err(wrong("it does not state the tree after the segment's last frame").into());
    }
    let key = BlockKey::new(spec.log, FileKind::Run, segment.number.0);
    let (_, reference) = encode(&scanned.memory.to_run(&scanned.index), key, segment.number);
    if reference != seal.run {
        return Err(wrong("it does not name the run of the segment's frames").into());
    }
    Ok(())
}

/// Writes missing and damaged runs again, oldest first: each needs the streams before it.
pub(super) fn rebuild_runs(
    disk: &dyn Disk,
    spec: &LogSpec,
    segments: &[Segment],
    sealed: &mut Sealed,
) -> Result<(), StoreFault> {
    for (place, segment) in segments.iter().enumerate().take(sealed.seals.len()) {
        if sealed.runs.get(place).is_none_or(Option::is_some) {
            continue;
        }
        let scanned = scan_at(segment, place, spec, sealed, &[], &mut |_| {})?;
        let content = scanned.memory.to_run(&scanned.index);
        let (run, reference) = Run::create(disk, spec.log, segment.number, &content)?;
        let matches = sealed
            .seals
            .get(place)
            .is_some_and(|seal| seal.run == reference);
        if !matches {
            let fault = Fault::Run("the frames give another run than the seal names");
            return Err(Damage::new(&run_path(segment.number), Place::File, fault).into());
        }
        if let Some(slot) = sealed.runs.get_mut(place) {
            *slot = Some(Arc::new(run));
        }
        sealed.rebuilt.push(segment.number);
    }
    Ok(())
}
