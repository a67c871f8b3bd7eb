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
//!    outranks the tail, a log shorter than it is refused; the key at hand must have signed the
//!    newest checkpoint;
//! 6. after an unclean stop, frames that the head file does not vouch for are written again into
//!    a new file and synced: the page cache may hold what the disk lost, and nobody can tell;
//! 7. a full segment that has no seal gets one, erasures that were cut short are carried out;
//! 8. the head file says "running", in both slots. Only now is anything published.
//!
//! Nothing is written before step 6 but the journal's blocks and, in step 3, runs that can be made again, so
//! no frame of a refused log is touched.

mod error;
mod evidence;
mod finish;
mod sealed;
mod tail;

pub use error::{OpenError, OpenReport};
pub(crate) use sealed::check_seal;

use super::admission::Admission;
use super::block::{BlockCount, BlockNumber, is_zero};
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::head::{self, Head, HeadFile};
use super::ids::{ChainHash, SegmentNumber};
use super::index::IndexedSegment;
use super::options::LogOptions;
use super::scan::Cursor;
use super::segment::{FIRST_FRAME, LOG_FOLDER, Segment, is_temporary, segment_of, segment_path};
use super::spec::LogSpec;
use crate::disk::Disk;
use evidence::check_evidence;
use finish::finish;
use sealed::read_seals;
use std::sync::Arc;
use stella_verify::units::TreeSize;
use tail::{newest_checkpoint, scan_tail};

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
    check_key(options, newest_checkpoint(&scans))?;
    remove_drafts(disk)?;
    // A name that is visible may still be unsynced: the process that made it may have died first.
    for folder in [".", LOG_FOLDER] {
        disk.sync_dir(folder)
            .map_err(|source| DiskFault::new("sync", folder, source))?;
    }
    finish(options, &found, segments, sealed, scans)
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
    let Ok(file) = disk.open(&segment_path(SegmentNumber(0))) else {
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

fn check_key(options: &LogOptions, newest: Option<&str>) -> Result<(), OpenError> {
    let (Some(verifier), Some(note)) = (&options.verifier, newest) else {
        return Ok(());
    };
    let origin = &options.origin;
    verifier
        .verify(origin, note)
        .map_err(|why| OpenError::OtherKey {
            origin: origin.as_str().to_owned(),
            why,
        })
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
    for name in names.iter().filter(|name| is_temporary(name)) {
        let path = format!("{LOG_FOLDER}/{name}");
        disk.remove(&path)
            .map_err(|source| DiskFault::new("remove", &path, source))?;
    }
    Ok(())
}
