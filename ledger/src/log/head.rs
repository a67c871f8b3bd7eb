//! The head file: what the log knows of its own end, written behind.
//!
//! Two slots of one block each, written in turn, so that a torn write leaves the other. Everything
//! a slot says was true when it was written and stays true: these frames are synced, this size was
//! published, these files exist. So a stale slot is weak evidence, never false evidence.

use super::block::{
    BLOCK_BYTES, BlockCount, BlockKey, BlockNumber, BlockWriter, FileKind, is_zero,
};
use super::bytes::Fields;
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::ids::{LogId, SegmentNumber};
use super::segment::{LOG_FOLDER, missing_or_fault, temporary};
use super::spec::LogSpec;
use crate::disk::{Disk, DiskFile};
use std::sync::Arc;
use stella_verify::hash::RootHash;
use stella_verify::merkle::TreeHead;
use stella_verify::units::TreeSize;

const MAGIC: &[u8; 8] = b"STLHEAD1";

/// The head file's path in the data directory.
pub(crate) const HEAD_PATH: &str = "log/head";

/// How the log was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Running, or killed while it ran.
    Unclean,
    /// Closed with everything synced.
    Clean,
}

/// One slot's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) spec: LogSpec,
    /// Rises with every write; the slot with the higher one counts.
    pub(crate) sequence: u64,
    pub(crate) stop: Stop,
    /// A published state.
    pub(crate) published: TreeHead<RootHash>,
    /// Frames before this place are known to be synced.
    pub(crate) synced: (SegmentNumber, BlockNumber),
    /// Segments up to this one are known to exist.
    pub(crate) highest: SegmentNumber,
    /// Seals of segments before this one are known to be synced.
    pub(crate) sealed: SegmentNumber,
    /// Retention events below this size have been carried out.
    pub(crate) erased: TreeSize,
}

/// The open head file.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: Arc<dyn DiskFile>,
    last: Head,
}

/// A head file as found.
#[derive(Debug)]
pub(crate) struct FoundHead {
    pub(crate) head: Head,
    /// The slot that could not be read while the other could; fsck reports it, the next write
    /// repairs it.
    pub(crate) bad_slot: Option<BlockNumber>,
}

impl HeadFile {
    /// Writes a first head file, both slots, and gives it its name: from here on the log exists.
    pub(crate) fn create(disk: &dyn Disk, head: Head) -> Result<Self, DiskFault> {
        let draft = temporary(HEAD_PATH);
        let file = disk
            .create(&draft)
            .map_err(|source| DiskFault::new("create", &draft, source))?;
        let mut this = Self { file, last: head };
        this.put(BlockNumber(0))?;
        this.last.sequence = this.last.sequence.saturating_add(1);
        this.put(BlockNumber(1))?;
        this.sync()?;
        disk.rename(&draft, HEAD_PATH)
            .map_err(|source| DiskFault::new("rename into", HEAD_PATH, source))?;
        disk.sync_dir(LOG_FOLDER)
            .map_err(|source| DiskFault::new("sync", LOG_FOLDER, source))?;
        Ok(this)
    }

    /// Opens the file that [`read`] found.
    pub(crate) fn open(disk: &dyn Disk, found: &Head) -> Result<Self, StoreFault> {
        let file = disk
            .open(HEAD_PATH)
            .map_err(|source| missing_or_fault(HEAD_PATH, source))?;
        Ok(Self {
            file,
            last: found.clone(),
        })
    }

    /// Writes the slot that does not hold the latest state, and syncs it. `change` edits a copy
    /// of the latest state.
    pub(crate) fn advance(&mut self, change: impl FnOnce(&mut Head)) -> Result<(), DiskFault> {
        change(&mut self.last);
        self.last.sequence = self.last.sequence.saturating_add(1);
        self.put(slot_of(self.last.sequence))?;
        self.sync()
    }

    /// As [`HeadFile::advance`], into both slots: for what a torn write must not hide.
    pub(crate) fn advance_both(&mut self, change: impl FnOnce(&mut Head)) -> Result<(), DiskFault> {
        self.advance(change)?;
        self.advance(|_| {})
    }

