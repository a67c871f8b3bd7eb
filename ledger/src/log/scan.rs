//! Walking a segment frame by frame and checking all that is in it: open and `fsck` both do this.
//!
//! The end of the frames is decided here. One commit is in flight at most and files start as
//! zeros, so exactly one kind of incomplete frame can be innocent:
//!
//! * *clean*: from some block boundary on, the segment is zeros;
//! * *torn*: from there on, one frame stands in which every block that fails its checksum is still
//!   zeros, with only zeros after it. Its commit was never answered; it may be discarded.
//!
//! Anything else is damage, and a whole frame is never discarded.

use super::admission::Memory;
use super::block::{BLOCK_BYTES, BlockCount, BlockNumber, is_zero};
use super::fault::{Fault, StoreFault};
use super::frame::{Frame, FrameEvent, FrameFault, FrameHeader};
use super::ids::ChainHash;
use super::index::FrameIndex;
use super::record::{Record, StreamKey, records};
use super::request::StreamHead;
use super::run::FrameMark;
use super::segment::{FIRST_FRAME, Segment};
use super::signer::CheckpointVerifier;
use super::spec::{LeafKind, LogSpec};
use stella_verify::event::EventHeader;
use stella_verify::hash::PayloadCommitment;
use stella_verify::merkle::{Frontier, leaf_hash};
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

/// What is known of the log before a place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cursor {
    pub(crate) frontier: Frontier,
    pub(crate) previous: ChainHash,
    pub(crate) time: UnixMillis,
}

/// How a segment's frames end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Clean,
    Torn,
}

/// Everything a scan found out about one segment.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) first: LeafIndex,
    /// The log after the segment's last whole frame.
    pub(crate) after: Cursor,
    /// The block after it.
    pub(crate) end: BlockNumber,
    pub(crate) tail: Tail,
    pub(crate) frames: u64,
    pub(crate) index: FrameIndex,
    pub(crate) memory: Memory,
    /// Leaves whose salt and payload are blank: each must be named by a retention event.
    pub(crate) blank: Vec<LeafIndex>,
    /// Leaves that are retention events, with the leaves that their payload names.
    pub(crate) retention: Vec<(LeafIndex, Vec<LeafIndex>)>,
    /// The checkpoint of the last frame.
    pub(crate) checkpoint: Option<String>,
}

/// What a scan compares with.
pub(crate) struct ScanContext<'a> {
    pub(crate) spec: &'a LogSpec,
    /// The end of a stream in earlier segments.
    pub(crate) stream_before: &'a dyn Fn(&StreamKey) -> Result<Option<StreamHead>, StoreFault>,
    /// Whether `stream_before` can be relied on; if not, positions are only taken note of.
    pub(crate) positions_known: bool,
    /// Also verify signatures.
    pub(crate) verifier: Option<&'a dyn CheckpointVerifier>,
    /// Scan frames before this block only, and not what comes after: for a log in use.
    pub(crate) limit: Option<BlockNumber>,
    /// Called after each frame with the tree's state: to look for heads that others know.
    pub(crate) after_frame: &'a mut dyn FnMut(&Frontier),
}

/// Checks a segment from its first frame to its end.
pub(crate) fn scan(
    segment: &Segment,
    start: Cursor,
    context: &mut ScanContext<'_>,
) -> Result<Scanned, StoreFault> {
    let mut scanned = Scanned {
        first: start.frontier.size().next_index(),
        after: start,
        end: FIRST_FRAME,
        tail: Tail::Clean,
        frames: 0,
        index: FrameIndex::default(),
        memory: Memory::default(),
        blank: Vec::new(),
        retention: Vec::new(),
        checkpoint: None,
    };
    let mut buffer = Vec::new();
    let mut last_stream = None;
    while scanned.end < context.limit.unwrap_or(segment.seal_block()) {
        match read_next(segment, scanned.end, &mut buffer)? {
            Next::Frame(blocks) => {
                check_frame(segment, &buffer, &mut scanned, context, &mut last_stream)?;
                scanned.end = scanned.end.plus(blocks);
                scanned.frames += 1;
                (context.after_frame)(&scanned.after.frontier);
            }
            Next::End(tail) => {
                scanned.tail = tail;
                break;
            }
        }
    }
    Ok(scanned)
}

enum Next {
    /// A whole frame is in the buffer, stripped.
    Frame(BlockCount),
    /// No further whole frame.
    End(Tail),
}

