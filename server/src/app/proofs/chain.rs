//! What a bundle carries besides: the log's own record of the computation, and public keys.

use super::{App, internal};
use crate::app::WAIT;
use crate::app::scans::ScanState;
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use stella_ledger::ledger::SealRecord;
use stella_proto::reason::Reason;
use stella_verify::bundle::{
    ANCHOR_LOG_FILE, ANCHORS_FOLDER, CHAIN_EXPORT_FILE, CHAIN_SEALS_FOLDER, ChainSeal,
};
use stella_verify::event::EventHeader;
use stella_verify::hash::to_hex;
use stella_verify::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_ENTRIES};
use stella_verify::merkle::LeafRange;
use stella_verify::units::LeafIndex;
use stella_verify::zip::ZipEntry;

/// Entries of a bundle that are neither its five files nor the chain's seals: an export, a few keys.
const OTHER_ENTRIES: usize = 64;

/// A further entry of a bundle.
pub(super) struct Further {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

impl Further {
    pub(super) fn entry(&self) -> ZipEntry<'_> {
        ZipEntry {
            name: &self.name,
            content: &self.content,
        }
    }
}

impl App {
    /// `chain/`: the export of the computation's events, and the scan's earlier seals. A later one
    /// is not part of how this root came to be, and would make the bundle's bytes depend on when it
    /// is downloaded; it has a chain of its own, which holds this one.
    pub(super) fn chain(
        &self,
        state: &ScanState,
        seal: &SealRecord,
    ) -> Result<Vec<Further>, Refusal> {
        let others = state.seals.iter().filter(|other| other.leaf < seal.leaf);
        let mut chain = vec![Further {
            name: CHAIN_EXPORT_FILE.to_owned(),
            content: self.computation_export(seal)?,
        }];
        for other in others.take(MAX_BUNDLE_ENTRIES - OTHER_ENTRIES) {
            let name = to_hex(other.sealed.root.as_bytes());
            chain.push(Further {
                name: format!("{CHAIN_SEALS_FOLDER}{name}.json"),
                content: self.chain_seal(seal, other)?.to_bytes(),
            });
        }
        Ok(chain)
    }

    /// The leaves from the first node to the seal, under the checkpoint of the commit that sealed
    /// them. Payloads of others that stand between are withheld.
    fn computation_export(&self, seal: &SealRecord) -> Result<Vec<u8>, Refusal> {
        let range = LeafRange {
            start: seal.sealed.first_leaf,
            end: LeafIndex::new(seal.leaf.get().saturating_add(1)),
        };
        let manifest = to_hex(seal.sealed.manifest.as_bytes());
        let stream = format!("computation/{manifest}");
        let mut export = self.closed_header(range)?.to_bytes().map_err(internal)?;
        let mut whole = true;
        let ours = |leaf: &[u8]| {
            EventHeader::decode(leaf).is_ok_and(|header| header.stream.as_str() == stream)
        };
        self.export_body(
            range,
            range.start,
            |event| event.index == seal.leaf || ours(event.leaf),
            |piece| {
                whole =
                    export.len() + piece.entries.len() + piece.payloads.len() <= MAX_BUNDLE_BYTES;
                if !whole {
                    return ControlFlow::Break(());
                }
                export.extend_from_slice(&piece.entries);
                export.extend_from_slice(&piece.payloads);
                ControlFlow::Continue(())
            },
        )?;
        if whole {
            return Ok(export);
        }
        let message = "the chain of this computation is larger than a bundle may be: export the \
                       range of the log instead";
        Err(Refusal::new(Reason::TooLarge, message))
    }

    /// Another seal of the scan, and that its tree and this seal's are of one log.
    fn chain_seal(&self, seal: &SealRecord, other: &SealRecord) -> Result<ChainSeal, Refusal> {
        let size = |leaf| {
            let commit = self.ledger.log().commit_of(leaf);
            commit.map_err(stella_ledger::LedgerError::from)
        };
        let (own, theirs) = (size(seal.leaf)?.size, size(other.leaf)?.size);
        let (old, new) = (own.min(theirs), own.max(theirs));
        Ok(ChainSeal {
            seal: self.seal_event(other)?,
            tlog_proof: self.seal_proof(other)?,
            consistency: self.ledger.at(new, WAIT)?.prove_consistency(old)?,
        })
    }

    /// `anchors/`: the keys that signed this proof, as recorded then, and the log's.
    pub(super) fn anchors(&self, seal: &SealRecord) -> Result<Vec<Further>, Refusal> {
        let mut anchors = vec![Further {
            name: ANCHOR_LOG_FILE.to_owned(),
            content: format!("{}\n", self.vkey).into_bytes(),
        }];
        for key in self.signatures(seal)?.public_keys {
            anchors.push(Further {
                name: format!("{ANCHORS_FOLDER}{}.pem", key.id()),
                content: key.to_pem().into_bytes(),
            });
        }
        Ok(anchors)
    }
}
