//! Segment files: created whole, filled frame by frame, closed by a seal, never recycled.
//!
//! ```text
//! block 0          header: log id, segment number, length, kind of leaves, origin
//! block 1 ...      frames, each from a block boundary, without gaps
//! (zeros)
//! last block       seal, once the segment is full
//! ```

use super::block::{
    BLOCK_BYTES, BadBlock, BlockCount, BlockKey, BlockNumber, BlockWriter, FileKind, is_zero, strip,
};
use super::bytes::Fields;
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::ids::SegmentNumber;
use super::spec::LogSpec;
use crate::disk::{ByteLength, Disk, DiskFile};
use std::sync::Arc;

/// Folder of the log inside the data directory.
pub(crate) const LOG_FOLDER: &str = "log";
const MAGIC: &[u8; 8] = b"STLSEGM1";

/// First block that a frame may start at.
pub(crate) const FIRST_FRAME: BlockNumber = BlockNumber(1);

/// One open segment file.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) number: SegmentNumber,
    pub(crate) key: BlockKey,
    pub(crate) path: String,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) blocks: BlockCount,
}

pub(crate) fn segment_path(number: SegmentNumber) -> String {
    format!("{LOG_FOLDER}/{:016x}.seg", number.0)
}

/// The number in a segment's file name; `None` for other files.
pub(crate) fn segment_of(name: &str) -> Option<SegmentNumber> {
    let digits = name.strip_suffix(".seg")?;
    let number = SegmentNumber(u64::from_str_radix(digits, 16).ok()?);
    (segment_path(number)
        .strip_prefix(LOG_FOLDER)?
        .strip_prefix('/')?
        == name)
        .then_some(number)
}

/// The name under which a file is made before it is renamed into place.
pub(crate) fn temporary(path: &str) -> String {
    format!("{path}.tmp")
}

/// Whether a name is such a name.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.strip_suffix(".tmp").is_some()
}

impl Segment {
    /// Makes a segment of zeros (space reserved, see [`super::space`]) with a header: temporary file,
    /// sync, rename, directory sync. Once this returns `Ok` the file is durable under its name.
    pub(crate) fn create(
        disk: &dyn Disk,
        spec: &LogSpec,
        number: SegmentNumber,
    ) -> Result<Self, DiskFault> {
        let segment = Self::fill(disk, spec, number)?;
        segment.install(disk)?;
        Ok(segment)
    }

    /// The temporary file, space reserved and header written, nothing synced.
    pub(crate) fn fill(
        disk: &dyn Disk,
        spec: &LogSpec,
        number: SegmentNumber,
    ) -> Result<Self, DiskFault> {
        let path = segment_path(number);
        let draft = temporary(&path);
        let bytes = u64::try_from(spec.segment_blocks.bytes()).unwrap_or(u64::MAX);
        let file = disk
            .create_zeroed(&draft, ByteLength(bytes))
            .map_err(|source| DiskFault::new("write", &path, source))?;
        let segment = Self {
            number,
            key: BlockKey::new(spec.log, FileKind::Segment, number.0),
            path,
            file,
            blocks: spec.segment_blocks,
        };
        segment.write(&header_block(spec, &segment), BlockNumber(0))?;
        Ok(segment)
    }

    /// Syncs a filled segment and gives it its name.
    pub(crate) fn install(&self, disk: &dyn Disk) -> Result<(), DiskFault> {
        self.sync()?;
        disk.rename(&temporary(&self.path), &self.path)
            .map_err(|source| DiskFault::new("rename into", &self.path, source))?;
        disk.sync_dir(LOG_FOLDER)
            .map_err(|source| DiskFault::new("sync", LOG_FOLDER, source))
    }

    /// Opens an existing segment and checks its length and header.
    pub(crate) fn open(
        disk: &dyn Disk,
        spec: &LogSpec,
        number: SegmentNumber,
    ) -> Result<Self, StoreFault> {
        let path = segment_path(number);
        let file = disk
            .open(&path)
            .map_err(|source| missing_or_fault(&path, source))?;
        let segment = Self {
            number,
            key: BlockKey::new(spec.log, FileKind::Segment, number.0),
            path,
            file,
            blocks: spec.segment_blocks,
        };
        segment.check_length()?;
        let found = segment.read_unit(BlockNumber(0), BlockNumber(0), BlockCount(1))?;
        check_header(&found, spec, number)
            .map_err(|what| segment.damage(BlockNumber(0), Fault::Header(what)))?;
        Ok(segment)
    }

