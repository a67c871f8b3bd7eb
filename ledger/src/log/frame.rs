//! One commit as bytes.
//!
//! ```text
//! header (104) | directory (8 a leaf) | leaves | admission | checkpoint | frame hash (32) | payloads
//! ```
//!
//! * directory: for each leaf the ends of its entry in *leaves* and in *payloads*, u32 each;
//! * leaves: entries exactly as in a tlog-tiles entry bundle (u16 big-endian length || leaf), so a
//!   bundle is a concatenation of stored slices;
//! * admission: records of [`super::record`];
//! * frame hash: BLAKE3 of everything before it. The header holds the previous frame's hash;
//! * payloads: for each event salt (32) || payload; nothing for raw leaves. They stand outside the
//!   hash so that they can be erased; the leaf's commitment and the blocks' checksums guard them.
//!
//! Integers are little-endian unless the line says otherwise.

use super::block::{BlockCount, BlockKey, BlockNumber, BlockWriter, is_zero};
use super::bytes::Fields;
use super::ids::{ChainHash, LogId, SegmentNumber};
use super::request::EventCount;
use stella_verify::hash::Salt;
use stella_verify::units::{LeafIndex, TreeSize, UnixMillis};

pub(crate) const HEADER_BYTES: usize = 104;
pub(crate) const DIRECTORY_ENTRY_BYTES: usize = 8;
pub(crate) const HASH_BYTES: usize = 32;
pub(crate) const SALT_BYTES: usize = 32;
const MAGIC: &[u8; 8] = b"STLFRAM1";

/// What a frame says of itself in its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) log: LogId,
    pub(crate) segment: SegmentNumber,
    pub(crate) first: LeafIndex,
    pub(crate) count: EventCount,
    /// Lengths of the sections, in bytes.
    pub(crate) leaves: u32,
    pub(crate) admission: u32,
    pub(crate) checkpoint: u32,
    pub(crate) payloads: u32,
    /// Time of the frame's last event; admission time of its requests.
    pub(crate) time: UnixMillis,
    pub(crate) previous: ChainHash,
}

/// What is wrong with bytes that should be a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The first bytes are not a frame header.
    #[error("no frame header")]
    Magic,
    /// The frame is another log's or another segment's.
    #[error("the frame belongs elsewhere")]
    Elsewhere,
    /// It does not start at the leaf where the previous one ended.
    #[error("the frame does not start at the next leaf index")]
    Discontinuous,
    /// It does not name the previous frame's hash.
    #[error("the frame is not chained to the previous one")]
    Unchained,
    /// Section lengths contradict each other or the file.
    #[error("the frame's lengths are wrong")]
    Lengths,
    /// The directory contradicts the sections.
    #[error("the frame's directory is wrong")]
    Directory,
    /// BLAKE3 over the frame differs.
    #[error("the frame's hash is wrong")]
    Hash,
    /// Bytes after the frame's end, in its last block, are not zeros.
    #[error("the frame's padding is not zeros")]
    Padding,
    /// The checkpoint is not UTF-8.
    #[error("the frame's checkpoint is not text")]
    CheckpointText,
    /// An admission record cannot be read.
    #[error("the frame's admission records are wrong")]
    Admission,
}

impl FrameHeader {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let fields: [&[u8]; 11] = [
            MAGIC,
            self.log.as_bytes(),
            &self.segment.0.to_le_bytes(),
            &self.first.get().to_le_bytes(),
            &self.count.0.to_le_bytes(),
            &self.leaves.to_le_bytes(),
            &self.admission.to_le_bytes(),
            &self.checkpoint.to_le_bytes(),
            &self.payloads.to_le_bytes(),
            &self.time.get().to_le_bytes(),
            &self.previous.0,
        ];
        let mut out = [0u8; HEADER_BYTES];
        let mut at = 0;
        for field in fields {
            if let Some(slot) = out.get_mut(at..at + field.len()) {
                slot.copy_from_slice(field);
            }
            at += field.len();
        }
        out
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take(MAGIC.len())? != MAGIC {
            return None;
        }
        let header = Self {
            log: LogId::new(fields.array()?),
            segment: SegmentNumber(fields.u64()?),
            first: LeafIndex::new(fields.u64()?),
            count: EventCount(fields.u32()?),
            leaves: fields.u32()?,
            admission: fields.u32()?,
            checkpoint: fields.u32()?,
            payloads: fields.u32()?,
            time: UnixMillis::new(fields.u64()?),
            previous: ChainHash(fields.array()?),
        };
        // A reserved word closes the header; one value, one spelling.
        (fields.u32()? == 0).then_some(header)
    }

    /// The tree size after this frame; `None` on overflow or an empty frame.
    pub(crate) fn end(&self) -> Option<TreeSize> {
        if self.count.0 == 0 {
            return None;
        }
        let end = self.first.get().checked_add(u64::from(self.count.0))?;
        Some(TreeSize::new(end))
    }

    pub(crate) const fn directory_start() -> usize {
        HEADER_BYTES
    }

    pub(crate) const fn leaves_start(&self) -> usize {
        HEADER_BYTES + self.count.0 as usize * DIRECTORY_ENTRY_BYTES
    }

    pub(crate) const fn admission_start(&self) -> usize {
        self.leaves_start() + self.leaves as usize
    }

    pub(crate) const fn checkpoint_start(&self) -> usize {
        self.admission_start() + self.admission as usize
    }

    pub(crate) const fn hash_start(&self) -> usize {
        self.checkpoint_start() + self.checkpoint as usize
    }

    pub(crate) const fn payloads_start(&self) -> usize {
        self.hash_start() + HASH_BYTES
    }

    /// Bytes of the whole frame before padding.
    pub(crate) const fn length(&self) -> usize {
        self.payloads_start() + self.payloads as usize
    }

    /// Blocks the frame occupies; `None` beyond what a file can have.
    pub(crate) fn blocks(&self) -> Option<BlockCount> {
        BlockCount::holding(self.length())
    }
}

