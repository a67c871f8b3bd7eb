//! What must be in a log before it can be measured.

use crate::commands::bench::append::Appends;
use crate::commands::bench::load::Request as _;
use crate::commands::quickstart;
use crate::failure::Failure;
use futures_util::StreamExt as _;
use stella_client::Connection;
use stella_proto::ledger as wire;
use stella_proto::proof::ListSealedProofsRequest;
use stella_proto::reason::Reason;
use stella_verify::event::RuleApplied;

/// Events in a request while the log is filled.
const FILL_BATCH: usize = 1000;

/// Such requests under way at once.
const FILL_IN_FLIGHT: usize = 8;

/// Node ids that are asked for, at most.
const MOST_NODES: usize = 100_000;

/// Appends until the log has `leaves` events; answers how many it has.
pub(super) async fn fill(
    connection: &Connection,
    leaves: u64,
    payload: usize,
) -> Result<u64, Failure> {
    let batch = u64::try_from(FILL_BATCH).unwrap_or(u64::MAX);
    let filler = Appends::new(vec![connection.clone()], FILL_BATCH, payload);
    loop {
        let request = wire::GetCheckpointRequest { at_least: None };
        let size = connection.ledger().get_checkpoint(request).await;
        let size = match size {
            Ok(answer) => answer.into_inner().tree_size,
            // A log without events has no checkpoint yet.
            Err(status)
                if stella_client::ClientError::from(status.clone())
                    .meaning()
                    .exit
                    == 5 =>
            {
                0
            }
            Err(status) => return Err(status.into()),
        };
        if size >= leaves.max(1) {
            return Ok(size);
        }
        let missing = (leaves.max(1) - size).div_ceil(batch);
        let requests = tokio_stream::iter(0..missing).map(|n| filler.send(0, n));
        let mut answers = requests.buffer_unordered(FILL_IN_FLIGHT);
        while let Some(answer) = answers.next().await {
            answer?;
        }
    }
}

/// Ids of the nodes of sealed computations; a log of our own gets an example's first.
pub(super) async fn nodes(connection: &Connection, own: bool) -> Result<Vec<String>, Failure> {
    let mut ids = recorded(connection).await?;
    if ids.is_empty() && own {
        quickstart::score_example(connection).await?;
        ids = recorded(connection).await?;
    }
    if ids.is_empty() {
        let message = "no score is sealed in this ledger: there are no nodes to read";
        return Err(Failure::of(Reason::NotFound, message)
            .hint("submit a scan first, or leave `node` out of --kinds"));
    }
    Ok(ids)
}

async fn recorded(connection: &Connection) -> Result<Vec<String>, Failure> {
    let mut request = ListSealedProofsRequest {
        to_unix_ms: u64::try_from(i64::MAX).unwrap_or(u64::MAX),
        ..ListSealedProofsRequest::default()
    };
    let mut ids = Vec::new();
    loop {
        let mut proofs = connection.proofs();
        let page = proofs.list_sealed_proofs(request.clone()).await?;
        let page = page.into_inner();
        for proof in page.proofs {
            let hex = proof.manifest_hash.trim_start_matches("sha256:");
            read(connection, format!("computation/{hex}"), &mut ids).await?;
            if ids.len() >= MOST_NODES {
                return Ok(ids);
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(ids);
        }
        request.page_token = page.next_page_token;
    }
}

async fn read(
    connection: &Connection,
    stream: String,
    ids: &mut Vec<String>,
) -> Result<(), Failure> {
    let request = wire::ReadStreamRequest {
        stream,
        ..wire::ReadStreamRequest::default()
    };
    let mut answers = connection.ledger().read_stream(request).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        for event in answer.events {
            let applied = RuleApplied::decode(&event.payload).map_err(Failure::operational)?;
            ids.push(applied.node_id().to_string());
        }
    }
    Ok(())
}
