//! The proof DAG: nodes by id, where they were applied, parents and children.

use std::ops::ControlFlow;

use stella_verify::event::{EventHeader, RuleApplied};
use stella_verify::hash::{ManifestHash, NodeId, to_hex};
use stella_verify::merkle::LeafRange;
use stella_verify::units::{LeafIndex, NodeSequence, StreamPosition};

use super::{Event, LedgerError, Missing, Page, PageSize, View};
use crate::index::postings::Wanted;
use crate::index::query::PostingTable;
use crate::limits::MAX_PAGE_ITEMS;
use crate::log::StoredPayload;
use crate::projection::parent_ids;

/// One application of a node's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeUse {
    /// The node.
    pub id: NodeId,
    /// The event.
    pub leaf: LeafIndex,
    /// The computation it belongs to.
    pub computation: ManifestHash,
    /// Its place in that computation.
    pub sequence: NodeSequence,
}

/// A proof node and where it was applied. Equal nodes of several computations are one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Its id: SHA-256 of `bytes`.
    pub id: NodeId,
    /// Its canonical JSON, without `id`.
    pub bytes: Vec<u8>,
    /// The nodes it follows from.
    pub parents: Vec<NodeId>,
    /// Its applications, in the log's order.
    pub uses: Page<NodeUse>,
}

impl View<'_> {
    /// A node by its id, and a page of its applications from leaf `from` on.
    ///
    /// # Errors
    /// [`Missing::Node`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn node(
        &self,
        id: &NodeId,
        from: LeafIndex,
        size: PageSize,
    ) -> Result<NodeRecord, LedgerError> {
        let mut bytes = None;
        let wanted = self.posted(from, self.size.next_index());
        let uses = self.uses(PostingTable::Nodes, id, wanted, size, |rule| {
            let found = rule.node_id() == *id;
            if found && bytes.is_none() {
                bytes = Some(rule.node.to_vec());
            }
            found
        })?;
        let bytes = bytes.ok_or(Missing::Node(*id))?;
        Ok(NodeRecord {
            id: *id,
            parents: parent_ids(&bytes).collect(),
            bytes,
            uses,
        })
    }

    /// The nodes of a computation that follow directly from a node.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn children(
        &self,
        parent: &NodeId,
        computation: &ManifestHash,
        from: LeafIndex,
        size: PageSize,
    ) -> Result<Page<NodeUse>, LedgerError> {
        let stream = computation_stream(computation);
        let extent = self.ask(|fold| fold.stream_extent(&stream, self.size))?;
        let Some((first, last)) = extent else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        let end = LeafIndex::new(last.get().saturating_add(1));
        let wanted = self.posted(from.max(first), end);
        self.uses(PostingTable::Children, parent, wanted, size, |rule| {
            rule.computation == *computation && parent_ids(rule.node).any(|id| id == *parent)
        })
    }

    /// Visits the nodes of a computation in emission order until told to break: their canonical
    /// bytes, which are the leaves of its proof root.
    ///
    /// # Errors
    /// [`LedgerError::Erased`] at a node whose payload is gone; [`LedgerError::Index`] or
    /// [`LedgerError::Read`].
    pub fn visit_computation(
        &self,
        computation: &ManifestHash,
        mut visit: impl FnMut(NodeSequence, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), LedgerError> {
        let stream = computation_stream(computation);
        let mut from = StreamPosition::ZERO;
        loop {
            let leaves = self.stream_leaves(&stream, from, MAX_PAGE_ITEMS)?;
            let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
            for run in leaves.chunk_by(|left, right| left.get() + 1 == right.get()) {
                if self.visit_nodes(run, &mut visit)?.is_break() {
                    return Ok(());
                }
            }
            if leaves.len() < MAX_PAGE_ITEMS {
                return Ok(());
            }
            from = StreamPosition::new(from.get().saturating_add(count));
        }
    }

    /// Visits the nodes at consecutive leaves.
    fn visit_nodes(
        &self,
        run: &[LeafIndex],
        visit: &mut impl FnMut(NodeSequence, &[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LedgerError> {
        let (Some(start), Some(last)) = (run.first(), run.last()) else {
            return Ok(ControlFlow::Continue(()));
        };
        let range = LeafRange {
            start: *start,
            end: LeafIndex::new(last.get().saturating_add(1)),
        };
        let mut outcome = Ok(ControlFlow::Continue(()));
        self.visit(range, |event| {
            outcome = match event.payload {
                StoredPayload::Present { bytes, .. } => RuleApplied::decode(bytes)
                    .map(|rule| visit(rule.sequence, rule.node))
                    .map_err(|error| LedgerError::Malformed {
                        leaf: event.index,
                        what: error.to_string().into(),
                    }),
                StoredPayload::Erased { by } => Err(LedgerError::Erased {
                    leaf: event.index,
                    by,
                }),
                StoredPayload::None => Err(LedgerError::Malformed {
                    leaf: event.index,
                    what: "it has no payload".into(),
                }),
            };
            match outcome {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        outcome
    }

    fn posted(&self, from: LeafIndex, end: LeafIndex) -> Wanted {
        Wanted {
            from,
            end: end.min(self.size.next_index()),
            limit: 0,
        }
    }

    /// Reads the events that the index suggests, until a page of those that `is_it` accepts is
    /// full. The index knows 40 bits of an id, so nearly all are accepted.
    fn uses(
        &self,
        table: PostingTable,
        id: &NodeId,
        mut wanted: Wanted,
        size: PageSize,
        mut is_it: impl FnMut(&RuleApplied<'_>) -> bool,
    ) -> Result<Page<NodeUse>, LedgerError> {
        let mut items: Vec<NodeUse> = Vec::new();
        wanted.limit = size.get() + 1;
        loop {
            let leaves = self.ask(|fold| fold.postings(table, id, &wanted))?;
            for leaf in &leaves {
                if items.len() == size.get() {
                    return Ok(Page {
                        items,
                        next: Some(*leaf),
                    });
                }
                items.extend(node_use(&self.event(*leaf)?, &mut is_it));
            }
            let Some(last) = leaves.last().filter(|_| leaves.len() == wanted.limit) else {
                return Ok(Page { items, next: None });
            };
            wanted.from = LeafIndex::new(last.get().saturating_add(1));
        }
    }
}

/// What an event says of a node, if it is a rule application that `is_it` accepts and that was not
/// erased.
fn node_use(event: &Event, is_it: &mut impl FnMut(&RuleApplied<'_>) -> bool) -> Option<NodeUse> {
    let rule = RuleApplied::decode(event.payload().ok()?).ok()?;
    let applied = |header: &EventHeader<'_>| header.event_type.as_str() == "rule.applied";
    if !event.header().is_ok_and(|header| applied(&header)) || !is_it(&rule) {
        return None;
    }
    Some(NodeUse {
        id: rule.node_id(),
        leaf: event.index(),
        computation: rule.computation,
        sequence: rule.sequence,
    })
}

/// The stream of a computation (FORMATS.md section 4).
fn computation_stream(computation: &ManifestHash) -> String {
    format!("computation/{}", to_hex(computation.as_bytes()))
}
