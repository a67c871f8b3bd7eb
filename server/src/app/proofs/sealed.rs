//! The roots sealed in a period of time.

use super::{App, summary};
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use stella_ledger::LedgerError;
use stella_ledger::ledger::SealRecord;
use stella_ledger::log::StoredPayload;
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_verify::event::payload::RootSealed;
use stella_verify::event::{EventHeader, EventType};
use stella_verify::merkle::LeafRange;
use stella_verify::units::UnixMillis;

/// Roots in one answer.
const ROOTS_IN_ANSWER: usize = 256;

impl App {
    /// Hands out the roots sealed from one time up to another, oldest first, some at a time, until
    /// told to break.
    ///
    /// Reads the leaves of that period from the log: there times never fall, so nothing is missed,
    /// and no projection has to be ready.
    pub(crate) fn sealed_between(
        &self,
        (from, to): (UnixMillis, UnixMillis),
        mut send: impl FnMut(Vec<wire::ProofSummary>) -> ControlFlow<()>,
    ) -> Result<(), Refusal> {
        if from >= to {
            return Err(Refusal::field("to_unix_ms", "is not after from_unix_ms"));
        }
        let view = self.newest()?;
        let range = LeafRange {
            start: view.size_before(from)?.next_index(),
            end: view.size_before(to)?.next_index(),
        };
        let (mut found, mut failed) = (Vec::new(), None);
        let read = self.ledger.log().visit(range, view.size(), |event| {
            let Ok(header) = EventHeader::decode(event.leaf) else {
                return ControlFlow::Continue(());
            };
            let StoredPayload::Present { bytes, .. } = event.payload else {
                return ControlFlow::Continue(());
            };
            if header.event_type != EventType::ROOT_SEALED {
                return ControlFlow::Continue(());
            }
            match RootSealed::parse(bytes) {
                Ok(sealed) => found.push(summary(&SealRecord {
                    leaf: event.index,
                    time: header.time,
                    sealed,
                })),
                Err(problem) => {
                    let message = format!("the seal at leaf {}: {problem}", event.index);
                    failed = Some(Refusal::new(Reason::LogDamaged, message));
                    return ControlFlow::Break(());
                }
            }
            if found.len() < ROOTS_IN_ANSWER {
                return ControlFlow::Continue(());
            }
            send(std::mem::take(&mut found))
        });
        read.map_err(LedgerError::from)?;
        if let Some(refusal) = failed {
            return Err(refusal);
        }
        if !found.is_empty() {
            // Nothing comes after it, so it does not matter whether anybody listens.
            let _ = send(found);
        }
        Ok(())
    }
}
