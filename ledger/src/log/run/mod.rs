//! Admission runs: what was remembered of one sealed segment, sorted and immutable.
//!
//! ```text
//! tables: requests, streams, names, erased leaves     pages of sorted fixed-width entries
//! meta:   where they are, fences, filters, frame index, BLAKE3 of the tables
//! ```
//!
//! The seal holds the BLAKE3 of the meta section, so a run cannot change unseen. A run is a pure
//! function of its segment's frames: one that is missing or damaged is written again, and must
//! then match its seal to the byte.

mod filter;
mod table;

use super::block::{BLOCK_BYTES, BlockCount, BlockKey, BlockNumber, BlockWriter, FileKind, strip};
use super::bytes::Fields;
use super::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use super::ids::{LogId, SegmentNumber};
use super::record::{BodyHash, KEY_BYTES, NameKey, RequestKey, StreamKey};
use super::request::{EventCount, StreamHead};
use super::seal::RunRef;
use super::segment::{LOG_FOLDER, missing_or_fault, temporary};
use crate::disk::{Disk, DiskFile};
use std::sync::Arc;
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};
use table::{Shape, Table};

const MAGIC: &[u8; 8] = b"STLARUN1";

const REQUESTS: Shape = Shape {
    key: KEY_BYTES,
    entry: KEY_BYTES + 52,
    filtered: true,
};
const STREAMS: Shape = Shape {
    key: KEY_BYTES,
    entry: KEY_BYTES + 16,
    filtered: true,
};
const NAMES: Shape = Shape {
    key: KEY_BYTES,
    entry: KEY_BYTES + 8,
    filtered: true,
};
const ERASED: Shape = Shape {
    key: 8,
    entry: 16,
    filtered: false,
};

/// What the log remembers of a request with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestEntry {
    pub(crate) body: BodyHash,
    pub(crate) first: LeafIndex,
    pub(crate) count: EventCount,
    pub(crate) time: UnixMillis,
}

/// Where a frame starts, by leaf and by block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameMark {
    pub(crate) first: LeafIndex,
    pub(crate) block: BlockNumber,
}

/// A run before it is written: each list sorted by key, without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RunContent {
    pub(crate) requests: Vec<(RequestKey, RequestEntry)>,
    pub(crate) streams: Vec<(StreamKey, StreamHead)>,
    pub(crate) names: Vec<(NameKey, LeafIndex)>,
    pub(crate) erased: Vec<(LeafIndex, LeafIndex)>,
    pub(crate) frames: Vec<FrameMark>,
}

/// An open run: fences, filters and frame index in memory, entries on disk.
#[derive(Debug)]
pub(crate) struct Run {
    path: String,
    key: BlockKey,
    file: Arc<dyn DiskFile>,
    meta: Meta,
}

#[derive(Debug)]
struct Meta {
    requests: Table,
    streams: Table,
    names: Table,
    erased: Table,
    frames: Vec<FrameMark>,
    tables_hash: [u8; 32],
    tables_end: BlockNumber,
}

pub(crate) fn run_path(segment: SegmentNumber) -> String {
    format!("{LOG_FOLDER}/{:016x}.run", segment.0)
}

impl Run {
    /// Writes a run, syncs it and gives it its name; then opens it.
    pub(crate) fn create(
        disk: &dyn Disk,
        log: LogId,
        segment: SegmentNumber,
        content: &RunContent,
    ) -> Result<(Self, RunRef), StoreFault> {
        let key = BlockKey::new(log, FileKind::Run, segment.0);
        let (bytes, reference) = encode(content, key, segment);
        let path = run_path(segment);
        let draft = temporary(&path);
        let fault = |operation, path: &str| {
            let path = path.to_owned();
            move |source| DiskFault::new(operation, &path, source)
        };
        let file = disk.create(&draft).map_err(fault("create", &draft))?;
        file.write_at(&bytes, BlockNumber(0).offset())
            .map_err(fault("write", &draft))?;
        file.sync_data().map_err(fault("sync", &draft))?;
        disk.rename(&draft, &path)
            .map_err(fault("rename into", &path))?;
        disk.sync_dir(LOG_FOLDER)
            .map_err(fault("sync", LOG_FOLDER))?;
        Ok((Self::open(disk, log, segment, &reference)?, reference))
    }

