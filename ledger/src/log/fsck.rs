//! Checking every byte of a log.
//!
//! What open checks of the last segments, this checks of all: block checksums, frames and their
//! chain, leaves in canonical form with origin, position and time, commitments against payloads,
//! blanks against retention events, checkpoints against the tree (and signatures, given keys),
//! seals and their chain, runs against frames, the head file. It reads only. It goes on after
//! damage, with the next segment, and reports the first damage of each.

use super::block::BlockNumber;
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::head::{self, Head};
use super::ids::{ChainHash, SegmentNumber};
use super::record::StreamKey;
use super::recover::{check_seal, first_segment_has_frames, highest_segment};
use super::request::StreamHead;
use super::run::Run;
use super::scan::{Cursor, ScanContext, Scanned, Tail, scan};
use super::seal::Seal;
use super::segment::{FIRST_FRAME, Segment, parse_header, segment_path};
use super::signer::CheckpointVerifier;
use super::spec::LogSpec;
use super::state::LogState;
use crate::disk::Disk;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::PoisonError;
use stella_verify::units::{LeafIndex, TreeSize};

/// Why a log could not be checked (damage found is not an error, it is reported).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FsckError {
    /// There is no log in the directory.
    #[error("there is no log in this directory")]
    NoLog,
    /// Another process owns the directory; ask it.
    #[error("another process owns this directory")]
    InUse,
    /// The progress callback said to stop.
    #[error("the check was interrupted")]
    Interrupted,
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskFault),
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsckProgress {
    /// Segments checked so far.
    pub checked: u64,
    /// Segments in all.
    pub segments: u64,
    /// The tree up to there.
    pub size: TreeSize,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FsckReport {
    /// The tree that the segments hold, up to the first damage.
    pub size: TreeSize,
    /// Whole frames read.
    pub frames: u64,
    /// Segments read.
    pub segments: u64,
    /// Erased payloads found blank, as a retention event says.
    pub erased: u64,
    /// The log ends in a torn frame that nobody was told of; opening discards it.
    pub torn_tail: bool,
    /// Everything that is not as it was written. Empty: the log is good.
    pub damage: Vec<Damage>,
}

impl FsckReport {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.damage.is_empty()
    }
}

/// What to check a closed log with.
#[derive(Default)]
pub struct FsckOptions<'a> {
    /// Also verify every checkpoint's signature with this.
    pub verifier: Option<&'a dyn CheckpointVerifier>,
}

/// Checks a closed log, also one that does not open. Takes the directory's lock meanwhile.
///
/// # Errors
/// [`FsckError`].
pub fn fsck(
    disk: &dyn Disk,
    options: &FsckOptions<'_>,
    progress: &mut dyn FnMut(FsckProgress) -> ControlFlow<()>,
) -> Result<FsckReport, FsckError> {
    let Some(_lock) = disk
        .lock("LOCK")
        .map_err(|source| DiskFault::new("lock", "LOCK", source))?
    else {
        return Err(FsckError::InUse);
    };
    let mut report = FsckReport::default();
    let head = match head::read(disk) {
        Ok(Some(found)) => {
            if let Some(slot) = found.bad_slot {
                let fault = Fault::Head("one slot cannot be read");
                report
                    .damage
                    .push(Damage::new(head::HEAD_PATH, slot, fault));
            }
            Some(found.head)
        }
        Ok(None) if !first_segment_has_frames(disk) => return Err(FsckError::NoLog),
        Ok(None) => {
            let damage = Damage::new(head::HEAD_PATH, Place::File, Fault::Missing);
            report.damage.push(damage);
            None
        }
        Err(StoreFault::Damage(damage)) => {
            report.damage.push(damage);
            None
        }
        Err(StoreFault::Disk(fault)) => return Err(fault.into()),
    };
    let spec = match &head {
        Some(head) => Some(head.spec.clone()),
        None => spec_of_first_segment(disk)?,
    };
    if let Some(spec) = spec {
        let mut check = Check {
            disk,
            spec: &spec,
            head: head.as_ref(),
            limit: None,
            verifier: options.verifier,
            report,
            seen: Seen::default(),
        };
        check.run(progress)?;
        report = check.report;
    }
    Ok(report)
}

