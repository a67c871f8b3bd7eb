//! Every bound of the store on what it is asked to keep: the constant, its unit and its reason.

use std::time::Duration;
use stella_verify::limits::{MAX_LEAF_BYTES, MAX_PAYLOAD_BYTES, MAX_TILE_ENTRY_BYTES};

/// Bytes of a segment file by default: large enough that creating one is rare, small enough that
/// verifying the last two at every open takes well under a second.
pub const DEFAULT_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Smallest segment file, in bytes; for tests of what happens between segments.
pub const MIN_SEGMENT_BYTES: u64 = 64 * 1024;

/// Largest segment file, in bytes: block numbers inside a segment fit u32 with much room.
pub const MAX_SEGMENT_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Events in one append request. A computation of a million nodes is a hundred requests.
pub const MAX_REQUEST_EVENTS: usize = 16_384;

/// Leaves, salts and payloads of one append request, in bytes. A request never spans frames, so
/// this also bounds what a reader must hold to check one frame.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Names (manifests, blobs, ...) that one request may record or require.
pub const MAX_REQUEST_NAMES: usize = 16_384;

/// Bytes of one frame after which the sequencer leaves further requests to the next frame: past a
/// few MiB the sync's cost is spread thin already, and waiting writers see only latency.
pub const FRAME_TARGET_BYTES: usize = 4 * 1024 * 1024;

/// Zeros written behind a small frame, with it, up to the next multiple of so many blocks of 4 KiB. A
/// lone append that pays for them should still be answered within a millisecond; the more there are,
/// the fewer pay.
pub const ZEROS_AHEAD_BLOCKS: u32 = 32;

/// Largest frame that zeros are written behind, in blocks: one that leaves room for another.
pub const SMALL_FRAME_BLOCKS: u32 = ZEROS_AHEAD_BLOCKS / 2;

/// Events in one frame: the target for tiny events.
pub const FRAME_TARGET_EVENTS: usize = 65_536;

/// Largest signed checkpoint inside a frame, in bytes: the note's three lines and a signature line
/// for each log key during a rotation.
pub const MAX_CHECKPOINT_BYTES: usize = 4 * 1024;

/// Bytes of requests that may wait for the sequencer; past it an append is refused as busy.
pub const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// Longest client-chosen request id, in bytes.
pub const MAX_REQUEST_ID_BYTES: usize = 255;

/// Leaves that one retention event may name: its payload lists them in decimal.
pub const MAX_ERASED_LEAVES: usize = 16_384;

/// Events returned by one owned read; larger ranges are visited instead.
pub const MAX_OWNED_READ_EVENTS: u64 = 65_536;

/// How long a request id is remembered as "the same request", in milliseconds: 7 days.
pub const DEFAULT_REQUEST_WINDOW_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;

const _: () = assert!(MAX_REQUEST_BYTES > MAX_LEAF_BYTES + MAX_PAYLOAD_BYTES + 32);
const _: () = assert!(MAX_REQUEST_BYTES > MAX_TILE_ENTRY_BYTES);
const _: () = assert!(FRAME_TARGET_BYTES <= MAX_REQUEST_BYTES);
const _: () = assert!(MIN_SEGMENT_BYTES.is_multiple_of(4096));
const _: () = assert!(MAX_ERASED_LEAVES * 21 < MAX_PAYLOAD_BYTES);

// --- The index, the blobs and the facade. ---

/// Leaves of one window of the index: what is held in memory until it is written as a whole, and
/// what is folded again at every open (a few tens of milliseconds). A multiple of a hash tile.
pub const INDEX_WINDOW_LEAVES: u64 = 16 * 1024;

/// Leaves that are digested as one piece of work while the index catches up. A frame that reaches
/// into two steps is read for both, so a step is longer than most frames.
pub const INDEX_STEP_LEAVES: u64 = 8 * 1024;

/// Keys in one batch for the store below the index. Batches of thousands of keys took gigabytes of
/// memory (facts: 2,000 keys, 2.4 GB at 1 million events; at most 256 keys, 0.73 GB).
pub const INDEX_BATCH_KEYS: usize = 256;

/// Bytes of keys and values in one batch for the store below the index.
pub const INDEX_BATCH_BYTES: usize = 1024 * 1024;

/// Largest value that the index stores, in bytes. Sixteen of them make a page of the store, and a
/// page above a quarter of [`SLED_SEGMENT_BYTES`] would be written to a file that is never synced.
pub const INDEX_CHUNK_BYTES: usize = 64 * 1024;

/// Segment size of the store below the index, in bytes.
pub const SLED_SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// How long opening the store below the index may take before it counts as damaged.
pub const INDEX_OPEN_TIMEOUT: Duration = Duration::from_mins(2);

/// Entries in one block of a posting run: 4 KiB, what one lookup reads.
pub const POSTING_BLOCK_ENTRIES: usize = 512;

/// Memory for pages of the store below the index, in bytes, unless configured.
pub const DEFAULT_INDEX_CACHE_BYTES: u64 = 128 * 1024 * 1024;

const _: () = assert!(INDEX_WINDOW_LEAVES.is_multiple_of(INDEX_STEP_LEAVES));
const _: () = assert!(INDEX_STEP_LEAVES.is_multiple_of(stella_verify::limits::TILE_WIDTH as u64));
const _: () = assert!(17 * INDEX_CHUNK_BYTES < SLED_SEGMENT_BYTES / 4);

/// Hash tiles above the lowest level that are kept in memory: 11 MB, enough for 67 million leaves.
pub const MAX_UPPER_TILES: usize = 1024;

/// How many leaves closing the index folds at most: a fraction of a second.
pub const INDEX_LAST_LEAVES: u64 = 4 * INDEX_WINDOW_LEAVES;

/// How long the log must be quiet before the unfinished window is written to the store.
pub const INDEX_QUIET: Duration = Duration::from_secs(1);

/// How long the index waits after a failure before it tries again.
pub const INDEX_RETRY: Duration = Duration::from_secs(1);

/// Items on one page of a listing, at most.
pub const MAX_PAGE_ITEMS: usize = 500;

/// Items on one page of a listing when none are asked for.
pub const DEFAULT_PAGE_ITEMS: usize = 50;
