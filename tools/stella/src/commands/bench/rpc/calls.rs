//! The calls that are measured.

use crate::commands::bench::append::Appends;
use crate::commands::bench::load::Request;
use crate::commands::bench::prove::mix;
use crate::failure::Failure;
use std::sync::Arc;
use stella_client::{Connection, ExportStream};
use stella_proto::audit as audit_wire;
use stella_proto::ledger as wire;
use stella_proto::proof::GetNodeRequest;

/// Connections that clients share.
#[derive(Debug, Clone)]
pub(super) struct Pool(Arc<[Connection]>);

impl Pool {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self(connections.into())
    }

    pub(super) fn of(&self, client: usize) -> Result<&Connection, Failure> {
        let connection = self.0.get(client % self.0.len().max(1));
        connection.ok_or_else(|| Failure::usage("no connections", "use one"))
    }
}

/// Durable appends.
pub(super) struct AppendCalls(Appends<Connection>);

impl AppendCalls {
    pub(super) fn new(pool: &Pool, batch: usize, payload: usize) -> Self {
        Self(Appends::new(pool.0.to_vec(), batch, payload))
    }
}

impl Request for AppendCalls {
    async fn send(&self, client: usize, n: u64) -> Result<(), Failure> {
        self.0.send(client, n).await
    }
}

/// Inclusion proofs at random indexes of one tree.
pub(super) struct ProofCalls {
    pool: Pool,
    size: u64,
}

impl ProofCalls {
    pub(super) fn new(pool: Pool, size: u64) -> Self {
        Self { pool, size }
    }
}

impl Request for ProofCalls {
    async fn send(&self, client: usize, n: u64) -> Result<(), Failure> {
        let request = wire::GetInclusionProofRequest {
            leaf_index: mix(n) % self.size.max(1),
            tree_size: Some(self.size),
        };
        let mut ledger = self.pool.of(client)?.ledger();
        ledger.get_inclusion_proof(request).await?;
        Ok(())
    }
}

/// Nodes by their ids.
pub(super) struct NodeCalls {
    pool: Pool,
    ids: Vec<String>,
}

impl NodeCalls {
    pub(super) fn new(pool: Pool, ids: Vec<String>) -> Self {
        Self { pool, ids }
    }
}

impl Request for NodeCalls {
    async fn send(&self, client: usize, n: u64) -> Result<(), Failure> {
        let count = u64::try_from(self.ids.len()).unwrap_or(u64::MAX).max(1);
        let place = usize::try_from(mix(n) % count).unwrap_or(0);
        let request = GetNodeRequest {
            node_id: self.ids.get(place).cloned().unwrap_or_default(),
            tree_size: None,
        };
        self.pool.of(client)?.proofs().get_node(request).await?;
        Ok(())
    }
}

/// Exports of one length, beginning at random indexes.
pub(super) struct ExportCalls {
    pool: Pool,
    size: u64,
    events: u64,
}

impl ExportCalls {
    pub(super) fn new(pool: Pool, size: u64, events: u64) -> Self {
        Self { pool, size, events }
    }
}

impl Request for ExportCalls {
    async fn send(&self, client: usize, n: u64) -> Result<(), Failure> {
        let start = mix(n) % (self.size - self.events + 1);
        let request = an_export(start, self.events);
        let mut export = ExportStream::start(self.pool.of(client)?, request).await?;
        while export.next().await?.is_some() {}
        Ok(())
    }
}

/// Asks for some events from an index on.
pub(super) fn an_export(start: u64, events: u64) -> audit_wire::ExportEventsRequest {
    audit_wire::ExportEventsRequest {
        from: Some(leaf(start)),
        to: Some(leaf(start + events)),
        resume: None,
    }
}

fn leaf(index: u64) -> audit_wire::ExportPoint {
    let point = audit_wire::export_point::Point::LeafIndex(index);
    audit_wire::ExportPoint { point: Some(point) }
}
