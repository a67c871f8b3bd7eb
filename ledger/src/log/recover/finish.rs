//! The writing part of recovery: new files for unsynced frames, missing seals, the head file.

use super::sealed::Sealed;
use super::tail::{TailScans, newest_checkpoint};
use super::{OpenError, OpenReport, Recovered};
use crate::disk::Disk;
use crate::log::admission::{Admission, Memory};
use crate::log::block::{BlockCount, BlockNumber};
use crate::log::fault::StoreFault;
use crate::log::head::{FoundHead, Head, HeadFile, Stop};
use crate::log::ids::SegmentNumber;
use crate::log::index::{FrameIndex, IndexedSegment};
use crate::log::options::LogOptions;
use crate::log::run::Run;
use crate::log::scan::Tail;
use crate::log::seal::Seal;
use crate::log::segment::{FIRST_FRAME, Segment};
use crate::log::spec::LogSpec;
use std::sync::Arc;
use stella_verify::merkle::{Frontier, TreeHead};
use stella_verify::units::TreeSize;

/// Steps 6 to 8.
pub(super) fn finish(
    options: &LogOptions,
    found: &FoundHead,
    mut segments: Vec<Segment>,
    mut sealed: Sealed,
    mut tail: TailScans,
) -> Result<Recovered, OpenError> {
    let disk = &*options.disk;
    let spec = found.head.spec.clone();
    let mut report = OpenReport {
        head: TreeHead {
            size: TreeSize::ZERO,
            root: Frontier::new().root(),
        },
        clean: found.head.stop == Stop::Clean,
        rewritten: Vec::new(),
        discarded_torn_frame: tail.scans.iter().any(|scan| scan.tail == Tail::Torn),
        rebuilt_runs: sealed.rebuilt.clone(),
        sealed: Vec::new(),
        head_slot_repaired: found.bad_slot.is_some(),
    };
    if !report.clean {
        rewrite_unsynced(
            disk,
            &found.head,
            &mut segments,
            &mut sealed,
            &tail,
            &mut report,
        )?;
    }
    seal_full_segments(disk, &spec, &segments, &mut sealed, &mut tail, &mut report)?;

    let active_place = tail.first
        + tail
            .scans
            .iter()
            .rposition(|scan| scan.frames > 0)
            .unwrap_or(0)
            .max(sealed.seals.len().saturating_sub(tail.first));
    let spare = segments.get(active_place + 1).cloned();
    let mut indexed = Vec::new();
    for (place, segment) in segments.iter().enumerate().take(active_place) {
        let marks = sealed.runs.get(place).cloned().flatten();
        let frames = marks.map_or_else(FrameIndex::default, |run| {
            FrameIndex::from_marks(run.frames().to_vec())
        });
        let first = sealed.cursor(place).frontier.size().next_index();
        indexed.push(Arc::new(IndexedSegment::new(
            segment.clone(),
            first,
            frames,
        )));
    }
    let runs: Vec<Arc<Run>> = sealed.runs.iter().flatten().cloned().collect();
    let mut head_file = HeadFile::open(disk, &found.head)?;
    let checkpoint = newest_checkpoint(&tail).map(str::to_owned);
    let (cursor, end, memory, frames) = match tail.scans.get_mut(active_place - tail.first) {
        Some(scan) => (
            scan.after.clone(),
            scan.end,
            std::mem::take(&mut scan.memory),
            std::mem::take(&mut scan.index),
        ),
        // Every segment is sealed and no spare exists: the caller makes one.
        None => (
            sealed.cursor(active_place),
            FIRST_FRAME,
            Memory::default(),
            FrameIndex::default(),
        ),
    };
    let active = match segments.get(active_place) {
        Some(segment) => segment.clone(),
        None => Segment::create(disk, &spec, SegmentNumber(active_place as u64))?,
    };
    let highest = segments
        .last()
        .map_or(active.number, |last| last.number.max(active.number));
    let first = sealed.cursor(active_place).frontier.size().next_index();
    let active_number = active.number;
    let active = Arc::new(IndexedSegment::new(active, first, frames));
    indexed.push(Arc::clone(&active));
    report.head = cursor.frontier.head();
    head_file.advance_both(|head| {
        head.stop = Stop::Unclean;
        head.published = report.head;
        head.synced = (active_number, end);
        head.highest = head.highest.max(highest);
        head.sealed = SegmentNumber(sealed.seals.len() as u64);
    })?;
    Ok(Recovered {
        spec,
        head_file,
        cursor,
        segments: indexed,
        active,
        end,
        admission: Admission::new(memory, runs),
        last_seal: sealed.seals.last().map(Seal::hash).unwrap_or_default(),
        spare,
        checkpoint,
        erased: found.head.erased,
        report,
    })
}

