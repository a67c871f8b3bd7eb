//! A run's meta section, and the whole file in the making.

use super::entry::{
    ERASED, NAMES, REQUESTS, STREAMS, put_erased, put_name, put_request, put_stream,
};
use super::table::Table;
use super::{FrameMark, RunContent};
use crate::disk::DiskFile;
use crate::log::block::{BLOCK_BYTES, BlockCount, BlockKey, BlockNumber, BlockWriter, strip};
use crate::log::bytes::Fields;
use crate::log::fault::{Damage, DiskFault, Fault, StoreFault};
use crate::log::ids::SegmentNumber;
use crate::log::seal::RunRef;
use stella_verify::units::LeafIndex;

const MAGIC: &[u8; 8] = b"STLARUN1";

#[derive(Debug)]
pub(super) struct Meta {
    pub(super) requests: Table,
    pub(super) streams: Table,
    pub(super) names: Table,
    pub(super) erased: Table,
    pub(super) frames: Vec<FrameMark>,
    pub(super) tables_hash: [u8; 32],
    pub(super) tables_end: BlockNumber,
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

pub(super) fn read_meta(
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