    /// Opens the run that a seal names and checks its meta section against the seal.
    pub(crate) fn open(
        disk: &dyn Disk,
        log: LogId,
        segment: SegmentNumber,
        reference: &RunRef,
    ) -> Result<Self, StoreFault> {
        let path = run_path(segment);
        let key = BlockKey::new(log, FileKind::Run, segment.0);
        let file = disk
            .open(&path)
            .map_err(|source| missing_or_fault(&path, source))?;
        let length = file
            .length()
            .map_err(|source| DiskFault::new("measure", &path, source))?;
        let expected = reference.blocks.bytes() as u64;
        if length.0 != expected {
            let fault = Fault::Length {
                expected,
                found: length.0,
            };
            return Err(Damage::new(&path, Place::File, fault).into());
        }
        let meta = read_meta(&*file, &path, key, segment, reference)?;
        Ok(Self {
            path,
            key,
            file,
            meta,
        })
    }

    pub(crate) fn request(&self, key: &RequestKey) -> Result<Option<RequestEntry>, StoreFault> {
        self.find(&self.meta.requests, &key.0, parse_request)
    }

    pub(crate) fn stream(&self, key: &StreamKey) -> Result<Option<StreamHead>, StoreFault> {
        self.find(&self.meta.streams, &key.0, parse_stream)
    }

    pub(crate) fn name(&self, key: &NameKey) -> Result<Option<LeafIndex>, StoreFault> {
        self.find(&self.meta.names, &key.0, parse_index)
    }

    /// The retention event that erased a leaf's payload.
    pub(crate) fn erased(&self, leaf: LeafIndex) -> Result<Option<LeafIndex>, StoreFault> {
        self.find(&self.meta.erased, &leaf.get().to_be_bytes(), parse_index)
    }

    /// All erased leaves recorded in this segment, with the retention event of each.
    pub(crate) fn all_erased(&self) -> Result<Vec<(LeafIndex, LeafIndex)>, StoreFault> {
        let table = &self.meta.erased;
        let mut all = Vec::new();
        for page in table.all_pages() {
            let body = self.page(page)?;
            let (entries, _) = table.entries(&body, page).as_chunks::<16>();
            for entry in entries {
                let mut fields = Fields(entry);
                let leaf = fields.array().map(u64::from_be_bytes).unwrap_or_default();
                let by = fields.u64().unwrap_or_default();
                all.push((LeafIndex::new(leaf), LeafIndex::new(by)));
            }
        }
        Ok(all)
    }

    pub(crate) fn has_erased(&self) -> bool {
        self.meta.erased.count() > 0
    }

    /// The segment's frame index, sparse: see [`super::index`].
    pub(crate) fn frames(&self) -> &[FrameMark] {
        &self.meta.frames
    }

    /// Reads every byte of the tables and checks them against the meta section.
    pub(crate) fn verify(&self) -> Result<(), StoreFault> {
        let mut hasher = blake3::Hasher::new();
        let mut at = BlockNumber(0);
        let mut buffer = Vec::new();
        while at < self.meta.tables_end {
            let count = BlockCount(self.meta.tables_end.since(at).0.min(256));
            buffer.resize(count.bytes(), 0);
            self.file
                .read_at(&mut buffer, at.offset())
                .map_err(|source| DiskFault::new("read", &self.path, source))?;
            hasher.update(&buffer);
            at = at.plus(count);
        }
        if *hasher.finalize().as_bytes() == self.meta.tables_hash {
            return Ok(());
        }
        Err(Damage::new(
            &self.path,
            Place::File,
            Fault::Run("its tables do not match its meta section"),
        )
        .into())
    }

