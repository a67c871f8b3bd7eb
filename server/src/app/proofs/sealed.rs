//! The roots sealed in a period of time.

use super::{App, summary};
use crate::app::pages::page_size;
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use stella_ledger::LedgerError;
use stella_ledger::ledger::SealRecord;
use stella_ledger::log::{StoredEvent, StoredPayload};
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_verify::event::payload::RootSealed;
use stella_verify::event::{EventHeader, EventType};
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, UnixMillis};

/// Leaves that one page looks at, at most; a page may have fewer roots than it could.
const LEAVES_OF_PAGE: u64 = 1 << 20;

impl App {
    /// A page of the roots sealed from one time up to another, oldest first.
    ///
    /// Reads the leaves of that period from the log: there times never fall, so nothing is missed,
    /// and no projection has to be ready.
    pub(crate) fn sealed_between(
        &self,
        request: &wire::ListSealedProofsRequest,
    ) -> Result<wire::ListSealedProofsResponse, Refusal> {
        let [from, to] = [request.from_unix_ms, request.to_unix_ms].map(UnixMillis::new);
        if from >= to {
            return Err(Refusal::field("to_unix_ms", "is not after from_unix_ms"));
        }
        let period = [from, to].map(|time| time.get().to_string());
        let filters = period.each_ref().map(String::as_str);
        let listing = self.tokens.listing("ListSealedProofs", &filters);
        let (view, place) = self.paged_at(listing, &request.page_token, request.tree_size)?;
        let start = match place {
            Some(leaf) => LeafIndex::new(leaf),
            None => view.size_before(from)?.next_index(),
        };
        let end = view.size_before(to)?.next_index();
        let last = LeafIndex::new(start.get().saturating_add(LEAVES_OF_PAGE)).min(end);
        let range = LeafRange { start, end: last };
        let size = page_size(request.page_size).get();
        let (mut found, mut next, mut failed) = (Vec::new(), None, None);
        let read = self.ledger.log().visit(range, view.size(), |event| {
            if found.len() == size {
                next = Some(event.index.get());
                return ControlFlow::Break(());
            }
            match sealed(&event) {
                Ok(seal) => found.extend(seal.as_ref().map(summary)),
                Err(refusal) => {
                    failed = Some(refusal);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        read.map_err(LedgerError::from)?;
        if let Some(refusal) = failed {
            return Err(refusal);
        }
        let next = next.or_else(|| (last < end).then_some(last.get()));
        Ok(wire::ListSealedProofsResponse {
            proofs: found,
            next_page_token: self.page_token(listing, view.size(), next),
        })
    }
}

/// The seal that an event is; `None` for other events and for what was erased.
fn sealed(event: &StoredEvent<'_>) -> Result<Option<SealRecord>, Refusal> {
    let (Ok(header), StoredPayload::Present { bytes, .. }) =
        (EventHeader::decode(event.leaf), &event.payload)
    else {
        return Ok(None);
    };
    if header.event_type != EventType::ROOT_SEALED {
        return Ok(None);
    }
    let sealed = RootSealed::parse(bytes).map_err(|problem| {
        let message = format!("the seal at leaf {}: {problem}", event.index);
        Refusal::new(Reason::LogDamaged, message)
    })?;
    Ok(Some(SealRecord {
        leaf: event.index,
        time: header.time,
        sealed,
    }))
}
