//! Reading and proving over gRPC.

use crate::App;
use crate::app::checkpoint_of;
use crate::refusal::Refusal;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use stella_ledger::LedgerError;
use stella_ledger::ledger::{Event, PageSize, Payload};
use stella_ledger::log::{StoredEvent, StoredPayload};
use stella_proto::ledger as wire;
use stella_proto::reason::Reason;
use stella_verify::event::StreamName;
use stella_verify::hash::{HASH_SIZE, NodeHash};
use stella_verify::merkle::{Growth, LeafRange};
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Events in one message of a stream, and bytes after which it is sent with fewer.
const CHUNK_EVENTS: usize = 256;
const CHUNK_BYTES: usize = 1024 * 1024;

/// Messages that wait for a slow reader; then reading pauses.
const CHUNKS_IN_FLIGHT: usize = 4;

type Chunk = Result<Vec<wire::Event>, Status>;

/// A range of the log, pinned to a published size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    range: LeafRange,
    at: TreeSize,
}

impl Span {
    /// What a request asks for; refused when it lies beyond what is published.
    pub(super) fn of_log(app: &App, request: &wire::ReadEventsRequest) -> Result<Self, Refusal> {
        let at = pinned(app, request.tree_size)?;
        let start = request.from.min(at.get());
        let most = if request.limit == 0 {
            u64::MAX
        } else {
            request.limit
        };
        let end = start.saturating_add(most).min(at.get());
        let range = LeafRange {
            start: LeafIndex::new(start),
            end: LeafIndex::new(end),
        };
        Ok(Self { range, at })
    }
}

/// The size to read at: the one asked for, if it is published, else the newest.
fn pinned(app: &App, asked: Option<u64>) -> Result<TreeSize, Refusal> {
    let published = app.ledger().published().size;
    match asked.map(TreeSize::new) {
        None => Ok(published),
        Some(size) if size <= published => Ok(size),
        Some(size) => {
            let message = format!("the log has {published} leaves, not {size}");
            Err(Refusal::new(Reason::BeyondTreeSize, message))
        }
    }
}

/// Events of a range, a chunk at a time, read on a thread that may block.
pub(super) fn chunks(app: &Arc<App>, span: Span) -> ReceiverStream<Chunk> {
    let (sender, stream) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let mut gather = Gather::new(sender);
        let visit = |event: StoredEvent<'_>| gather.take(&event);
        // Straight from the segments: published events need no projections.
        let read = app.ledger().log().visit(span.range, span.at, visit);
        gather.end(read.map_err(|error| LedgerError::from(error).into()));
    });
    ReceiverStream::new(stream)
}

/// Events of one stream, a chunk at a time.
pub(super) fn stream_chunks(
    app: &Arc<App>,
    request: &wire::ReadStreamRequest,
) -> Result<ReceiverStream<Chunk>, Refusal> {
    let at = pinned(app, request.tree_size)?;
    let stream = StreamName::new(Arc::<str>::from(request.stream.as_str()))
        .map_err(|problem| Refusal::field("stream", problem))?;
    let from = StreamPosition::new(request.from_position);
    let most = if request.limit == 0 {
        u64::MAX
    } else {
        request.limit
    };
    let (sender, chunks) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let mut gather = Gather::new(sender);
        let read = read_stream(&app, &stream, (from, most), at, &mut gather);
        gather.end(read);
    });
    Ok(ReceiverStream::new(chunks))
}

/// Reads at most `most` events of a stream from a position on.
fn read_stream(
    app: &App,
    stream: &StreamName<Arc<str>>,
    (from, most): (StreamPosition, u64),
    at: TreeSize,
    gather: &mut Gather,
) -> Result<(), Refusal> {
    let view = app.view_at(at)?;
    let (mut next, mut left) = (Some(from), most);
    while let Some(position) = next.filter(|_| left > 0) {
        let size = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(CHUNK_EVENTS);
        let page = view.stream(stream, position, PageSize::of(size))?;
        left = left.saturating_sub(u64::try_from(page.events.len()).unwrap_or(u64::MAX));
        for event in &page.events {
            if gather.take(&stored(event)).is_break() {
                return Ok(());
            }
        }
        next = page.next;
    }
    Ok(())
}

/// An event of a page as it goes over the wire.
pub(crate) fn event_of(event: &Event) -> wire::Event {
    wire_event(&stored(event))
}

/// An event of a page as the segments give it.
fn stored(event: &Event) -> StoredEvent<'_> {
    let payload = match event.stored_payload() {
        Payload::None => StoredPayload::None,
        Payload::Present { salt, bytes } => StoredPayload::Present { salt: *salt, bytes },
        Payload::Erased { by } => StoredPayload::Erased { by: *by },
    };
    StoredEvent {
        index: event.index(),
        leaf: event.leaf(),
        payload,
    }
}

/// Collects events into messages.
struct Gather {
    sender: mpsc::Sender<Chunk>,
    events: Vec<wire::Event>,
    bytes: usize,
}

impl Gather {
    fn new(sender: mpsc::Sender<Chunk>) -> Self {
        Self {
            sender,
            events: Vec::with_capacity(CHUNK_EVENTS),
            bytes: 0,
        }
    }

    fn take(&mut self, event: &StoredEvent<'_>) -> ControlFlow<()> {
        self.bytes += event.leaf.len();
        if let StoredPayload::Present { bytes, .. } = event.payload {
            self.bytes += bytes.len();
        }
        self.events.push(wire_event(event));
        if self.events.len() < CHUNK_EVENTS && self.bytes < CHUNK_BYTES {
            return ControlFlow::Continue(());
        }
        self.flush()
    }

