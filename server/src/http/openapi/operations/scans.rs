//! Scans, their manifests and replays.

use super::Body::{Optional, Required};
use super::Query::{Flag, Number, Text};
use super::{Operation, PAGE_SIZE, PAGE_TOKEN, TREE_SIZE, get, post};
use crate::http::routes;

/// What stands under this tag.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("listScans", routes::SCANS, "List scans, newest first")
            .query(&[
                PAGE_SIZE,
                PAGE_TOKEN,
                (
                    "since_unix_ms",
                    Number,
                    "Only scans requested at or after this time.",
                ),
                ("artifact_digest", Text, "Only scans of this artifact."),
                (
                    "package",
                    Text,
                    "Only scans whose SBOM has this package, a purl.",
                ),
                TREE_SIZE,
            ])
            .gives("Scans"),
        post("submitScan", routes::SCANS, "Score an SBOM")
            .query(&[(
                "idempotent",
                Flag,
                "Whether a scan that exists is the answer.",
            )])
            .body("Submission", Required)
            .answers("201", "application/json", "SubmittedScan", "A new scan.")
            .answers(
                "200",
                "application/json",
                "SubmittedScan",
                "The scan that exists.",
            ),
        get("getScan", routes::SCAN, "Read a scan")
            .query(&[TREE_SIZE])
            .gives("stella.scan.v1.Scan"),
        get(
            "getManifest",
            routes::MANIFEST,
            "Read the manifest of a scan",
        )
        .query(&[
            ("root_hash", Text, "Root of one of its computations."),
            TREE_SIZE,
        ])
        .gives("stella.score.v1.GetManifestResponse"),
        post("replayScore", routes::REPLAY, "Replay a score")
            .body("Replay", Optional)
            .gives("Replayed"),
    ]
}