/// Where one leaf ends in the frame's two sections, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EntryEnds {
    pub(crate) leaf: u32,
    pub(crate) payload: u32,
}

impl EntryEnds {
    pub(crate) fn to_bytes(self) -> [u8; DIRECTORY_ENTRY_BYTES] {
        ((u64::from(self.payload) << 32) | u64::from(self.leaf)).to_le_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; DIRECTORY_ENTRY_BYTES]) -> Self {
        let mut fields = Fields(&bytes);
        Self {
            leaf: fields.u32().unwrap_or_default(),
            payload: fields.u32().unwrap_or_default(),
        }
    }
}

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
        let place = |index: LeafIndex| {
            let skipped = index.get().saturating_sub(self.header.first.get());
            let skipped = usize::try_from(skipped.min(u64::from(self.header.count.0))).ok()?;
            match skipped.checked_sub(1) {
                None => Some(0),
                Some(last) => self.ends().nth(last).map(|ends| ends.leaf as usize),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::block::{BLOCK_BYTES, FileKind, strip};
    use proptest::prelude::*;

    const LOG: LogId = LogId::new([3; 16]);
    const START: BlockNumber = BlockNumber(4);

    /// A frame of the given (leaf, secret) pairs, laid out and stripped again.
    fn frame_of(entries: &[(Vec<u8>, Vec<u8>)], checkpoint: &str) -> Vec<u8> {
        let (mut directory, mut leaves, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
        for (leaf, secret) in entries {
            leaves.extend_from_slice(&u16::try_from(leaf.len()).unwrap().to_be_bytes());
            leaves.extend_from_slice(leaf);
            secrets.extend_from_slice(secret);
            let ends = EntryEnds {
                leaf: u32::try_from(leaves.len()).unwrap(),
                payload: u32::try_from(secrets.len()).unwrap(),
            };
            directory.extend_from_slice(&ends.to_bytes());
        }
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let parts = FrameParts {
            header: FrameHeader {
                log: LOG,
                segment: SegmentNumber(1),
                first: LeafIndex::new(100),
                count: EventCount(u32::try_from(entries.len()).unwrap()),
                leaves: length(&leaves),
                admission: 0,
                checkpoint: length(checkpoint.as_bytes()),
                payloads: length(&secrets),
                time: UnixMillis::new(5),
                previous: ChainHash([9; 32]),
            },
            directory: &directory,
            leaves: &leaves,
            admission: &[],
            checkpoint: checkpoint.as_bytes(),
        };
        let key = BlockKey::new(LOG, FileKind::Segment, 1);
        let mut blocks = Vec::new();
        let (_, end) = parts.write(&mut blocks, key, START, |writer| writer.put(&secrets));
        assert_eq!(end.since(START).bytes(), blocks.len());
        assert!(blocks.len().is_multiple_of(BLOCK_BYTES));
        strip(&mut blocks, key, START, START).unwrap();
        blocks
    }

    fn entries() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
        let leaf = proptest::collection::vec(any::<u8>(), 0..300);
        let secret = proptest::collection::vec(any::<u8>(), 32..900);
        proptest::collection::vec((leaf, secret), 1..40)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(entries in entries(), note in "[a-z]{0,200}") {
            let bytes = frame_of(&entries, &note);
            let frame = Frame::parse(&bytes).unwrap();
            prop_assert_eq!(frame.verify(), Ok(()));
            prop_assert_eq!(frame.checkpoint(), Ok(note.as_str()));
            let read: Vec<_> = frame
                .events()
                .map(|event| (event.leaf.to_vec(), event.secret.to_vec()))
                .collect();
            prop_assert_eq!(read, entries);
        }

        #[test]
        fn a_flip_outside_the_secrets_is_found(
            entries in entries(),
            at in any::<proptest::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut bytes = frame_of(&entries, "note");
            let secrets = Frame::parse(&bytes).unwrap().header;
            let at = at.index(secrets.payloads_start());
            bytes[at] ^= 1 << bit;
            let found = Frame::parse(&bytes).and_then(|frame| frame.verify());
            prop_assert!(found.is_err(), "flip at {}", at);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut bytes = bytes;
            for magic in [false, true] {
                if magic && bytes.len() > MAGIC.len() {
                    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
                }
                if let Ok(frame) = Frame::parse(&bytes) {
                    let _ = (frame.verify(), frame.checkpoint());
                    let _ = frame.entries(LeafIndex::ZERO, LeafIndex::new(u64::MAX));
                    let _ = frame.events().count();
                }
            }
        }
    }

    #[test]
    fn bundles_are_slices_of_a_frame() {
        let entries = [b"a".to_vec(), Vec::new(), b"ccc".to_vec()].map(|leaf| (leaf, vec![1; 32]));
        let bytes = frame_of(&entries, "");
        let frame = Frame::parse(&bytes).unwrap();
        let slice = |start, end| frame.entries(LeafIndex::new(start), LeafIndex::new(end));
        assert_eq!(slice(0, 1000), Some(b"\0\x01a\0\0\0\x03ccc".as_slice()));
        assert_eq!(slice(101, 102), Some(b"\0\0".as_slice()));
        assert_eq!(slice(102, 103), Some(b"\0\x03ccc".as_slice()));
    }
}