/// Reads the frame at `at`, or decides what its absence means.
fn read_next(segment: &Segment, at: BlockNumber, buffer: &mut Vec<u8>) -> Result<Next, StoreFault> {
    let mut first = Vec::new();
    segment.read_raw(at, BlockCount(1), &mut first)?;
    let Some(body) = segment.key.open(&first, at, at) else {
        if !is_zero(&first) {
            return Err(segment.damage(at, Fault::Checksum).into());
        }
        // The frame's first block was never written: how far the rest may reach is unknown.
        return Ok(Next::End(check_rest(segment, at, at, None)?));
    };
    let header = FrameHeader::parse(body).ok_or_else(|| segment.damage(at, FrameFault::Magic))?;
    let lengths = || segment.damage(at, FrameFault::Lengths);
    let blocks = header.blocks().ok_or_else(lengths)?;
    let end = at.plus(blocks);
    if end > segment.seal_block() {
        return Err(lengths().into());
    }
    match segment.read_unit_into(at, at, blocks, buffer) {
        Ok(()) => Ok(Next::Frame(blocks)),
        Err(StoreFault::Damage(damage)) if damage.fault == Fault::Lost => {
            // Some block is blank: torn if that explains everything from here to the end.
            match check_rest(segment, at, at, Some(end)) {
                Ok(_) => Ok(Next::End(Tail::Torn)),
                Err(StoreFault::Damage(_)) => Err(damage.into()),
                Err(fault) => Err(fault),
            }
        }
        Err(fault) => Err(fault),
    }
}

/// Checks that blocks from `from` to the seal are zeros, but for valid blocks of one frame that
/// starts at `unit` (and ends at `end`, if that is known).
fn check_rest(
    segment: &Segment,
    unit: BlockNumber,
    from: BlockNumber,
    end: Option<BlockNumber>,
) -> Result<Tail, StoreFault> {
    const PIECE: u32 = 256;
    let mut tail = Tail::Clean;
    let mut buffer = Vec::new();
    let mut at = from;
    while at < segment.seal_block() {
        let count = BlockCount(segment.seal_block().since(at).0.min(PIECE));
        segment.read_raw(at, count, &mut buffer)?;
        let mut block_at = at;
        for block in buffer.chunks(BLOCK_BYTES) {
            if !is_zero(block) {
                let inside = end.is_none_or(|end| block_at < end);
                if !inside || segment.key.open(block, block_at, unit).is_none() {
                    return Err(segment.damage(block_at, Fault::NotZero).into());
                }
                tail = Tail::Torn;
            }
            block_at = block_at.plus(BlockCount(1));
        }
        at = at.plus(count);
    }
    Ok(tail)
}

/// The last stream met, so that runs of events do not hash its name again.
type LastStream = Option<(String, StreamKey)>;

fn check_frame(
    segment: &Segment,
    bytes: &[u8],
    scanned: &mut Scanned,
    context: &mut ScanContext<'_>,
    last_stream: &mut LastStream,
) -> Result<(), StoreFault> {
    let at = scanned.end;
    let wrong = |fault: FrameFault| StoreFault::from(segment.damage(at, fault));
    let frame = Frame::parse(bytes).map_err(wrong)?;
    check_place(segment, &frame.header, &scanned.after, context.spec).map_err(wrong)?;
    frame.verify().map_err(wrong)?;
    if frame.header.time < scanned.after.time {
        return Err(segment.damage(frame.header.first, Fault::Time).into());
    }
    let mut erased = Vec::new();
    for record in records(frame.admission) {
        let record = record.map_err(wrong)?;
        if let Record::Erased { leaf, by } = record {
            erased.push((leaf, by));
        }
        scanned.memory.apply(&record, frame.header.time);
    }
    for event in frame.events() {
        match context.spec.kind {
            LeafKind::Raw if event.secret.is_empty() => {}
            LeafKind::Raw => return Err(wrong(FrameFault::Directory)),
            LeafKind::Event => {
                let mut check = EventCheck {
                    segment,
                    time: frame.header.time,
                    erased: &erased,
                    last_stream,
                };
                check.event(&event, scanned, context)?;
            }
        }
        scanned.after.frontier.push(leaf_hash(event.leaf));
    }
    check_checkpoint(segment, &frame, &scanned.after.frontier, context)?;
    scanned.index.push(FrameMark {
        first: frame.header.first,
        block: at,
    });
    scanned.after.previous = frame.hash;
    scanned.after.time = frame.header.time;
    scanned.checkpoint = Some(frame.checkpoint().map_err(wrong)?.to_owned());
    Ok(())
}

