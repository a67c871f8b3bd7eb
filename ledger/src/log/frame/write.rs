//! Laying a frame out.

use super::FrameHeader;
use crate::log::block::{BlockKey, BlockNumber, BlockWriter};
use crate::log::ids::ChainHash;

/// The sections of a frame about to be written.
#[derive(Debug)]
pub(crate) struct FrameParts<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) directory: &'a [u8],
    pub(crate) leaves: &'a [u8],
    pub(crate) admission: &'a [u8],
    pub(crate) checkpoint: &'a [u8],
}

impl FrameParts<'_> {
    /// Lays the frame out from block `start`; `payloads` puts exactly the announced bytes.
    /// Gives the frame's hash and the block after it.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        key: BlockKey,
        start: BlockNumber,
        payloads: impl FnOnce(&mut BlockWriter<'_>),
    ) -> (ChainHash, BlockNumber) {
        let header = self.header.to_bytes();
        let sections = [
            &header,
            self.directory,
            self.leaves,
            self.admission,
            self.checkpoint,
        ];
        let mut hasher = blake3::Hasher::new();
        let mut writer = BlockWriter::new(out, key, start);
        for section in sections {
            hasher.update(section);
            writer.put(section);
        }
        let hash = ChainHash(*hasher.finalize().as_bytes());
        writer.put(&hash.0);
        payloads(&mut writer);
        (hash, writer.finish())
    }
}
