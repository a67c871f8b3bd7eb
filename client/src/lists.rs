//! What a ledger lists beside scans and batches.

use crate::pages::Place;
use crate::{Connection, ListedPolicy, ListedProof, ListedSnapshot, Pages, RetryPolicy};
use std::ops::Range;
use stella_proto::proof as proof_wire;
use stella_proto::snapshot as wire;
use stella_verify::event::payload::ScanId;
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::{TreeSize, UnixMillis};

/// Lists of snapshots, policies and proofs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lists {
    connection: Connection,
    policy: RetryPolicy,
}

impl Lists {
    /// Lists over a connection.
    #[must_use]
    pub fn new(connection: &Connection, policy: RetryPolicy) -> Self {
        Self {
            connection: connection.clone(),
            policy,
        }
    }

    /// Snapshots of a kind or of both, newest first, as of a tree.
    #[must_use]
    pub fn snapshots(
        &self,
        kind: Option<SnapshotKind>,
        at: Option<TreeSize>,
    ) -> Pages<ListedSnapshot> {
        let wire = self.connection.snapshots();
        let kind = match kind {
            None => wire::SnapshotKind::Unspecified,
            Some(SnapshotKind::Concelier) => wire::SnapshotKind::Concelier,
            Some(SnapshotKind::Excititor) => wire::SnapshotKind::Excititor,
        };
        let ask = move |place: Place| {
            let mut wire = wire.clone();
            let request = wire::ListSnapshotsRequest {
                page_size: place.size.get(),
                page_token: place.token,
                kind: kind.into(),
                tree_size: at.map(TreeSize::get),
            };
            async move {
                let answer = wire.list_snapshots(request).await?.into_inner();
                Ok((answer.snapshots, answer.next_page_token))
            }
        };
        Pages::new(&self.policy, ask, ListedSnapshot::read)
    }

    /// Registered policies, newest first, as of a tree.
    #[must_use]
    pub fn policies(&self, at: Option<TreeSize>) -> Pages<ListedPolicy> {
        let wire = self.connection.snapshots();
        let ask = move |place: Place| {
            let mut wire = wire.clone();
            let request = wire::ListPoliciesRequest {
                page_size: place.size.get(),
                page_token: place.token,
                tree_size: at.map(TreeSize::get),
            };
            async move {
                let answer = wire.list_policies(request).await?.into_inner();
                Ok((answer.policies, answer.next_page_token))
            }
        };
        Pages::new(&self.policy, ask, ListedPolicy::read)
    }

    /// The sealed roots of a scan, oldest first, as of a tree.
    #[must_use]
    pub fn proofs(&self, scan: &ScanId, at: Option<TreeSize>) -> Pages<ListedProof> {
        let (wire, scan) = (self.connection.proofs(), scan.clone());
        let ask = move |place: Place| {
            let mut wire = wire.clone();
            let request = proof_wire::ListProofsRequest {
                scan_id: scan.to_string(),
                tree_size: at.map(TreeSize::get),
                page_size: place.size.get(),
                page_token: place.token,
            };
            async move {
                let answer = wire.list_proofs(request).await?.into_inner();
                Ok((answer.proofs, answer.next_page_token))
            }
        };
        Pages::new(&self.policy, ask, ListedProof::read)
    }

    /// The roots sealed in a period, over all scans, oldest first, as of a tree.
    #[must_use]
    pub fn sealed(&self, period: Range<UnixMillis>, at: Option<TreeSize>) -> Pages<ListedProof> {
        let wire = self.connection.proofs();
        let ask = move |place: Place| {
            let mut wire = wire.clone();
            let request = proof_wire::ListSealedProofsRequest {
                from_unix_ms: period.start.get(),
                to_unix_ms: period.end.get(),
                page_size: place.size.get(),
                page_token: place.token,
                tree_size: at.map(TreeSize::get),
            };
            async move {
                let answer = wire.list_sealed_proofs(request).await?.into_inner();
                Ok((answer.proofs, answer.next_page_token))
            }
        };
        Pages::new(&self.policy, ask, ListedProof::read)
    }
}
