//! From files to an open log.
//!
//! Order of work, each step trusting only what the steps before it established:
//!
//! 1. the head file says which log this is, what was published, what was synced, what exists;
//! 2. an erase journal is carried out (it makes half-written blocks whole);
//! 3. every seal is read and must continue the one before it; every run must match its seal, or is
//!    written again from the frames and must then match;
//! 4. every byte of the last sealed segment and of all after it is checked ([`super::scan`]);
//! 5. what others know of the log (head file, [`super::Evidence`]) must be reproduced: evidence
//!    outranks the tail, a log shorter than it is refused;
//! 6. after an unclean stop, frames that the head file does not vouch for are written again into
//!    a new file and synced: the page cache may hold what the disk lost, and nobody can tell;
//! 7. a full segment that has no seal gets one, erasures that were cut short are carried out;
//! 8. the head file says "running", in both slots. Only now is anything published.
//!
//! Nothing is written before step 6 but the journal's blocks, so a refused log is left as it was.

use super::admission::{Admission, Memory};
use super::block::{BlockCount, BlockKey, BlockNumber, FileKind, is_zero};
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::head::{self, FoundHead, Head, HeadFile, Stop};
use super::ids::{ChainHash, SegmentNumber};
use super::index::{FrameIndex, IndexedSegment};
use super::options::{Evidence, LogOptions};
use super::record::StreamKey;
use super::request::StreamHead;
use super::run::{Run, encode, run_path};
use super::scan::{Cursor, ScanContext, Scanned, Tail, scan};
use super::seal::Seal;
use super::segment::{FIRST_FRAME, LOG_FOLDER, Segment, segment_of};
use super::spec::LogSpec;
use crate::disk::Disk;
use std::collections::BTreeSet;
use std::sync::Arc;
use stella_verify::merkle::{Frontier, TreeHead};
use stella_verify::units::{LeafIndex, TreeSize};

/// Why a log was not opened. Nothing of it was changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no log in the directory. Create one.
    #[error("there is no log in this directory")]
    NoLog,
    /// There is a log in the directory already. Open it.
    #[error("there is a log in this directory already")]
    Exists,
    /// Another process owns the directory (`DIRECTORY_IN_USE`).
    #[error("another process owns this directory")]
    InUse,
    /// The log has another origin. The caller's mistake, or the wrong directory.
    #[error("this is the log {found}, not {expected}")]
    OriginMismatch {
        /// The origin asked for.
        expected: String,
        /// The origin found.
        found: String,
    },
    /// The log's leaves are of the other kind.
    #[error("the log's leaves are of another kind")]
    LeafKindMismatch,
    /// The segment length given is not a multiple of 4,096 within the limits.
    #[error("a segment has a multiple of 4,096 bytes, between {min} and {max}")]
    SegmentBytes {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// Someone knows more of the log than is there (`LOG_TRUNCATED`). Restore the complete log;
    /// do not append to this one.
    #[error("{} knows of tree size {}, but the log has {recovered}", evidence.source, evidence.head.size)]
    Truncated {
        /// Who knows of more.
        evidence: Evidence,
        /// What is there.
        recovered: TreeSize,
    },
    /// Someone knows of another root at a size the log has (`FORK_DETECTED`). Keep both.
    #[error("{} knows of another root at tree size {}", evidence.source, evidence.head.size)]
    Forked {
        /// Who knows otherwise.
        evidence: Evidence,
    },
    /// Stored bytes are not what was written (`LOG_DAMAGED`), or the disk refused.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The source of randomness failed.
    #[error(transparent)]
    Entropy(Arc<crate::entropy::EntropyError>),
}

impl From<DiskFault> for OpenError {
    fn from(fault: DiskFault) -> Self {
        Self::Store(fault.into())
    }
}

impl From<Damage> for OpenError {
    fn from(damage: Damage) -> Self {
        Self::Store(damage.into())
    }
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenReport {
    /// The log's size and root.
    pub head: TreeHead,
    /// The log had been stopped cleanly.
    pub clean: bool,
    /// Segments that were written again because the stop was not clean.
    pub rewritten: Vec<SegmentNumber>,
    /// A frame that nobody was told of was found half written, and discarded.
    pub discarded_torn_frame: bool,
    /// Admission runs that were missing or damaged, and written again.
    pub rebuilt_runs: Vec<SegmentNumber>,
    /// Segments that were full and got their seal now.
    pub sealed: Vec<SegmentNumber>,
    /// One slot of the head file could not be read; the other was used.
    pub head_slot_repaired: bool,
}

/// All that recovery hands to the open log.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) spec: LogSpec,
    pub(crate) head_file: HeadFile,
    pub(crate) cursor: Cursor,
    /// All segments that have frames, and the active one, which is last.
    pub(crate) segments: Vec<Arc<IndexedSegment>>,
    pub(crate) active: Arc<IndexedSegment>,
    pub(crate) end: BlockNumber,
    pub(crate) admission: Admission,
    pub(crate) last_seal: ChainHash,
    pub(crate) spare: Option<Segment>,
    pub(crate) checkpoint: Option<String>,
    /// Retention events from this size on may not have been carried out.
    pub(crate) erased: TreeSize,
    pub(crate) report: OpenReport,
}