    fn find<T>(
        &self,
        table: &Table,
        key: &[u8],
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, StoreFault> {
        for page in table.pages(key) {
            let body = self.page(page)?;
            if let Some(value) = table.find(&body, page, key) {
                let fault = Fault::Run("an entry cannot be read");
                return match parse(value) {
                    Some(value) => Ok(Some(value)),
                    None => Err(Damage::new(&self.path, page, fault).into()),
                };
            }
        }
        Ok(None)
    }

    fn page(&self, page: BlockNumber) -> Result<Vec<u8>, StoreFault> {
        let mut block = vec![0; BLOCK_BYTES];
        self.file
            .read_at(&mut block, page.offset())
            .map_err(|source| DiskFault::new("read", &self.path, source))?;
        strip(&mut block, self.key, page, page)
            .map_err(|bad| Damage::new(&self.path, bad.0, Fault::Checksum))?;
        Ok(block)
    }
}

/// The bytes of a run file, and how a seal refers to it.
pub(crate) fn encode(
    content: &RunContent,
    key: BlockKey,
    segment: SegmentNumber,
) -> (Vec<u8>, RunRef) {
    let mut out = Vec::new();
    let requests = content.requests.iter().flat_map(put_request);
    let requests = Table::write(REQUESTS, &requests.collect::<Vec<_>>(), &mut out, key);
    let streams = content.streams.iter().flat_map(put_stream);
    let streams = Table::write(STREAMS, &streams.collect::<Vec<_>>(), &mut out, key);
    let names = content.names.iter().flat_map(put_name);
    let names = Table::write(NAMES, &names.collect::<Vec<_>>(), &mut out, key);
    let erased = content.erased.iter().flat_map(put_erased);
    let erased = Table::write(ERASED, &erased.collect::<Vec<_>>(), &mut out, key);

    let mut meta = Vec::new();
    meta.extend_from_slice(MAGIC);
    meta.extend_from_slice(&segment.0.to_le_bytes());
    meta.extend_from_slice(blake3::hash(&out).as_bytes());
    for table in [&requests, &streams, &names, &erased] {
        table.put(&mut meta);
    }
    let marks = u32::try_from(content.frames.len()).unwrap_or(u32::MAX);
    meta.extend_from_slice(&marks.to_le_bytes());
    for mark in &content.frames {
        meta.extend_from_slice(&mark.first.get().to_le_bytes());
        meta.extend_from_slice(&mark.block.0.to_le_bytes());
    }

    let blocks = |bytes: usize| u32::try_from(bytes / BLOCK_BYTES).unwrap_or(u32::MAX);
    let meta_start = BlockNumber(blocks(out.len()));
    let mut writer = BlockWriter::new(&mut out, key, meta_start);
    writer.put(&(meta.len() as u64).to_le_bytes());
    writer.put(&meta);
    writer.finish();
    let reference = RunRef {
        blocks: BlockCount(blocks(out.len())),
        meta: meta_start,
        hash: *blake3::hash(&meta).as_bytes(),
    };
    (out, reference)
}

fn read_meta(
    file: &dyn DiskFile,
    path: &str,
    key: BlockKey,
    segment: SegmentNumber,
    reference: &RunRef,
) -> Result<Meta, StoreFault> {
    let wrong = |what| Damage::new(path, reference.meta, Fault::Run(what));
    let count = BlockNumber(reference.blocks.0).since(reference.meta);
    let mut body = vec![0; count.bytes()];
    file.read_at(&mut body, reference.meta.offset())
        .map_err(|source| DiskFault::new("read", path, source))?;
    strip(&mut body, key, reference.meta, reference.meta)
        .map_err(|bad| Damage::new(path, bad.0, Fault::Checksum))?;
    let mut fields = Fields(&body);
    let content = fields
        .u64()
        .and_then(|length| fields.take(usize::try_from(length).ok()?))
        .ok_or_else(|| wrong("its meta section is cut"))?;
    if *blake3::hash(content).as_bytes() != reference.hash {
        return Err(wrong("its meta section does not match the seal").into());
    }
    parse_meta(content, segment, reference.meta)
        .ok_or_else(|| wrong("its meta section cannot be read").into())
}

fn parse_meta(content: &[u8], segment: SegmentNumber, tables_end: BlockNumber) -> Option<Meta> {
    let mut fields = Fields(content);
    if fields.take(MAGIC.len())? != MAGIC || fields.u64()? != segment.0 {
        return None;
    }
    let tables_hash = fields.array()?;
    let requests = Table::read(REQUESTS, &mut fields)?;
    let streams = Table::read(STREAMS, &mut fields)?;
    let names = Table::read(NAMES, &mut fields)?;
    let erased = Table::read(ERASED, &mut fields)?;
    let mut frames = Vec::new();
    for _ in 0..fields.u32()? {
        frames.push(FrameMark {
            first: LeafIndex::new(fields.u64()?),
            block: BlockNumber(fields.u32()?),
        });
    }
    fields.is_empty().then_some(Meta {
        requests,
        streams,
        names,
        erased,
        frames,
        tables_hash,
        tables_end,
    })
}

fn put_request((key, entry): &(RequestKey, RequestEntry)) -> Vec<u8> {
    let mut out = Vec::with_capacity(REQUESTS.entry);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&entry.body.0);
    out.extend_from_slice(&entry.first.get().to_le_bytes());
    out.extend_from_slice(&entry.count.0.to_le_bytes());
    out.extend_from_slice(&entry.time.get().to_le_bytes());
    out
}

fn parse_request(value: &[u8]) -> Option<RequestEntry> {
    let mut fields = Fields(value);
    Some(RequestEntry {
        body: BodyHash(fields.array()?),
        first: LeafIndex::new(fields.u64()?),
        count: EventCount(fields.u32()?),
        time: UnixMillis::new(fields.u64()?),
    })
}

fn put_stream((key, head): &(StreamKey, StreamHead)) -> Vec<u8> {
    let mut out = Vec::with_capacity(STREAMS.entry);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&head.next.get().to_le_bytes());
    out.extend_from_slice(&head.last.get().to_le_bytes());
    out
}

fn parse_stream(value: &[u8]) -> Option<StreamHead> {
    let mut fields = Fields(value);
    Some(StreamHead {
        next: StreamPosition::new(fields.u64()?),
        last: LeafIndex::new(fields.u64()?),
    })
}

