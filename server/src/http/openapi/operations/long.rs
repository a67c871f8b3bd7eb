//! Long work.

use super::Body::Required;
use super::Query::{Number, Text, Wait};
use super::{Operation, PAGE_SIZE, PAGE_TOKEN, get, post};
use crate::http::routes;

/// What stands under this tag.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("listBatches", routes::BATCH, "List batches of replays")
            .query(&[PAGE_SIZE, PAGE_TOKEN])
            .gives("BatchOperations"),
        post("startBatch", routes::BATCH, "Start a batch of replays")
            .body("Batch", Required)
            .answers(
                "202",
                "application/json",
                "BatchOperation",
                "The operation, which goes on.",
            ),
        get(
            "getBatch",
            routes::BATCH_OPERATION,
            "Read a batch and its results",
        )
        .query(&[
            (
                "page_size",
                Number,
                "Results, at most; 0 for 50, at most 1000.",
            ),
            PAGE_TOKEN,
        ])
        .gives("BatchOperation"),
        post("cancelBatch", routes::BATCH_CANCEL, "Cancel a batch").gives("BatchOperation"),
        get("listOperations", routes::OPERATIONS, "List long work")
            .query(&[
                ("filter", Text, "Empty, done=true or done=false."),
                PAGE_SIZE,
                PAGE_TOKEN,
            ])
            .gives("google.longrunning.ListOperationsResponse"),
        get(
            "waitOperation",
            routes::OPERATION_WAIT,
            "Wait until an operation is done",
        )
        .query(&[("timeout_ms", Wait, "How long to wait; 30000 when absent.")])
        .gives("google.longrunning.Operation"),
        get("getOperation", routes::OPERATION, "Read an operation")
            .gives("google.longrunning.Operation"),
        post(
            "cancelOperation",
            routes::OPERATION_CANCEL,
            "Cancel an operation",
        )
        .gives("google.longrunning.Operation"),
    ]
}
