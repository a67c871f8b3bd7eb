//! Reading a frame back.

use super::{DIRECTORY_ENTRY_BYTES, EntryEnds, FrameFault, FrameHeader, SALT_BYTES};
use crate::log::block::is_zero;
use crate::log::ids::ChainHash;
use stella_verify::hash::Salt;
use stella_verify::units::LeafIndex;

/// A whole frame, read back: its own bytes only, blocks' checksums stripped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) hash: ChainHash,
    directory: &'a [u8],
    leaves: &'a [u8],
    pub(crate) admission: &'a [u8],
    checkpoint: &'a [u8],
    payloads: &'a [u8],
    hashed: &'a [u8],
    padding: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Splits a frame into its sections; checks lengths only.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, FrameFault> {
        let header = FrameHeader::parse(bytes).ok_or(FrameFault::Magic)?;
        let section = |start: usize, end: usize| bytes.get(start..end).ok_or(FrameFault::Lengths);
        let hash = section(header.hash_start(), header.payloads_start())?;
        Ok(Self {
            header,
            hash: ChainHash(hash.try_into().map_err(|_| FrameFault::Lengths)?),
            directory: section(FrameHeader::directory_start(), header.leaves_start())?,
            leaves: section(header.leaves_start(), header.admission_start())?,
            admission: section(header.admission_start(), header.checkpoint_start())?,
            checkpoint: section(header.checkpoint_start(), header.hash_start())?,
            payloads: section(header.payloads_start(), header.length())?,
            hashed: section(0, header.hash_start())?,
            padding: bytes.get(header.length()..).unwrap_or_default(),
        })
    }

    /// Checks all that a frame says about its own bytes: hash, directory, padding.
    pub(crate) fn verify(&self) -> Result<(), FrameFault> {
        if *blake3::hash(self.hashed).as_bytes() != self.hash.0 {
            return Err(FrameFault::Hash);
        }
        if !is_zero(self.padding) {
            return Err(FrameFault::Padding);
        }
        self.verify_directory()
    }

    fn verify_directory(&self) -> Result<(), FrameFault> {
        let mut previous = EntryEnds::default();
        for ends in self.ends() {
            let leaf = self
                .leaves
                .get(previous.leaf as usize..ends.leaf as usize)
                .ok_or(FrameFault::Directory)?;
            let (prefix, rest) = leaf.split_first_chunk().ok_or(FrameFault::Directory)?;
            if usize::from(u16::from_be_bytes(*prefix)) != rest.len() {
                return Err(FrameFault::Directory);
            }
            let payload = ends.payload.checked_sub(previous.payload);
            if payload.is_none_or(|bytes| bytes != 0 && (bytes as usize) < SALT_BYTES) {
                return Err(FrameFault::Directory);
            }
            previous = ends;
        }
        let all = EntryEnds {
            leaf: self.header.leaves,
            payload: self.header.payloads,
        };
        if previous == all {
            Ok(())
        } else {
            Err(FrameFault::Directory)
        }
    }

    /// The signed note inside the frame.
    pub(crate) fn checkpoint(&self) -> Result<&'a str, FrameFault> {
        std::str::from_utf8(self.checkpoint).map_err(|_| FrameFault::CheckpointText)
    }

    fn ends(&self) -> impl Iterator<Item = EntryEnds> + use<'a> {
        let (entries, _) = self.directory.as_chunks::<DIRECTORY_ENTRY_BYTES>();
        entries.iter().map(|entry| EntryEnds::from_bytes(*entry))
    }

    /// The frame's events in order. Stops early only where the directory is wrong, which
    /// [`Frame::verify`] refuses.
    pub(crate) fn events(&self) -> impl Iterator<Item = FrameEvent<'a>> + use<'a> {
        let (leaves, payloads) = (self.leaves, self.payloads);
        let mut previous = EntryEnds::default();
        let mut index = self.header.first;
        self.ends().map_while(move |ends| {
            let entry = leaves.get(previous.leaf as usize..ends.leaf as usize)?;
            let event = FrameEvent {
                index,
                leaf: entry.get(2..)?,
                secret: payloads.get(previous.payload as usize..ends.payload as usize)?,
            };
            previous = ends;
            index = index.checked_add(1)?;
            Some(event)
        })
    }

    /// The stored entry-bundle bytes of leaves from `start` to `end`, clipped to the frame.
    pub(crate) fn entries(&self, start: LeafIndex, end: LeafIndex) -> Option<&'a [u8]> {
        let (ends, _) = self.directory.as_chunks::<DIRECTORY_ENTRY_BYTES>();
        let place = |index: LeafIndex| {
            let skipped = index.get().saturating_sub(self.header.first.get());
            let skipped = usize::try_from(skipped.min(u64::from(self.header.count.0))).ok()?;
            match skipped.checked_sub(1) {
                None => Some(0),
                Some(last) => Some(EntryEnds::from_bytes(*ends.get(last)?).leaf as usize),
            }
        };
        self.leaves.get(place(start)?..place(end)?)
    }
}

/// One event as it stands in its frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameEvent<'a> {
    pub(crate) index: LeafIndex,
    pub(crate) leaf: &'a [u8],
    /// Salt and payload, or as many zeros once erased; empty for a raw leaf.
    pub(crate) secret: &'a [u8],
}

impl<'a> FrameEvent<'a> {
    /// Salt and payload as stored; `None` for a raw leaf.
    pub(crate) fn salt_and_payload(&self) -> Option<(Salt, &'a [u8])> {
        let (salt, payload) = self.secret.split_first_chunk::<SALT_BYTES>()?;
        Some((Salt::new(*salt), payload))
    }

    /// Whether salt and payload are blank.
    pub(crate) fn is_blank(&self) -> bool {
        !self.secret.is_empty() && is_zero(self.secret)
    }
}