/// Checks an open log up to its last completed commit.
pub(crate) fn fsck_open(
    state: &LogState,
    verifier: Option<&dyn CheckpointVerifier>,
    progress: &mut dyn FnMut(FsckProgress) -> ControlFlow<()>,
) -> Result<FsckReport, FsckError> {
    // Between a retention event and its blanks the log would look damaged.
    let _no_erasing = state.erasing.lock().unwrap_or_else(PoisonError::into_inner);
    let durable = *state.durable();
    let mut check = Check {
        disk: &*state.options.disk,
        spec: &state.spec,
        head: None,
        limit: Some((durable.segment, durable.end)),
        verifier,
        report: FsckReport::default(),
        seen: Seen::default(),
    };
    check.run(progress)?;
    Ok(check.report)
}

/// The spec in the first segment's header, when the head file is lost. The block's checksum is
/// bound to the log id that stands in it, so it is checked after it is read.
fn spec_of_first_segment(disk: &dyn Disk) -> Result<Option<LogSpec>, FsckError> {
    let path = segment_path(SegmentNumber(0));
    let mut block = vec![0; super::block::BLOCK_BYTES];
    match disk.open(&path) {
        Ok(file) => {
            let read = file.read_at(&mut block, BlockNumber(0).offset());
            Ok(read.ok().and_then(|()| Some(parse_header(&block)?.1)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DiskFault::new("open", &path, source).into()),
    }
}

/// What all segments together must agree on.
#[derive(Debug, Default)]
struct Seen {
    blank: BTreeMap<LeafIndex, SegmentNumber>,
    /// Erased leaf -> retention event.
    erased: BTreeMap<LeafIndex, LeafIndex>,
    streams: HashMap<StreamKey, StreamHead>,
    /// Damage made the streams' ends unknowable: positions are no longer compared.
    streams_lost: bool,
    last_seal: ChainHash,
}

struct Check<'a> {
    disk: &'a dyn Disk,
    spec: &'a LogSpec,
    head: Option<&'a Head>,
    limit: Option<(SegmentNumber, BlockNumber)>,
    verifier: Option<&'a dyn CheckpointVerifier>,
    report: FsckReport,
    seen: Seen,
}

impl Check<'_> {
    fn run(
        &mut self,
        progress: &mut dyn FnMut(FsckProgress) -> ControlFlow<()>,
    ) -> Result<(), FsckError> {
        let highest = match self.limit {
            Some((segment, _)) => segment,
            None => match highest_segment(self.disk, self.head.map(|head| head.highest)) {
                Ok(highest) => highest,
                Err(StoreFault::Disk(fault)) => return Err(fault.into()),
                Err(StoreFault::Damage(damage)) => {
                    self.report.damage.push(damage);
                    return Ok(());
                }
            },
        };
        let mut before = Some(Cursor::default());
        let mut number = SegmentNumber(0);
        while number <= highest {
            before = match self.segment(number, before.as_ref()) {
                Ok(after) => after,
                Err(StoreFault::Disk(fault)) => return Err(fault.into()),
                Err(StoreFault::Damage(damage)) => {
                    self.report.damage.push(damage);
                    self.seen.streams_lost = true;
                    self.after_damage(number)
                }
            };
            self.report.segments += 1;
            if let Some(cursor) = &before {
                self.report.size = self.report.size.max(cursor.frontier.size());
            }
            let done = FsckProgress {
                checked: number.0 + 1,
                segments: highest.0 + 1,
                size: self.report.size,
            };
            if progress(done).is_break() {
                return Err(FsckError::Interrupted);
            }
            number = number.next();
        }
        self.check_erased();
        self.check_head(before.as_ref());
        Ok(())
    }

    /// Checks one segment; the state after it, `None` if that cannot be known.
    fn segment(
        &mut self,
        number: SegmentNumber,
        before: Option<&Cursor>,
    ) -> Result<Option<Cursor>, StoreFault> {
        let segment = Segment::open(self.disk, self.spec, number)?;
        let limit = match self.limit {
            Some((last, end)) if last == number => Some(end),
            _ => None,
        };
        let Some(before) = before else {
            return Ok(None);
        };
        let scanned = self.scan(&segment, before, limit)?;
        if scanned.frames > 0 && self.report.torn_tail {
            // A torn frame was seen in an earlier segment, yet frames go on here.
            return Err(segment.damage(FIRST_FRAME, Fault::NotZero).into());
        }
        self.report.frames += scanned.frames;
        self.report.torn_tail |= scanned.tail == Tail::Torn;
        let seal = if limit.is_none() {
            Seal::read(&segment)?
        } else {
            None
        };
        if let Some(seal) = &seal {
            self.seal(&segment, seal, &scanned)?;
        }
        self.keep(number, &scanned);
        Ok(Some(scanned.after))
    }

    fn scan(
        &self,
        segment: &Segment,
        before: &Cursor,
        limit: Option<BlockNumber>,
    ) -> Result<Scanned, StoreFault> {
        let stream_before = |key: &StreamKey| Ok(self.seen.streams.get(key).copied());
        let mut context = ScanContext {
            spec: self.spec,
            stream_before: &stream_before,
            positions_known: !self.seen.streams_lost,
            verifier: self.verifier,
            limit,
            after_frame: &mut |_| {},
        };
        scan(segment, before.clone(), &mut context)
    }

    fn seal(
        &mut self,
        segment: &Segment,
        seal: &Seal,
        scanned: &Scanned,
    ) -> Result<(), StoreFault> {
        if seal.previous != self.seen.last_seal {
            let fault = Fault::Seal("it does not name the seal before it");
            return Err(segment.damage(segment.seal_block(), fault).into());
        }
        self.seen.last_seal = seal.hash();
        check_seal(self.spec, segment, seal, scanned)?;
        let run = Run::open(self.disk, self.spec.log, segment.number, &seal.run)?;
        run.verify()?;
        Ok(())
    }

    fn keep(&mut self, number: SegmentNumber, scanned: &Scanned) {
        let blank = scanned.blank.iter().map(|leaf| (*leaf, number));
        self.seen.blank.extend(blank);
        self.seen.erased.extend(&scanned.memory.erased);
        self.seen.streams.extend(&scanned.memory.streams);
    }

    /// Where to go on after a damaged segment: at its seal, if that is good.
    fn after_damage(&mut self, number: SegmentNumber) -> Option<Cursor> {
        let segment = Segment::open(self.disk, self.spec, number).ok()?;
        let seal = Seal::read(&segment).ok()??;
        self.seen.last_seal = seal.hash();
        Some(Cursor {
            frontier: seal.frontier.clone(),
            previous: seal.last_frame,
            time: seal.time,
        })
    }

    /// Blanks are exactly the leaves that retention events name.
    fn check_erased(&mut self) {
        // What the damaged segments held is not known.
        if !self.report.damage.is_empty() {
            return;
        }
        for (leaf, number) in &self.seen.blank {
            if self.seen.erased.contains_key(leaf) {
                self.report.erased += 1;
            } else {
                let path = segment_path(*number);
                let damage = Damage::new(&path, *leaf, Fault::BlankUnexplained);
                self.report.damage.push(damage);
            }
        }
        // Erasures that a crash cut short are finished at the next open.
        let unfinished = self
            .head
            .map_or(TreeSize::new(u64::MAX), |head| head.erased);
        for (leaf, by) in &self.seen.erased {
            if !self.seen.blank.contains_key(leaf) && unfinished.contains(*by) {
                let damage = Damage::new(super::segment::LOG_FOLDER, *leaf, Fault::NotErased);
                self.report.damage.push(damage);
            }
        }
    }

    /// The segments hold all that the head file knows of.
    fn check_head(&mut self, after: Option<&Cursor>) {
        let (Some(head), Some(after)) = (self.head, after) else {
            return;
        };
        let found = after.frontier.size();
        let known = head.published.size;
        let fault = if known > found {
            Fault::Truncated { known, found }
        } else if known == found && head.published.root != after.frontier.root() {
            Fault::Head("it knows of another root at the log's size")
        } else if head.stop == super::head::Stop::Clean && self.report.torn_tail {
            Fault::TornAfterCleanStop
        } else {
            return;
        };
        let damage = Damage::new(head::HEAD_PATH, Place::File, fault);
        self.report.damage.push(damage);
    }
}
