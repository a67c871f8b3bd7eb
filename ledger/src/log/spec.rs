//! What never changes in a log, stated in every segment's header and in the head file.

use super::block::BlockCount;
use super::bytes::Fields;
use super::ids::LogId;
use std::sync::Arc;
use stella_verify::event::LogOrigin;

/// What a log's leaves are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafKind {
    /// Canonical event headers, payloads beside them.
    Event,
    /// Any bytes, nothing beside them.
    Raw,
}

/// Identity and shape of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSpec {
    pub(crate) log: LogId,
    pub(crate) origin: LogOrigin<Arc<str>>,
    pub(crate) kind: LeafKind,
    pub(crate) segment_blocks: BlockCount,
}

impl LogSpec {
    /// `log id (16) | blocks a segment (4) | kind (1) | origin's length (1) | origin`.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let origin = self.origin.as_str().as_bytes();
        let mut out = Vec::with_capacity(22 + origin.len());
        out.extend_from_slice(self.log.as_bytes());
        out.extend_from_slice(&self.segment_blocks.0.to_le_bytes());
        out.push(match self.kind {
            LeafKind::Event => 1,
            LeafKind::Raw => 2,
        });
        // A name has at most 255 bytes.
        out.push(u8::try_from(origin.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(origin);
        out
    }

    pub(crate) fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let log = LogId::new(fields.array()?);
        let segment_blocks = BlockCount(fields.u32()?);
        let kind = match fields.u8()? {
            1 => LeafKind::Event,
            2 => LeafKind::Raw,
            _ => return None,
        };
        let length = usize::from(fields.u8()?);
        let origin = std::str::from_utf8(fields.take(length)?).ok()?;
        Some(Self {
            log,
            origin: LogOrigin::new(Arc::from(origin)).ok()?,
            kind,
            segment_blocks,
        })
    }
}