fn put_name((key, at): &(NameKey, LeafIndex)) -> Vec<u8> {
    let mut out = Vec::with_capacity(NAMES.entry);
    out.extend_from_slice(&key.0);
    out.extend_from_slice(&at.get().to_le_bytes());
    out
}

/// The leaf is big-endian, so that bytes sort as numbers do.
fn put_erased((leaf, by): &(LeafIndex, LeafIndex)) -> Vec<u8> {
    let mut out = Vec::with_capacity(ERASED.entry);
    out.extend_from_slice(&leaf.get().to_be_bytes());
    out.extend_from_slice(&by.get().to_le_bytes());
    out
}

fn parse_index(value: &[u8]) -> Option<LeafIndex> {
    Some(LeafIndex::new(Fields(value).u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    const LOG: LogId = LogId::new([5; 16]);
    const SEGMENT: SegmentNumber = SegmentNumber(9);

    fn hash(kind: u8, number: u64) -> [u8; KEY_BYTES] {
        let mut name = vec![kind];
        name.extend_from_slice(&number.to_le_bytes());
        *blake3::hash(&name).as_bytes()
    }

    fn request(number: u64) -> RequestEntry {
        RequestEntry {
            body: BodyHash(hash(9, number)),
            first: LeafIndex::new(number),
            count: EventCount(3),
            time: UnixMillis::new(number * 2),
        }
    }

    fn head(number: u64) -> StreamHead {
        StreamHead {
            next: StreamPosition::new(number + 1),
            last: LeafIndex::new(number),
        }
    }

    /// `count` entries in every table, each from a different range of numbers.
    fn content(count: u64) -> RunContent {
        let numbers = 0..count;
        let mut content = RunContent {
            requests: numbers
                .clone()
                .map(|number| (RequestKey(hash(1, number)), request(number)))
                .collect(),
            streams: numbers
                .clone()
                .map(|number| (StreamKey(hash(2, number)), head(number)))
                .collect(),
            names: numbers
                .clone()
                .map(|number| (NameKey(hash(3, number)), LeafIndex::new(number)))
                .collect(),
            erased: numbers
                .map(|number| (LeafIndex::new(number * 3), LeafIndex::new(number)))
                .collect(),
            frames: vec![FrameMark {
                first: LeafIndex::new(7),
                block: BlockNumber(1),
            }],
        };
        content.requests.sort_unstable_by_key(|(key, _)| *key);
        content.streams.sort_unstable_by_key(|(key, _)| *key);
        content.names.sort_unstable_by_key(|(key, _)| *key);
        content
    }

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(folder.path());
        disk.create_dir(LOG_FOLDER).unwrap();
        for count in [0u64, 1, 48, 49, 3000] {
            let content = content(count);
            let (run, reference) = Run::create(&disk, LOG, SEGMENT, &content).unwrap();
            for number in 0..count + 50 {
                let inside = number < count;
                let found = run.request(&RequestKey(hash(1, number))).unwrap();
                assert_eq!(found, inside.then(|| request(number)));
                let found = run.stream(&StreamKey(hash(2, number))).unwrap();
                assert_eq!(found, inside.then(|| head(number)));
                let found = run.name(&NameKey(hash(3, number))).unwrap();
                assert_eq!(found, inside.then(|| LeafIndex::new(number)));
                let found = run.erased(LeafIndex::new(number * 3)).unwrap();
                assert_eq!(found, inside.then(|| LeafIndex::new(number)));
                assert_eq!(run.erased(LeafIndex::new(number * 3 + 1)).unwrap(), None);
            }
            assert_eq!(run.all_erased().unwrap(), content.erased);
            assert_eq!(run.frames(), content.frames);
            run.verify().unwrap();
            // The same content always gives the same file.
            let key = BlockKey::new(LOG, FileKind::Run, SEGMENT.0);
            assert_eq!(encode(&content, key, SEGMENT).1, reference);
        }
    }

    #[test]
    fn every_bit_of_a_run_is_guarded() {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(folder.path());
        disk.create_dir(LOG_FOLDER).unwrap();
        let (_, reference) = Run::create(&disk, LOG, SEGMENT, &content(60)).unwrap();
        let path = folder.path().join(run_path(SEGMENT));
        let good = std::fs::read(&path).unwrap();
        for at in (0..good.len()).step_by(53) {
            let mut bad = good.clone();
            bad[at] ^= 4;
            std::fs::write(&path, bad).unwrap();
            let found = Run::open(&disk, LOG, SEGMENT, &reference).and_then(|run| run.verify());
            assert!(matches!(found, Err(StoreFault::Damage(_))), "flip at {at}");
        }
    }
}
