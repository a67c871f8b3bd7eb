//! Every bound on bytes from outside, in one place: the constant, its unit and its reason.
//!
//! Bounds are checked before anything is allocated for the thing they bound. Relations between
//! bounds are asserted at compile time at the end of this file.

/// Largest event leaf, in bytes. tlog-tiles prefixes an entry with a u16 length, so 65,535 is the
/// format's own end; a header has no reason to come near it, payloads stand outside the leaf.
pub const MAX_LEAF_BYTES: usize = 8 * 1024;

/// Largest entry a *foreign* log may put in an entry bundle (tlog-tiles, "Log entries").
pub const MAX_TILE_ENTRY_BYTES: usize = 65_535;

/// Largest payload of one event, in bytes. Inputs are blobs; an event carries facts and hashes.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Longest name of a stream, event type, actor, principal or log origin, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 255;

/// Hashes in a log inclusion or consistency proof: a tree of 2^63 leaves needs no more.
pub const MAX_PROOF_HASHES: usize = 63;

/// Most leaves a tree of ours may have: beyond it neither a proof's 63 hashes nor foreign tools'
/// signed 64-bit sizes suffice.
pub const MAX_TREE_SIZE: u64 = 1 << 63;

/// Leaves in a full hash tile or entry bundle (tlog-tiles).
pub const TILE_WIDTH: usize = 256;

/// Signature lines on one note (signed-note leaves it open; torchwood and sumdb stop at 100).
pub const MAX_NOTE_SIGNATURES: usize = 100;

/// Largest signed note, in bytes (signed-note, "a verifier SHOULD limit").
pub const MAX_NOTE_BYTES: usize = 1_000_000;

/// Deepest nesting of JSON that is parsed.
pub const MAX_JSON_DEPTH: usize = 64;

/// Deepest nesting inside the `in` or `out` of a proof node: facts are flat. Such a node still nests
/// within [`MAX_JSON_DEPTH`] where it is a member of something else.
pub const MAX_FACT_DEPTH: usize = 16;

/// Largest JSON document that is canonicalised and hashed, in bytes.
pub const MAX_CANONICAL_JSON_BYTES: usize = 256 * 1024 * 1024;

/// Largest DSSE envelope, in bytes: the largest SBOMs that are attested take a third of it, and every
/// signature hashes the payload once for every trusted key.
pub const MAX_ENVELOPE_BYTES: usize = 64 * 1024 * 1024;

/// Signatures on one DSSE envelope.
pub const MAX_ENVELOPE_SIGNATURES: usize = 64;

/// Largest PEM of one key, in bytes: an 8192-bit RSA key takes 1,600, the rest is white space.
pub const MAX_KEY_PEM_BYTES: usize = 16 * 1024;

/// Proof nodes in one computation: 10,000 components with 20 rule applications each, and room.
pub const MAX_NODES_PER_COMPUTATION: usize = 1_000_000;

/// Entries in a bundle's ZIP archive.
pub const MAX_BUNDLE_ENTRIES: usize = 4_096;

/// Largest bundle archive, in bytes: the format has no ZIP64, and an offset must fit u32.
pub const MAX_BUNDLE_BYTES: usize = 1024 * 1024 * 1024;

/// Largest header of an audit export, in bytes: two notes, each byte of which JSON may write as six,
/// and the hashes of two proofs.
pub const MAX_EXPORT_HEADER_BYTES: usize = 12 * MAX_NOTE_BYTES + 64 * 1024;

/// Hashes of a range proof: those of an inclusion path on either side.
pub const MAX_RANGE_HASHES: usize = 2 * MAX_PROOF_HASHES;

/// Largest entries section of an entry bundle in an export, in bytes.
pub const MAX_EXPORT_ENTRIES_BYTES: usize = TILE_WIDTH * (2 + MAX_LEAF_BYTES);

/// Longest name of a bundle entry, in bytes.
pub const MAX_BUNDLE_NAME_BYTES: usize = 255;

/// Largest proof of what a snapshot holds, in bytes: thousands of rows with their records.
pub const MAX_SNAPSHOT_PROOF_BYTES: usize = 64 * 1024 * 1024;

/// Questions that one such proof answers: a package of a distribution may stand under many releases.
pub const MAX_SNAPSHOT_PROOF_ANSWERS: usize = 256;

const _: () = assert!(MAX_SNAPSHOT_PROOF_BYTES <= MAX_CANONICAL_JSON_BYTES);
const _: () = assert!(MAX_LEAF_BYTES <= MAX_TILE_ENTRY_BYTES);
const _: () = assert!(MAX_BUNDLE_BYTES <= u32::MAX as usize);
const _: () = assert!(4 * MAX_NAME_BYTES + 128 <= MAX_LEAF_BYTES);
const _: () = assert!(MAX_FACT_DEPTH + 8 <= MAX_JSON_DEPTH);
const _: () = assert!(MAX_ENVELOPE_BYTES <= MAX_CANONICAL_JSON_BYTES);
