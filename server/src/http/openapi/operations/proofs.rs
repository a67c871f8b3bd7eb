//! Sealed roots, nodes, bundles.

use super::Body::Required;
use super::Query::{Flag, Number};
use super::{Operation, PAGE_SIZE, PAGE_TOKEN, TREE_SIZE, get, post};
use crate::http::routes;

/// What stands under this tag.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get(
            "listProofs",
            routes::PROOFS,
            "List the sealed roots of a scan",
        )
        .query(&[PAGE_SIZE, PAGE_TOKEN, TREE_SIZE])
        .gives("Proofs"),
        get(
            "getProofStatus",
            routes::PROOF_STATUS,
            "Read how long proofs are kept",
        )
        .query(&[TREE_SIZE])
        .gives("stella.proof.v1.GetProofStatusResponse"),
        get("downloadBundle", routes::BUNDLE, "Download a proof bundle")
            .query(&[
                (
                    "include_chain",
                    Flag,
                    "Add the log's events of the computation.",
                ),
                ("include_anchors", Flag, "Add public keys."),
                ("include_inputs", Flag, "Add all inputs."),
                TREE_SIZE,
            ])
            .answers("200", "application/zip", "File", "The bundle."),
        post(
            "verifyProof",
            routes::VERIFY,
            "Verify a bundle on the server",
        )
        .body("Verification", Required)
        .gives("Report"),
        get(
            "listSealedProofs",
            routes::SEALED,
            "List the roots sealed in a period",
        )
        .query(&[
            ("from_unix_ms", Number, "First millisecond."),
            ("to_unix_ms", Number, "The millisecond after the last."),
            PAGE_SIZE,
            PAGE_TOKEN,
            TREE_SIZE,
        ])
        .gives("Proofs"),
        get(
            "getProofRoot",
            routes::ROOT,
            "Read a sealed root with its envelope",
        )
        .query(&[TREE_SIZE])
        .gives("stella.proof.v1.GetProofRootResponse"),
        get("getNode", routes::NODE, "Read a proof node")
            .query(&[TREE_SIZE])
            .gives("stella.proof.v1.GetNodeResponse"),
    ]
}
