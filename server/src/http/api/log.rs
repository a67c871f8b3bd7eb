//! The log: proofs and events.

use super::query::Query;
use super::{answered, blocking};
use crate::App;
use crate::grpc::read;
use crate::http::answer::{self, Caching};
use crate::http::json::document;
use crate::refusal::Refusal;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use stella_ledger::ledger::PageSize;
use stella_verify::merkle::Growth;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize};

/// Bytes of events in one answer, at most; a page may have fewer events than it could.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Whether an answer that says its tree size itself stays as it is.
const fn pinned(size: Option<u64>) -> Caching {
    match size {
        Some(_) => Caching::ForEver,
        None => Caching::AskAgain,
    }
}

/// `GET .../ledger/leaves/{leaf_index}/inclusion`.
pub(super) async fn inclusion(
    State(app): State<Arc<App>>,
    Path(leaf_index): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["tree_size"])?;
    let size: Option<u64> = query.optional("tree_size")?;
    let leaf: u64 = (leaf_index.parse())
        .map_err(|_| Refusal::field("leaf_index", "is not a number in range"))?;
    let proof = blocking(&app, move |app| {
        read::inclusion(app, LeafIndex::new(leaf), size.map(TreeSize::new))
    })
    .await?;
    let name = "stella.ledger.v1.GetInclusionProofResponse";
    // The newest checkpoint stands in it only as long as it is the newest.
    let caching = pinned(size.filter(|_| proof.checkpoint.is_empty()));
    answered(name, &proof, caching, &headers)
}

/// `GET .../ledger/consistency`.
pub(super) async fn consistency(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["old_size", "new_size"])?;
    let old: u64 = query.number("old_size")?;
    let new: Option<u64> = query.optional("new_size")?;
    let proof = blocking(&app, move |app| {
        let newest = app.ledger().published().size;
        let sizes = Growth {
            old: TreeSize::new(old),
            new: new.map_or(newest, TreeSize::new),
        };
        read::consistency(app, sizes)
    })
    .await?;
    let name = "stella.ledger.v1.GetConsistencyProofResponse";
    let caching = pinned(new.filter(|_| proof.checkpoint.is_empty()));
    answered(name, &proof, caching, &headers)
}

/// `GET .../ledger/events`: a page, with the index at which the next one begins.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["from", "page_size", "tree_size"])?;
    let from = LeafIndex::new(query.number("from")?);
    let size = page_size(&query)?;
    let at: Option<u64> = query.optional("tree_size")?;
    let (events, next, tree) = blocking(&app, move |app| {
        let view = app.view_of(at)?;
        let page = view.events(from, size)?;
        let (events, cut) = within(page.items.iter().map(read::event_of).collect());
        let next = match cut {
            Some(first) => Some(first),
            None => page.next.map(LeafIndex::get),
        };
        Ok((events, next, view.size()))
    })
    .await?;
    page("next", (events, next, tree), &headers)
}

/// `GET .../ledger/streams/{stream}/events`: a page, with the position at which the next one begins.
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = ["from_position", "page_size", "tree_size"];
    let query = Query::read(query.as_deref(), &known)?;
    let from: u64 = query.number("from_position")?;
    let size = page_size(&query)?;
    let at: Option<u64> = query.optional("tree_size")?;
    let stream = stella_verify::event::StreamName::new(name)
        .map_err(|problem| Refusal::field("stream", problem))?;
    let (events, next, tree) = blocking(&app, move |app| {
        let view = app.view_of(at)?;
        let page = view.stream(&stream, StreamPosition::new(from), size)?;
        let (events, cut) = within(page.events.iter().map(read::event_of).collect());
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let next = match cut {
            Some(_) => Some(from.saturating_add(count)),
            None => page.next.map(StreamPosition::get),
        };
        Ok((events, next, view.size()))
    })
    .await?;
    page("nextPosition", (events, next, tree), &headers)
}

/// As many of the events as one answer holds, at least one, and the index of the first left out.
fn within(
    mut events: Vec<stella_proto::ledger::Event>,
) -> (Vec<stella_proto::ledger::Event>, Option<u64>) {
    let (mut bytes, mut fit) = (0, 0);
    for event in &events {
        bytes += event.leaf.len() + event.payload.len();
        if bytes > PAGE_BYTES && fit > 0 {
            break;
        }
        fit += 1;
    }
    let cut = events.get(fit).map(|event| event.leaf_index);
    events.truncate(fit);
    (events, cut)
}

fn page(
    next_name: &str,
    (events, next, tree): (Vec<stella_proto::ledger::Event>, Option<u64>, TreeSize),
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let events = events
        .iter()
        .map(|event| document("stella.ledger.v1.Event", event).map(Value::Object))
        .collect::<Result<Vec<_>, _>>()?;
    let mut members = Map::new();
    members.insert("events".to_owned(), json!(events));
    members.insert("treeSize".to_owned(), json!(tree.get()));
    if let Some(next) = next {
        members.insert(next_name.to_owned(), json!(next));
    }
    // Payloads can be erased: even a pinned page is asked for again.
    answer::json(members, Caching::AskAgain, headers)
}

fn page_size(query: &Query) -> Result<PageSize, Refusal> {
    let asked: u32 = query.number("page_size")?;
    Ok(PageSize::of(usize::try_from(asked).unwrap_or(usize::MAX)))
}