    /// Sends what was gathered; breaks off when nobody listens any more.
    fn flush(&mut self) -> ControlFlow<()> {
        self.bytes = 0;
        let events = std::mem::replace(&mut self.events, Vec::with_capacity(CHUNK_EVENTS));
        match self.sender.blocking_send(Ok(events)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn end(mut self, read: Result<(), Refusal>) {
        if !self.events.is_empty() && self.flush().is_break() {
            return;
        }
        if let Err(refusal) = read {
            self.sender.blocking_send(Err(refusal.into())).ok();
        }
    }
}

/// An event as it goes over the wire: one allocation for all three of its parts.
fn wire_event(event: &StoredEvent<'_>) -> wire::Event {
    let (salt, payload, erased) = match &event.payload {
        StoredPayload::Present { salt, bytes } => (salt.as_bytes().as_slice(), *bytes, false),
        StoredPayload::None => (&[][..], &[][..], false),
        StoredPayload::Erased { .. } => (&[][..], &[][..], true),
    };
    let mut all = BytesMut::with_capacity(event.leaf.len() + salt.len() + payload.len());
    all.extend_from_slice(event.leaf);
    all.extend_from_slice(salt);
    all.extend_from_slice(payload);
    let mut all: Bytes = all.freeze();
    let leaf = all.split_to(event.leaf.len());
    let salt = all.split_to(salt.len());
    wire::Event {
        leaf_index: event.index.get(),
        leaf,
        salt,
        payload: all,
        erased,
    }
}

/// The log from an index on, until the service ends: events, then the checkpoint that covers them.
pub(super) fn tail(
    app: &Arc<App>,
    from: LeafIndex,
) -> impl Stream<Item = Result<wire::TailResponse, Status>> + Send + use<> {
    let app = Arc::clone(app);
    futures_util::stream::unfold(Some((app, from)), |state| async move {
        let (app, from) = state?;
        match step(&app, from).await {
            Ok((answers, next)) => Some((
                futures_util::stream::iter(answers).map(Ok).boxed(),
                Some((app, next)),
            )),
            Err(status) => Some((
                futures_util::stream::once(async { Err(status) }).boxed(),
                None,
            )),
        }
    })
    .flatten()
}

/// What was published beyond `from`, once there is anything.
async fn step(
    app: &Arc<App>,
    from: LeafIndex,
) -> Result<(Vec<wire::TailResponse>, LeafIndex), Status> {
    let Some(published) = app.growing().holds(from).await else {
        let message = format!("the service is stopping: tail again from {from}");
        return Err(Refusal::new(Reason::Unavailable, message).into());
    };
    // At most one frame of messages at a time, so that a reader from far behind gets on.
    let most = u64::try_from(CHUNK_EVENTS * CHUNKS_IN_FLIGHT).unwrap_or(u64::MAX);
    let end = from.get().saturating_add(most).min(published.size.get());
    let range = LeafRange {
        start: from,
        end: LeafIndex::new(end),
    };
    let mut read = chunks(
        app,
        Span {
            range,
            at: published.size,
        },
    );
    let mut answers = Vec::new();
    while let Some(chunk) = read.next().await {
        answers.push(wire::TailResponse {
            events: chunk?,
            checkpoint: Bytes::new(),
        });
    }
    if let Some(last) = answers.last_mut() {
        last.checkpoint = checkpoint_of(&published)?;
    }
    Ok((answers, range.end))
}

/// An inclusion proof with the checkpoint, if the size is the newest.
pub(crate) fn inclusion(
    app: &App,
    index: LeafIndex,
    size: Option<TreeSize>,
) -> Result<wire::GetInclusionProofResponse, Refusal> {
    let published = app.ledger().published();
    let size = size.unwrap_or(published.size);
    let (leaf, proof) = app.view_at(size)?.prove_leaf(index)?;
    let newest = size == published.size;
    Ok(wire::GetInclusionProofResponse {
        leaf_index: index.get(),
        tree_size: size.get(),
        leaf_hash: Bytes::copy_from_slice(leaf.as_bytes()),
        hashes: wire_hashes(proof.hashes()),
        checkpoint: if newest {
            checkpoint_of(&published)?
        } else {
            Bytes::new()
        },
    })
}

/// A consistency proof with both roots.
pub(crate) fn consistency(
    app: &App,
    sizes: Growth<TreeSize>,
) -> Result<wire::GetConsistencyProofResponse, Refusal> {
    let published = app.ledger().published();
    let view = app.view_at(sizes.new)?;
    let proof = view.prove_consistency(sizes.old)?;
    let (old_root, new_root) = (app.view_at(sizes.old)?.tree_root()?, view.tree_root()?);
    let newest = sizes.new == published.size && published.checkpoint.is_some();
    Ok(wire::GetConsistencyProofResponse {
        old_size: sizes.old.get(),
        new_size: sizes.new.get(),
        old_root: Bytes::copy_from_slice(old_root.as_bytes()),
        new_root: Bytes::copy_from_slice(new_root.as_bytes()),
        hashes: wire_hashes(proof.hashes()),
        checkpoint: if newest {
            checkpoint_of(&published)?
        } else {
            Bytes::new()
        },
    })
}

/// Hashes as they go over the wire: one allocation for all of a proof's.
fn wire_hashes(hashes: &[NodeHash]) -> Vec<Bytes> {
    let mut all = BytesMut::with_capacity(hashes.len() * HASH_SIZE);
    for hash in hashes {
        all.extend_from_slice(hash.as_bytes());
    }
    let mut all = all.freeze();
    hashes.iter().map(|_| all.split_to(HASH_SIZE)).collect()
}
