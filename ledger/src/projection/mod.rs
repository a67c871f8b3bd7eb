//! From events to what the index keeps of them: pure functions, one file per family of events.
//!
//! A [`Digest`] says what a stretch of the log contributes: leaf hashes, postings, stretches of
//! streams, rows, and payloads it erases. It is a function of those events alone. No digest depends
//! on an earlier one or on the store, so stretches are digested in parallel, to any size, into any
//! store, and folding again gives the same keys and values.
//!
//! What cannot be read contributes nothing beyond its hash: a bare leaf, an unknown type, a payload
//! that is erased or not of its type's form. Admission keeps such payloads out of a ledger; a
//! projection does not fail over them.

mod retention;
mod rule;
mod scan;
mod snapshot;

use stella_verify::event::EventHeader;
use stella_verify::merkle::leaf_hash;
use stella_verify::units::{LeafIndex, StreamPosition};

use crate::index::edge::LeafTiles;
use crate::index::keys::{self, Table};
use crate::index::postings::Postings;
use crate::index::source::SourceEvent;
use crate::index::window::window_of;

pub use rule::parent_ids;
pub use scan::scan_stream;
pub use snapshot::{kind_lookup, policies_lookup, removals_lookup};

/// Consecutive events of one stream at consecutive leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The stream.
    pub stream: Box<str>,
    /// Position of the first of them.
    pub position: StreamPosition,
    /// Leaf of the first of them.
    pub leaf: LeafIndex,
    /// How many.
    pub count: u64,
}

/// A key and value that a single event gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As [`keys`] lays it out.
    pub key: Vec<u8>,
    /// Usually empty: the event says the rest.
    pub value: Vec<u8>,
}

impl Row {
    fn pointer(table: Table, lookup: &[u8], leaf: LeafIndex) -> Self {
        Self {
            key: keys::pointer(table, lookup, leaf),
            value: Vec::new(),
        }
    }
}

/// What a stretch of the log contributes to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The first leaf digested.
    pub first: LeafIndex,
    /// Hashes of the leaves from there on.
    pub leaves: LeafTiles,
    /// Node id to the leaf that applied the rule.
    pub nodes: Postings,
    /// Parent's node id to the leaf of the child.
    pub children: Postings,
    /// Use key to the leaf of the footprint that has it.
    pub uses: Postings,
    /// Where streams continue.
    pub stretches: Vec<Stretch>,
    /// Single rows.
    pub rows: Vec<Row>,
    /// Leaves whose payloads these events erase.
    pub erased: Vec<LeafIndex>,
}

impl Digest {
    /// A digest that begins at `first` and stays inside the window of that leaf.
    #[must_use]
    pub fn starting_at(first: LeafIndex) -> Self {
        Self {
            first,
            leaves: LeafTiles::starting_at(first),
            nodes: Postings::starting_at(window_of(first)),
            children: Postings::starting_at(window_of(first)),
            uses: Postings::starting_at(window_of(first)),
            stretches: Vec::new(),
            rows: Vec::new(),
            erased: Vec::new(),
        }
    }

    /// The leaf after the last one digested.
    #[must_use]
    pub const fn end(&self) -> LeafIndex {
        self.leaves.end()
    }

    /// Adds the next event. `event.index` must be [`Digest::end`].
    pub fn push(&mut self, event: &SourceEvent<'_>) {
        self.leaves.push(leaf_hash(event.leaf));
        let Ok(header) = EventHeader::decode(event.leaf) else {
            return;
        };
        self.extend_stream(&header, event.index);
        if let Some(scan) = scan::created(&header) {
            self.rows.push(Row {
                key: keys::scan_time(header.time, event.index),
                value: scan.as_bytes().to_vec(),
            });
        }
        if let Some(payload) = event.payload {
            self.push_payload(&header, event.index, payload);
        }
    }

    /// Sorts the postings, so that taking the digest up need not.
    pub fn sort(&mut self) {
        for postings in [&mut self.nodes, &mut self.children, &mut self.uses] {
            postings.sort();
        }
    }

    fn extend_stream(&mut self, header: &EventHeader<'_>, leaf: LeafIndex) {
        let stream = header.stream.as_str();
        if let Some(last) = self.stretches.last_mut()
            && last.leaf.get().checked_add(last.count) == Some(leaf.get())
            && last.position.get().checked_add(last.count) == Some(header.position.get())
            && *last.stream == *stream
        {
            last.count += 1;
            return;
        }
        self.stretches.push(Stretch {
            stream: stream.into(),
            position: header.position,
            leaf,
            count: 1,
        });
    }

    fn push_payload(&mut self, header: &EventHeader<'_>, leaf: LeafIndex, payload: &[u8]) {
        let rows = match header.event_type.as_str() {
            "rule.applied" => {
                rule::digest(leaf, payload, &mut self.nodes, &mut self.children);
                return;
            }
            "scan.footprint" => {
                scan::footprint(leaf, payload, &mut self.uses);
                return;
            }
            "payload.erased" => {
                self.erased.extend(retention::erased(leaf, payload));
                return;
            }
            "manifest.registered" => scan::registered_rows(leaf, payload),
            "root.sealed" => scan::sealed_rows(leaf, payload),
            "snapshot.imported" => snapshot::imported_rows(leaf, payload),
            "snapshot.published" => snapshot::published_rows(leaf, payload),
            "snapshot.removed" => snapshot::removed_rows(leaf, payload),
            "policy.registered" => snapshot::policy_rows(leaf, payload),
            "policy.published" => snapshot::policy_published_rows(leaf, payload),
            _ => return,
        };
        if let Some(rows) = rows {
            self.rows.push(given_row(leaf, &rows));
            self.rows.extend(rows);
        }
    }
}

/// Remembers the keys that a payload gave, so that they can be removed when it is erased.
fn given_row(leaf: LeafIndex, rows: &[Row]) -> Row {
    let mut value = Vec::new();
    for row in rows {
        let length = u16::try_from(row.key.len()).unwrap_or(u16::MAX);
        value.extend_from_slice(&length.to_be_bytes());
        value.extend_from_slice(&row.key);
    }
    Row {
        key: keys::given(leaf),
        value,
    }
}

/// The keys listed in a [`Table::Given`] row.
#[must_use]
pub fn given_keys(mut value: &[u8]) -> Vec<Vec<u8>> {
    let mut listed = Vec::new();
    while let Some((length, rest)) = value.split_first_chunk::<2>() {
        let Some((key, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        else {
            break;
        };
        listed.push(key.to_vec());
        value = rest;
    }
    listed
}