/// Recovers the log of a locked directory.
pub(crate) fn recover(options: &LogOptions) -> Result<Recovered, OpenError> {
    let disk = &*options.disk;
    let found = head::read(disk)?.ok_or_else(|| absent(disk))?;
    check_options(options, &found.head.spec)?;
    super::journal::replay(disk, &found.head.spec)?;
    let segments = open_segments(disk, &found.head)?;
    let mut sealed = read_seals(disk, &found.head.spec, &segments)?;
    let scans = scan_tail(&found, options, &segments, &mut sealed)?;
    check_evidence(&found, options, &segments, &sealed, &scans)?;
    remove_drafts(disk)?;
    finish(options, found, segments, sealed, scans)
}

/// No head file: either there never was a log, or its creation did not finish, or it was lost.
fn absent(disk: &dyn Disk) -> OpenError {
    let lost = match Damage::new(head::HEAD_PATH, Place::File, Fault::Missing) {
        damage if first_segment_has_frames(disk) => damage,
        _ => return OpenError::NoLog,
    };
    lost.into()
}

/// Whether a directory without head file holds a log all the same.
pub(crate) fn first_segment_has_frames(disk: &dyn Disk) -> bool {
    let Ok(file) = disk.open(&super::segment::segment_path(SegmentNumber(0))) else {
        return false;
    };
    let mut block = vec![0u8; BlockCount(1).bytes()];
    file.read_at(&mut block, FIRST_FRAME.offset())
        .is_ok_and(|()| !is_zero(&block))
}

fn check_options(options: &LogOptions, spec: &LogSpec) -> Result<(), OpenError> {
    if options.origin.as_str() != spec.origin.as_str() {
        return Err(OpenError::OriginMismatch {
            expected: options.origin.as_str().to_owned(),
            found: spec.origin.as_str().to_owned(),
        });
    }
    if options.kind != spec.kind {
        return Err(OpenError::LeafKindMismatch);
    }
    Ok(())
}

/// Opens segments 0, 1, ... as far as there are any; all that the head file knows of must exist.
pub(crate) fn open_segments(disk: &dyn Disk, head: &Head) -> Result<Vec<Segment>, StoreFault> {
    let highest = highest_segment(disk, Some(head.highest))?;
    let mut segments = Vec::new();
    let mut number = SegmentNumber(0);
    while number <= highest {
        segments.push(Segment::open(disk, &head.spec, number)?);
        number = number.next();
    }
    Ok(segments)
}

/// The highest segment that is there or known to have been there.
pub(crate) fn highest_segment(
    disk: &dyn Disk,
    known: Option<SegmentNumber>,
) -> Result<SegmentNumber, StoreFault> {
    let names = disk
        .list(LOG_FOLDER)
        .map_err(|source| DiskFault::new("list", LOG_FOLDER, source))?;
    let found = names.iter().filter_map(|name| segment_of(name)).max();
    Ok(found.max(known).unwrap_or_default())
}

fn remove_drafts(disk: &dyn Disk) -> Result<(), StoreFault> {
    let names = disk
        .list(LOG_FOLDER)
        .map_err(|source| DiskFault::new("list", LOG_FOLDER, source))?;
    for name in names.iter().filter(|name| name.ends_with(".tmp")) {
        let path = format!("{LOG_FOLDER}/{name}");
        disk.remove(&path)
            .map_err(|source| DiskFault::new("remove", &path, source))?;
    }
    Ok(())
}

/// The sealed segments' seals and runs.
#[derive(Debug, Default)]
pub(crate) struct Sealed {
    pub(crate) seals: Vec<Seal>,
    /// One per seal; `None` while it must be rebuilt.
    pub(crate) runs: Vec<Option<Arc<Run>>>,
    pub(crate) rebuilt: Vec<SegmentNumber>,
}

impl Sealed {
    /// The log before the segment at this place.
    pub(crate) fn cursor(&self, place: usize) -> Cursor {
        let before = place.checked_sub(1).and_then(|last| self.seals.get(last));
        before.map_or_else(Cursor::default, |seal| Cursor {
            frontier: seal.frontier.clone(),
            previous: seal.last_frame,
            time: seal.time,
        })
    }

    /// The end of a stream in the segments before this place.
    pub(crate) fn stream_before(
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
fn read_seals(disk: &dyn Disk, spec: &LogSpec, segments: &[Segment]) -> Result<Sealed, StoreFault> {
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
pub(crate) fn scan_at(
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

/// The scans of the last sealed segment and all after it, with runs rebuilt where needed.
#[derive(Debug)]
struct TailScans {
    /// Place of the first scanned segment.
    first: usize,
    scans: Vec<Scanned>,
    /// Tree heads after each scanned frame that someone asked about.
    heads: Vec<TreeHead>,
}

fn scan_tail(
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

/// Writes missing and damaged runs again, oldest first: each needs the streams before it.
fn rebuild_runs(
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

/// Nobody may know of more than was recovered, or of another root.
fn check_evidence(
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
    let note = super::read::read_logical(&segment, &found, note)?;
    let states = std::str::from_utf8(&note)
        .is_ok_and(|note| super::signer::states(note, &spec.origin, head));
    Ok(header.end() == Some(head.size) && states)
}

/// Steps 6 to 8.
fn finish(
    options: &LogOptions,
    found: FoundHead,
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
    let checkpoint = tail
        .scans
        .iter()
        .rev()
        .find_map(|scan| scan.checkpoint.clone());
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
