//! The log: checkpoints, proofs, events, exports.

use super::Query::Number;
use super::{Operation, PAGE_SIZE, TREE_SIZE, get};
use crate::http::routes;

/// What stands under this tag.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(
            "getInclusionProof",
            routes::INCLUSION,
            "Prove that a leaf is in the log",
        )
        .query(&[TREE_SIZE])
        .gives("stella.ledger.v1.GetInclusionProofResponse"),
        get(
            "getConsistencyProof",
            routes::CONSISTENCY,
            "Prove that the log only grew",
        )
        .query(&[
            ("old_size", Number, "Size of the earlier tree."),
            (
                "new_size",
                Number,
                "Size of the later tree; the newest when absent.",
            ),
        ])
        .gives("stella.ledger.v1.GetConsistencyProofResponse"),
        get("readEvents", routes::EVENTS, "Read events by index")
            .query(&[("from", Number, "First index."), PAGE_SIZE, TREE_SIZE])
            .gives("Events"),
        get("readStream", routes::STREAM, "Read the events of a stream")
            .query(&[
                ("from_position", Number, "First position."),
                PAGE_SIZE,
                TREE_SIZE,
            ])
            .gives("Events"),
        get("exportEvents", routes::EXPORT, "Export a range of the log")
            .query(&[
                ("from_index", Number, "First leaf."),
                ("from_unix_ms", Number, "Or the first time."),
                ("to_index", Number, "The leaf after the last."),
                ("to_unix_ms", Number, "Or the time after the last."),
            ])
            .answers("200", "application/octet-stream", "File", "The export."),
        get(
            "getCheckpoint",
            "/checkpoint",
            "Read the newest signed checkpoint",
        )
        .answers("200", "text/plain", "Note", "The note."),
        get(
            "getTile",
            "/tile/{path}",
            "Read a tile, as C2SP tlog-tiles has them",
        )
        .answers("200", "application/octet-stream", "File", "The tile."),
    ]
}