    fn put(&self, slot: BlockNumber) -> Result<(), DiskFault> {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let mut writer = BlockWriter::new(&mut block, key(), slot);
        writer.put(&self.last.to_bytes());
        writer.finish();
        self.file
            .write_at(&block, slot.offset())
            .map_err(|source| DiskFault::new("write", HEAD_PATH, source))
    }

    fn sync(&self) -> Result<(), DiskFault> {
        self.file
            .sync_data()
            .map_err(|source| DiskFault::new("sync", HEAD_PATH, source))
    }
}

/// Reads the head file; `None` when there is none.
pub(crate) fn read(disk: &dyn Disk) -> Result<Option<FoundHead>, StoreFault> {
    let file = match disk.open(HEAD_PATH) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(DiskFault::new("open", HEAD_PATH, source).into()),
    };
    let length = file
        .length()
        .map_err(|source| DiskFault::new("measure", HEAD_PATH, source))?;
    let expected = 2 * BLOCK_BYTES as u64;
    if length.0 != expected {
        let fault = Fault::Length {
            expected,
            found: length.0,
        };
        return Err(Damage::new(HEAD_PATH, Place::File, fault).into());
    }
    let slots = [
        read_slot(&*file, BlockNumber(0))?,
        read_slot(&*file, BlockNumber(1))?,
    ];
    match slots {
        [Some(a), Some(b)] if a.spec != b.spec => {
            Err(Damage::new(HEAD_PATH, Place::File, Fault::Head("its slots disagree")).into())
        }
        [Some(a), Some(b)] => Ok(Some(FoundHead {
            head: if a.sequence > b.sequence { a } else { b },
            bad_slot: None,
        })),
        [Some(head), None] => Ok(Some(FoundHead {
            head,
            bad_slot: Some(BlockNumber(1)),
        })),
        [None, Some(head)] => Ok(Some(FoundHead {
            head,
            bad_slot: Some(BlockNumber(0)),
        })),
        [None, None] => Err(Damage::new(
            HEAD_PATH,
            Place::File,
            Fault::Head("neither slot can be read"),
        )
        .into()),
    }
}

/// The slots are read before the log id is known, so their checksums are bound to none.
fn key() -> BlockKey {
    BlockKey::new(LogId::new([0; 16]), FileKind::Head, 0)
}

fn slot_of(sequence: u64) -> BlockNumber {
    BlockNumber(u32::from(sequence & 1 == 1))
}

fn read_slot(file: &dyn DiskFile, slot: BlockNumber) -> Result<Option<Head>, DiskFault> {
    let mut block = vec![0; BlockCount(1).bytes()];
    file.read_at(&mut block, slot.offset())
        .map_err(|source| DiskFault::new("read", HEAD_PATH, source))?;
    Ok(key().open(&block, slot, slot).and_then(Head::parse))
}

impl Head {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.push(match self.stop {
            Stop::Unclean => 0,
            Stop::Clean => 1,
        });
        out.extend_from_slice(&self.published.size.get().to_le_bytes());
        out.extend_from_slice(self.published.root.as_bytes());
        out.extend_from_slice(&self.synced.0.0.to_le_bytes());
        out.extend_from_slice(&self.synced.1.0.to_le_bytes());
        out.extend_from_slice(&self.highest.0.to_le_bytes());
        out.extend_from_slice(&self.sealed.0.to_le_bytes());
        out.extend_from_slice(&self.erased.get().to_le_bytes());
        out.extend_from_slice(&self.spec.to_bytes());
        out
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        if fields.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let sequence = fields.u64()?;
        let stop = match fields.u8()? {
            0 => Stop::Unclean,
            1 => Stop::Clean,
            _ => return None,
        };
        let published = TreeHead {
            size: TreeSize::new(fields.u64()?),
            root: RootHash::new(fields.array()?),
        };
        let synced = (SegmentNumber(fields.u64()?), BlockNumber(fields.u32()?));
        let highest = SegmentNumber(fields.u64()?);
        let sealed = SegmentNumber(fields.u64()?);
        let erased = TreeSize::new(fields.u64()?);
        let spec = LogSpec::parse(&mut fields)?;
        is_zero(fields.0).then_some(Self {
            spec,
            sequence,
            stop,
            published,
            synced,
            highest,
            sealed,
            erased,
        })
    }
}
