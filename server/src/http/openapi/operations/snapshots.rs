//! Snapshots and policies.

use super::Body::Required;
use super::Query::{Flag, Text, Word};
use super::{Operation, PAGE_SIZE, PAGE_TOKEN, TREE_SIZE, delete, get, post};
use crate::http::routes;

/// What stands under this tag.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("listSnapshots", routes::SNAPSHOTS, "List snapshots")
            .query(&[
                ("kind", Word, "Only of this kind: concelier or excititor."),
                PAGE_SIZE,
                PAGE_TOKEN,
                TREE_SIZE,
            ])
            .gives("Snapshots"),
        get("getSnapshot", routes::SNAPSHOT, "Read a snapshot")
            .query(&[TREE_SIZE])
            .gives("stella.snapshot.v1.GetSnapshotResponse"),
        delete(
            "removeSnapshot",
            routes::SNAPSHOT,
            "Remove a snapshot that nothing needs",
        )
        .gives("stella.snapshot.v1.RemoveSnapshotResponse"),
        post(
            "publishSnapshot",
            routes::SNAPSHOT_PUBLISH,
            "Publish a snapshot",
        )
        .gives("stella.snapshot.v1.Snapshot"),
        get(
            "diffSnapshots",
            routes::SNAPSHOT_DIFF,
            "Compare two snapshots",
        )
        .query(&[
            ("scan_id", Text, "Only rows that this scan uses."),
            TREE_SIZE,
        ])
        .gives("stella.snapshot.v1.DiffSnapshotsResponse"),
        get(
            "proveSnapshot",
            routes::SNAPSHOT_PROOF,
            "Prove what a snapshot holds",
        )
        .query(&[
            ("purl", Text, "All rows of this package."),
            ("vulnerability", Text, "All rows of this id."),
            ("entry", Text, "One row."),
            ("with_records", Flag, "Whether records stand in the proof."),
            TREE_SIZE,
        ])
        .gives("SnapshotProof"),
        get("listPolicies", routes::POLICIES, "List policies")
            .query(&[PAGE_SIZE, PAGE_TOKEN, TREE_SIZE])
            .gives("stella.snapshot.v1.ListPoliciesResponse"),
        post("registerPolicy", routes::POLICIES, "Register a policy")
            .body("Policy", Required)
            .written_as("text/plain")
            .gives("stella.snapshot.v1.RegisterPolicyResponse"),
        get("getPolicy", routes::POLICY, "Read a policy")
            .query(&[TREE_SIZE])
            .gives("stella.snapshot.v1.GetPolicyResponse"),
        post("publishPolicy", routes::POLICY_PUBLISH, "Publish a policy")
            .gives("stella.snapshot.v1.Policy"),
    ]
}