    fn check_length(&self) -> Result<(), StoreFault> {
        let found = self
            .file
            .length()
            .map_err(|source| DiskFault::new("measure", &self.path, source))?;
        let expected = self.blocks.bytes() as u64;
        if found.0 == expected {
            return Ok(());
        }
        let fault = Fault::Length {
            expected,
            found: found.0,
        };
        Err(self.damage(Place::File, fault).into())
    }

    /// Where the seal goes; frames end before it.
    pub(crate) fn seal_block(&self) -> BlockNumber {
        BlockNumber(self.blocks.0.saturating_sub(1))
    }

    pub(crate) fn damage(&self, at: impl Into<Place>, fault: impl Into<Fault>) -> Damage {
        Damage::new(&self.path, at, fault)
    }

    /// Raw blocks into `buffer`, replacing its content.
    pub(crate) fn read_raw(
        &self,
        first: BlockNumber,
        count: BlockCount,
        buffer: &mut Vec<u8>,
    ) -> Result<(), DiskFault> {
        buffer.resize(count.bytes(), 0);
        self.file
            .read_at(buffer, first.offset())
            .map_err(|source| DiskFault::new("read", &self.path, source))
    }

    /// Verified bodies of blocks of the unit that starts at `unit`.
    pub(crate) fn read_unit(
        &self,
        unit: BlockNumber,
        first: BlockNumber,
        count: BlockCount,
    ) -> Result<Vec<u8>, StoreFault> {
        let mut buffer = Vec::new();
        self.read_unit_into(unit, first, count, &mut buffer)?;
        Ok(buffer)
    }

    /// As [`Segment::read_unit`], into a buffer that is used again.
    pub(crate) fn read_unit_into(
        &self,
        unit: BlockNumber,
        first: BlockNumber,
        count: BlockCount,
        buffer: &mut Vec<u8>,
    ) -> Result<(), StoreFault> {
        // A block that is being blanked just now may be read half old, half new. One more look
        // settles that; real damage stays.
        self.read_raw(first, count, buffer)?;
        if strip(buffer, self.key, first, unit).is_ok() {
            return Ok(());
        }
        std::thread::yield_now();
        self.read_raw(first, count, buffer)?;
        match strip(buffer, self.key, first, unit) {
            Ok(()) => Ok(()),
            Err(BadBlock(block)) => {
                let start = block.since(first).bytes();
                // `strip` has moved bodies only in front of the failing block.
                let lost = buffer.get(start..start + BLOCK_BYTES).is_some_and(is_zero);
                let fault = if lost { Fault::Lost } else { Fault::Checksum };
                Err(self.damage(block, fault).into())
            }
        }
    }

    pub(crate) fn write(&self, blocks: &[u8], at: BlockNumber) -> Result<(), DiskFault> {
        self.file
            .write_at(blocks, at.offset())
            .map_err(|source| DiskFault::new("write", &self.path, source))
    }

    pub(crate) fn sync(&self) -> Result<(), DiskFault> {
        self.file
            .sync_data()
            .map_err(|source| DiskFault::new("sync", &self.path, source))
    }
}

/// A file that must be there but is not is damage; any other trouble is the disk's.
pub(crate) fn missing_or_fault(path: &str, source: std::io::Error) -> StoreFault {
    if source.kind() == std::io::ErrorKind::NotFound {
        Damage::new(path, Place::File, Fault::Missing).into()
    } else {
        DiskFault::new("open", path, source).into()
    }
}

fn header_block(spec: &LogSpec, segment: &Segment) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK_BYTES);
    let mut writer = BlockWriter::new(&mut out, segment.key, BlockNumber(0));
    writer.put(&header_bytes(spec, segment.number));
    writer.finish();
    out
}

fn header_bytes(spec: &LogSpec, number: SegmentNumber) -> Vec<u8> {
    let mut out = Vec::with_capacity(320);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&number.0.to_le_bytes());
    out.extend_from_slice(&spec.to_bytes());
    out
}

fn check_header(found: &[u8], spec: &LogSpec, number: SegmentNumber) -> Result<(), &'static str> {
    let expected = header_bytes(spec, number);
    let (head, rest) = found
        .split_at_checked(expected.len())
        .ok_or("it is too short")?;
    if head != expected {
        return Err("it names another log, number, length, leaf kind or origin");
    }
    if is_zero(rest) {
        Ok(())
    } else {
        Err("its padding is not zeros")
    }
}

/// What a log says of itself in a segment's header, for a reader that has nothing else.
pub(crate) fn parse_header(body: &[u8]) -> Option<(SegmentNumber, LogSpec)> {
    let mut fields = Fields(body);
    if fields.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let number = SegmentNumber(fields.u64()?);
    Some((number, LogSpec::parse(&mut fields)?))
}