fn check_place(
    segment: &Segment,
    header: &FrameHeader,
    before: &Cursor,
    spec: &LogSpec,
) -> Result<(), FrameFault> {
    if header.log != spec.log || header.segment != segment.number {
        return Err(FrameFault::Elsewhere);
    }
    if header.first != before.frontier.size().next_index() || header.end().is_none() {
        return Err(FrameFault::Discontinuous);
    }
    if header.previous != before.previous {
        return Err(FrameFault::Unchained);
    }
    Ok(())
}

/// Checks of one event leaf and what stands beside it.
struct EventCheck<'a> {
    segment: &'a Segment,
    time: UnixMillis,
    erased: &'a [(LeafIndex, LeafIndex)],
    last_stream: &'a mut LastStream,
}

impl EventCheck<'_> {
    fn event(
        &mut self,
        event: &FrameEvent<'_>,
        scanned: &mut Scanned,
        context: &ScanContext<'_>,
    ) -> Result<(), StoreFault> {
        let wrong = |fault: Fault| StoreFault::from(self.segment.damage(event.index, fault));
        let header = EventHeader::decode(event.leaf)
            .map_err(|error| wrong(Fault::Leaf(error.to_string())))?;
        if header.log_origin.as_str() != context.spec.origin.as_str() {
            return Err(wrong(Fault::Leaf("it is another log's".to_owned())));
        }
        if header.time != self.time {
            return Err(wrong(Fault::Time));
        }
        let (salt, payload) = event
            .salt_and_payload()
            .ok_or_else(|| wrong(Fault::Commitment))?;
        let retention =
            header.event_type.as_str() == stella_verify::event::EventType::PAYLOAD_ERASED.as_str();
        if event.is_blank() && !retention {
            scanned.blank.push(event.index);
        } else if PayloadCommitment::of(&salt, payload) != header.payload {
            return Err(wrong(Fault::Commitment));
        }
        if retention {
            let named = super::erase::erased_leaves(payload)
                .filter(|named| self.agrees_with_records(event.index, named))
                .ok_or_else(|| wrong(Fault::Retention))?;
            scanned.retention.push((event.index, named));
        }
        let key = self.stream_key(header.stream.as_str(), &header);
        let before = match scanned.memory.streams.get(&key) {
            Some(head) => Some(*head),
            None => (context.stream_before)(&key)?,
        };
        let next = before.map_or(StreamPosition::ZERO, |head| head.next);
        if context.positions_known && header.position != next {
            return Err(wrong(Fault::Position));
        }
        let head = StreamHead {
            next: header
                .position
                .checked_add(1)
                .ok_or_else(|| wrong(Fault::Position))?,
            last: event.index,
        };
        scanned.memory.streams.insert(key, head);
        Ok(())
    }

    /// The admission records of the frame say the same as the retention event's payload.
    fn agrees_with_records(&self, by: LeafIndex, named: &[LeafIndex]) -> bool {
        let recorded = self
            .erased
            .iter()
            .filter(|(_, event)| *event == by)
            .map(|(leaf, _)| *leaf);
        recorded.eq(named.iter().copied())
    }

    fn stream_key(&mut self, stream: &str, header: &EventHeader<'_>) -> StreamKey {
        match self.last_stream {
            Some((last, key)) if last == stream => *key,
            _ => {
                let key = StreamKey::of(&header.stream);
                *self.last_stream = Some((stream.to_owned(), key));
                key
            }
        }
    }
}

/// The frame's checkpoint states exactly this tree.
fn check_checkpoint(
    segment: &Segment,
    frame: &Frame<'_>,
    tree: &Frontier,
    context: &ScanContext<'_>,
) -> Result<(), StoreFault> {
    let at = frame.header.first;
    let note = frame
        .checkpoint()
        .map_err(|fault| segment.damage(at, fault))?;
    if !super::signer::states(note, &context.spec.origin, &tree.head()) {
        return Err(segment.damage(at, Fault::Checkpoint).into());
    }
    if let Some(verifier) = context.verifier {
        verifier
            .verify(&context.spec.origin, note)
            .map_err(|reason| segment.damage(at, Fault::Signature(reason)))?;
    }
    Ok(())
}