/// Writes every segment that may hold unsynced frames into a new file. Seals after the synced
/// place are dropped with it; they are made again.
fn rewrite_unsynced(
    disk: &dyn Disk,
    head: &Head,
    segments: &mut [Segment],
    sealed: &mut Sealed,
    tail: &TailScans,
    report: &mut OpenReport,
) -> Result<(), StoreFault> {
    let (synced_segment, synced_end) = head.synced;
    for (place, segment) in segments.iter_mut().enumerate().skip(tail.first) {
        let Some(scanned) = tail.scans.get(place - tail.first) else {
            continue;
        };
        let (number, end) = (segment.number, scanned.end);
        let frames_synced = scanned.frames == 0 || (number, end) <= (synced_segment, synced_end);
        let seal_synced = sealed.seals.len() <= place || number < head.sealed;
        if frames_synced && seal_synced && scanned.tail == Tail::Clean {
            continue;
        }
        *segment = rewrite(disk, &head.spec, segment, scanned.end)?;
        sealed.seals.truncate(place);
        sealed.runs.truncate(place);
        report.rewritten.push(segment.number);
    }
    Ok(())
}

/// A new file with the same frames, synced and renamed over the old one.
fn rewrite(
    disk: &dyn Disk,
    spec: &LogSpec,
    old: &Segment,
    end: BlockNumber,
) -> Result<Segment, StoreFault> {
    const PIECE: u32 = 256;
    let new = Segment::fill(disk, spec, old.number)?;
    let mut buffer = Vec::new();
    let mut at = FIRST_FRAME;
    while at < end {
        let count = BlockCount(end.since(at).0.min(PIECE));
        old.read_raw(at, count, &mut buffer)?;
        new.write(&buffer, at)?;
        at = at.plus(count);
    }
    new.install(disk)?;
    Ok(new)
}

/// Seals every scanned segment that has a successor with frames and no seal yet.
fn seal_full_segments(
    disk: &dyn Disk,
    spec: &LogSpec,
    segments: &[Segment],
    sealed: &mut Sealed,
    tail: &mut TailScans,
    report: &mut OpenReport,
) -> Result<(), StoreFault> {
    for (place, segment) in segments.iter().enumerate().skip(sealed.seals.len()) {
        let offset = place - tail.first;
        let goes_on = tail
            .scans
            .get(offset + 1)
            .is_some_and(|next| next.frames > 0);
        let Some(scanned) = tail.scans.get_mut(offset).filter(|_| goes_on) else {
            break;
        };
        let content = std::mem::take(&mut scanned.memory).to_run(&scanned.index);
        let (run, reference) = Run::create(disk, spec.log, segment.number, &content)?;
        let seal = Seal {
            segment: segment.number,
            first: scanned.first,
            frontier: scanned.after.frontier.clone(),
            end: scanned.end,
            last_frame: scanned.after.previous,
            time: scanned.after.time,
            run: reference,
            previous: sealed.seals.last().map(Seal::hash).unwrap_or_default(),
        };
        seal.install(segment)?;
        sealed.seals.push(seal);
        sealed.runs.push(Some(Arc::new(run)));
        report.sealed.push(segment.number);
    }
    Ok(())
}
