//! Printing events.

use crate::at::At;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use stella_proto::ledger as wire;
use stella_verify::event::{EventHeader, RuleApplied};
use stella_verify::hash::{LeafHash, PayloadCommitment, Salt};
use stella_verify::merkle::leaf_hash;
use stella_verify::units::LeafIndex;
use tokio_stream::StreamExt as _;

/// Print events by leaf index, or of one stream
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Only events of this stream
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// First leaf index (with --stream: first position)
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u64,
    #[command(flatten)]
    at: At,
}

impl Events {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let tree_size = self.at.tree_size(session).await?;
        let mut client = session.connection().ledger();
        let mut rows = Vec::new();
        if let Some(stream) = self.stream {
            let request = wire::ReadStreamRequest {
                stream,
                from_position: self.from,
                limit: self.limit,
                tree_size,
            };
            let mut answers = client.read_stream(request).await?.into_inner();
            while let Some(answer) = answers.next().await {
                take(format, &answer?.events, &mut rows)?;
            }
        } else {
            let request = wire::ReadEventsRequest {
                from: self.from,
                limit: self.limit,
                tree_size,
            };
            let mut answers = client.read_events(request).await?.into_inner();
            while let Some(answer) = answers.next().await {
                take(format, &answer?.events, &mut rows)?;
            }
        }
        if format != Format::Jsonl {
            let columns = [
                "leafIndex",
                "time",
                "type",
                "stream",
                "position",
                "actor",
                "payloadBytes",
            ];
            output::documents(format, &rows, &columns)?;
        }
        Ok(0)
    }
}

/// Prints a run of events at once where lines are wanted, else keeps it for the table or array.
fn take(format: Format, events: &[wire::Event], rows: &mut Vec<Value>) -> Result<(), Failure> {
    for event in events {
        let row = event_json(event)?;
        match format {
            Format::Jsonl => output::text(&format!("{row}\n"))?,
            _ => rows.push(row),
        }
    }
    Ok(())
}

/// An event as programs read it; the payload must be what the leaf commits to.
pub(crate) fn event_json(event: &wire::Event) -> Result<Value, Failure> {
    let hash: LeafHash = leaf_hash(&event.leaf);
    let Ok(header) = EventHeader::decode(&event.leaf) else {
        // A foreign leaf of a bare log: bytes, and nothing to say about them.
        return Ok(json!({"leafIndex": event.leaf_index, "leafHash": hash.to_string()}));
    };
    if !event.erased {
        let salt = Salt::new(
            event
                .salt
                .as_ref()
                .try_into()
                .map_err(Failure::operational)?,
        );
        if PayloadCommitment::of(&salt, &event.payload) != header.payload {
            return Err(Failure::of(
                stella_proto::reason::Reason::VerificationFailed,
                format!(
                    "leaf {}: the payload is not what the leaf commits to",
                    event.leaf_index
                ),
            ));
        }
    }
    let payload = if event.erased {
        EventPayload::Erased
    } else {
        EventPayload::Present(&event.payload)
    };
    let index = LeafIndex::new(event.leaf_index);
    Ok(event_row(index, &event.leaf, &header, payload))
}

/// What is known of an event's payload.
#[derive(Debug, Clone, Copy)]
pub(super) enum EventPayload<'a> {
    /// It is the one that the leaf commits to.
    Present(&'a [u8]),
    /// A retention event took it away.
    Erased,
    /// It was not handed out.
    Withheld,
}

/// An event as programs read it.
pub(super) fn event_row(
    index: LeafIndex,
    leaf: &[u8],
    header: &EventHeader<'_>,
    payload: EventPayload<'_>,
) -> Value {
    let bytes = match payload {
        EventPayload::Present(bytes) => bytes,
        EventPayload::Erased | EventPayload::Withheld => &[],
    };
    let mut row = json!({
        "leafIndex": index.get(),
        "leafHash": leaf_hash(leaf).to_string(),
        "stream": header.stream.to_string(),
        "position": header.position.get(),
        "time": stella_verify::time::format_time(header.time).unwrap_or_default(),
        "actor": header.actor.to_string(),
        "type": header.event_type.to_string(),
        "erased": matches!(payload, EventPayload::Erased),
        "payloadBytes": bytes.len(),
        "payload": payload_json(bytes),
    });
    if let (Value::Object(members), EventPayload::Withheld) = (&mut row, payload) {
        members.insert("withheld".to_owned(), json!(true));
    }
    row
}

/// A payload as JSON where it is JSON or a rule application, else its size only.
fn payload_json(payload: &[u8]) -> Value {
    if let Ok(value) = serde_json::from_slice(payload) {
        return value;
    }
    let Ok(rule) = RuleApplied::decode(payload) else {
        return Value::Null;
    };
    json!({
        "computation": rule.computation.to_string(),
        "sequence": rule.sequence.get(),
        "node": serde_json::from_slice::<Value>(rule.node).unwrap_or_default(),
    })
}
