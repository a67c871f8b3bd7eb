//! An open run, and how one comes to be.

use super::entry::{parse_index, parse_request, parse_stream};
use super::meta::{Meta, encode, read_meta};
use super::table::Table;
use super::{FrameMark, RequestEntry, RunContent};
use crate::disk::{Disk, DiskFile};
use crate::log::block::{BLOCK_BYTES, BlockCount, BlockKey, BlockNumber, FileKind, strip};
use crate::log::bytes::Fields;
use crate::log::fault::{Damage, DiskFault, Fault, Place, StoreFault};
use crate::log::ids::{LogId, SegmentNumber};
use crate::log::record::{NameKey, RequestKey, StreamKey};
use crate::log::request::StreamHead;
use crate::log::seal::RunRef;
use crate::log::segment::{LOG_FOLDER, missing_or_fault, temporary};
use std::sync::Arc;
use stella_verify::units::LeafIndex;

/// An open run: fences, filters and frame index in memory, entries on disk.
#[derive(Debug)]
pub(crate) struct Run {
    path: String,
    key: BlockKey,
    file: Arc<dyn DiskFile>,
    meta: Meta,
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
