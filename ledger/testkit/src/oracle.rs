//! The one judge of a log: whatever happened before, this must hold.
//!
//! * every acknowledged event is at its index, with its stream, position and payload;
//! * every checkpoint that left the process is a prefix of the log, and signed by its key;
//! * `fsck` finds nothing.

use crate::fixture;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use stella_ledger::log::{
    CheckpointVerifier as _, EventLog, OwnedPayload, Published, Receipt, StoredPayload,
};
use stella_verify::event::EventHeader;
use stella_verify::merkle::{Frontier, LeafRange, leaf_hash};
use stella_verify::units::{LeafIndex, TreeSize};

/// A promise that was broken.
#[derive(Debug)]
pub struct Violation(pub String);

impl<E: std::error::Error> From<E> for Violation {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// An event as its writer remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The stream it was sent to.
    pub stream: String,
    /// What it said.
    pub payload: Vec<u8>,
}

/// Everything the log promised to anyone.
#[derive(Debug, Default, Clone)]
pub struct Witness {
    acknowledged: BTreeMap<LeafIndex, Remembered>,
    erased: Vec<LeafIndex>,
    published: BTreeMap<TreeSize, Arc<Published>>,
}

impl Witness {
    /// Remembers events acknowledged at these indexes.
    #[must_use]
    pub fn of(acknowledged: &[(LeafIndex, Remembered)]) -> Self {
        Self {
            acknowledged: acknowledged.iter().cloned().collect(),
            ..Self::default()
        }
    }

    /// Remembers an acknowledged request.
    pub fn acknowledge(&mut self, receipt: &Receipt, events: &[Remembered]) {
        let mut index = receipt.first;
        for event in events {
            self.acknowledged.insert(index, event.clone());
            index = LeafIndex::new(index.get() + 1);
        }
        self.see(&receipt.published);
    }

    /// Remembers a published state that left the process.
    pub fn see(&mut self, published: &Arc<Published>) {
        self.published.insert(published.size, Arc::clone(published));
    }

    /// Remembers that a payload was erased.
    pub fn erase(&mut self, leaf: LeafIndex) {
        self.erased.push(leaf);
    }

    /// How many events were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Judges an open log.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn judge(&self, log: &EventLog) -> Result<(), Violation> {
        self.judge_tree(log)?;
        self.judge_events(log)?;
        let report = log.fsck(None, &mut |_| ControlFlow::Continue(()))?;
        if let Some(damage) = report.damage.first() {
            return Err(Violation(format!("fsck: {damage}")));
        }
        if report.size != log.published().size {
            return Err(Violation(format!(
                "fsck saw {} leaves of {}",
                report.size,
                log.published().size
            )));
        }
        Ok(())
    }

    /// Recomputes the tree from the leaves and compares every published root.
    fn judge_tree(&self, log: &EventLog) -> Result<(), Violation> {
        let latest = log.published();
        let mut tree = Frontier::new();
        let mut expected = self.published.clone();
        expected.insert(latest.size, Arc::clone(&latest));
        let mut wrong = check_root(&expected, &tree);
        let all = LeafRange {
            start: LeafIndex::ZERO,
            end: latest.size.next_index(),
        };
        log.visit(all, latest.size, |event| {
            tree.push(leaf_hash(event.leaf));
            wrong = wrong.take().or_else(|| check_root(&expected, &tree));
            ControlFlow::Continue(())
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        for size in expected.keys() {
            if *size > latest.size {
                return Err(Violation(format!(
                    "size {size} was published, the log has {}",
                    latest.size
                )));
            }
        }
        // One signature a time: verifying all again at every step would take most of the time.
        // `judge_signatures` does that.
        match &latest.checkpoint {
            Some(note) => verify(note),
            None => Ok(()),
        }
    }

    /// Verifies the signature of every checkpoint that left and of every one that is stored.
    ///
    /// # Errors
    /// The first [`Violation`].
    pub fn judge_signatures(&self, log: &EventLog) -> Result<(), Violation> {
        for published in self.published.values() {
            if let Some(note) = &published.checkpoint {
                verify(note)?;
            }
        }
        let verifier = fixture::verifier().map_err(|error| Violation(error.0))?;
        let report = log.fsck(Some(&verifier), &mut |_| ControlFlow::Continue(()))?;
        match report.damage.first() {
            Some(damage) => Err(Violation(format!("fsck: {damage}"))),
            None => Ok(()),
        }
    }

    fn judge_events(&self, log: &EventLog) -> Result<(), Violation> {
        let size = log.published().size;
        for (index, event) in &self.acknowledged {
            if !size.contains(*index) {
                return Err(Violation(format!("acknowledged leaf {index} is missing")));
            }
            let stored = log.get(*index)?;
            let header = EventHeader::decode(&stored.leaf)?;
            if header.stream.as_str() != event.stream {
                return Err(Violation(format!("leaf {index} is another event")));
            }
            let good = match &stored.payload {
                OwnedPayload::Present { bytes, .. } => {
                    *bytes == event.payload && !self.erased.contains(index)
                }
                OwnedPayload::Erased { .. } => self.erased.contains(index),
                OwnedPayload::None => false,
            };
            if !good {
                return Err(Violation(format!("leaf {index} has another payload")));
            }
        }
        Ok(())
    }
}

fn verify(note: &str) -> Result<(), Violation> {
    let origin = fixture::origin().map_err(|error| Violation(error.0))?;
    let verifier = fixture::verifier().map_err(|error| Violation(error.0))?;
    verifier.verify(&origin, note).map_err(Violation)
}

fn check_root(expected: &BTreeMap<TreeSize, Arc<Published>>, tree: &Frontier) -> Option<Violation> {
    let published = expected.get(&tree.size())?;
    let same = published.root == tree.root();
    (!same).then(|| {
        Violation(format!(
            "another root was published at size {}",
            tree.size()
        ))
    })
}

/// Every event of a log, as bytes: what must be equal for two logs to be the same.
///
/// # Errors
/// When the log cannot be read.
pub fn content(log: &EventLog) -> Result<Vec<Vec<u8>>, Violation> {
    let size = log.published().size;
    let all = LeafRange {
        start: LeafIndex::ZERO,
        end: size.next_index(),
    };
    let mut content = Vec::new();
    log.visit(all, size, |event| {
        let mut bytes = event.leaf.to_vec();
        if let StoredPayload::Present {
            salt,
            bytes: payload,
        } = event.payload
        {
            bytes.extend_from_slice(salt.as_bytes());
            bytes.extend_from_slice(payload);
        }
        content.push(bytes);
        ControlFlow::Continue(())
    })?;
    Ok(content)
}
