//! Lookups in a fold, as of a tree size.
//!
//! A lookup reads the unfinished window first and the store second, and takes from the store only
//! leaves before that window: what is committed in between is not seen twice, nor missed. Answers
//! are leaf indexes. Whether the event at a leaf is what was looked for, the caller sees from the
//! event; the index is never believed about content.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use stella_verify::hash::{NodeHash, NodeId};
use stella_verify::merkle::{NodeCoord, NodeReader};
use stella_verify::snapshot::UseKey;
use stella_verify::units::{LeafIndex, StreamPosition, TreeSize, UnixMillis};

use super::fold::{Fold, stored_tile};
use super::keys::{self, Table};
use super::kv::{Direction, KeyRange, KeyValue, ScanVisitor, StoreError};
use super::postings::{Prefix, Wanted};
use super::tiles::{Tile, TileId, node_from_tiles};
use super::window::StreamPart;

/// Which table of postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingTable {
    /// Leaves that apply the rule of a node.
    Nodes,
    /// Leaves whose node names this one as a parent.
    Children,
    /// Footprints of computations that looked something up.
    Uses,
}

/// A scan's creation, as the index keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanCreated {
    /// The scan's name.
    pub scan: String,
    /// When.
    pub time: UnixMillis,
    /// Its first event.
    pub leaf: LeafIndex,
}

impl Fold {
    /// Leaves that may speak of `id`, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn postings(
        &self,
        table: PostingTable,
        id: &NodeId,
        wanted: &Wanted,
    ) -> Result<Vec<LeafIndex>, StoreError> {
        self.posted(table, Prefix::of(id), wanted)
    }

    /// Footprints that may have a key, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn footprints(&self, key: UseKey, wanted: &Wanted) -> Result<Vec<LeafIndex>, StoreError> {
        self.posted(PostingTable::Uses, Prefix::of_use(key), wanted)
    }

    fn posted(
        &self,
        table: PostingTable,
        prefix: Prefix,
        wanted: &Wanted,
    ) -> Result<Vec<LeafIndex>, StoreError> {
        let mut recent = Vec::new();
        let base = {
            let present = self.present();
            let window = match table {
                PostingTable::Nodes => &present.window.nodes,
                PostingTable::Children => &present.window.children,
                PostingTable::Uses => &present.window.uses,
            };
            window.find(prefix, wanted, &mut recent);
            present.window.start()
        };
        let older = Wanted {
            end: wanted.end.min(base),
            ..*wanted
        };
        let mut found = Vec::new();
        {
            let runs = self.runs();
            let runs = match table {
                PostingTable::Nodes => &runs.nodes,
                PostingTable::Children => &runs.children,
                PostingTable::Uses => &runs.uses,
            };
            runs.find(prefix, &older, self.store(), &mut found)?;
        }
        found.extend(recent);
        found.truncate(wanted.limit);
        Ok(found)
    }

    /// Leaves of the pointer rows of `table` for `lookup`, ascending or descending, inside `wanted`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pointers(
        &self,
        table: Table,
        lookup: &[u8],
        wanted: &Wanted,
        direction: Direction,
    ) -> Result<Vec<LeafIndex>, StoreError> {
        let range = KeyRange {
            from: keys::pointer(table, lookup, wanted.from),
            to: Some(keys::pointer(table, lookup, wanted.end)),
        };
        let rows = self.rows(&range, wanted.limit, direction)?;
        let leaves = rows.iter().filter_map(|(key, _)| keys::last_number(key));
        Ok(leaves.map(LeafIndex::new).collect())
    }

    /// Scans created at or after `since`, by time; `wanted` bounds their first events.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn scans(
        &self,
        since: UnixMillis,
        wanted: &Wanted,
        direction: Direction,
    ) -> Result<Vec<ScanCreated>, StoreError> {
        let mut range = KeyRange::prefix(&[Table::ScansByTime.byte()]);
        range.from = keys::scan_time(since, LeafIndex::ZERO);
        let mut scans = Vec::new();
        // Time never falls from leaf to leaf, so bounds on leaves keep the order; they are checked
        // row by row because time alone does not say where they begin.
        self.visit_rows(&range, direction, &mut |key, value| {
            if let Some(created) = scan_created(key, value)
                && (wanted.from..wanted.end).contains(&created.leaf)
            {
                scans.push(created);
            }
            if scans.len() < wanted.limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(scans)
    }

    /// The leaves of a stream from a position on, as of a tree of `at` leaves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stream(
        &self,
        stream: &str,
        from: StreamPosition,
        at: TreeSize,
        limit: usize,
    ) -> Result<Vec<LeafIndex>, StoreError> {
        let mut leaves: Vec<LeafIndex> = Vec::new();
        let mut recent: Vec<LeafIndex> = Vec::new();
        let base = {
            let present = self.present();
            if let Some(parts) = present.window.streams.get(stream) {
                for (first, part) in parts {
                    let skip = from.get().saturating_sub(first.get());
                    let room = limit.saturating_sub(recent.len());
                    let inside = part.leaves(skip).take_while(|leaf| at.contains(*leaf));
                    recent.extend(inside.take(room));
                }
            }
            present.window.start()
        };
        let until = TreeSize::new(base.get().min(at.get()));
        let mut damage = None;
        let mut range = KeyRange::prefix(&keys::stream_prefix(stream));
        range.from = self.part_with(stream, from)?;
        self.store()
            .scan(&range, Direction::Forward, &mut |key, value| {
                match (StreamPart::from_bytes(value), keys::last_number(key)) {
                    (Ok(part), Some(first)) => {
                        let skip = from.get().saturating_sub(first);
                        let room = limit.saturating_sub(leaves.len());
                        let inside = part.leaves(skip).take_while(|leaf| until.contains(*leaf));
                        leaves.extend(inside.take(room));
                        let beyond = part.first_leaf().is_none_or(|leaf| !until.contains(leaf));
                        if leaves.len() < limit && !beyond {
                            return ControlFlow::Continue(());
                        }
                    }
                    (Err(error), _) => damage = Some(error),
                    (_, None) => {
                        damage = Some(StoreError::damaged("a key of a stream is malformed"));
                    }
                }
                ControlFlow::Break(())
            })?;
        if let Some(damage) = damage {
            return Err(damage);
        }
        leaves.extend(recent);
        leaves.truncate(limit);
        Ok(leaves)
    }

    /// The first and the last leaf of a stream, as of a tree of `at` leaves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stream_extent(
        &self,
        stream: &str,
        at: TreeSize,
    ) -> Result<Option<(LeafIndex, LeafIndex)>, StoreError> {
        let Some(first) = self
            .stream(stream, StreamPosition::ZERO, at, 1)?
            .first()
            .copied()
        else {
            return Ok(None);
        };
        let last_in =
            |part: &StreamPart| part.leaves(0).take_while(|leaf| at.contains(*leaf)).last();
        let recent = {
            let present = self.present();
            let parts = present.window.streams.get(stream);
            parts.and_then(|parts| parts.values().rev().find_map(last_in))
        };
        if let Some(last) = recent {
            return Ok(Some((first, last)));
        }
        let mut last = Ok(None);
        let range = KeyRange::prefix(&keys::stream_prefix(stream));
        self.store()
            .scan(&range, Direction::Backward, &mut |_, value| {
                last = StreamPart::from_bytes(value).map(|part| last_in(&part));
                match last {
                    Ok(None) => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            })?;
        Ok(last?.map(|last| (first, last)))
    }

    /// The key of the part of a stream that holds a position, or the stream's first key.
    fn part_with(&self, stream: &str, position: StreamPosition) -> Result<Vec<u8>, StoreError> {
        let prefix = keys::stream_prefix(stream);
        let mut found = prefix.clone();
        let range = KeyRange {
            from: prefix,
            to: Some(keys::stream(
                stream,
                StreamPosition::new(position.get().saturating_add(1)),
            )),
        };
        self.store()
            .scan(&range, Direction::Backward, &mut |key, _| {
                found = key.to_vec();
                ControlFlow::Break(())
            })?;
        Ok(found)
    }

    /// A tile at its present width, which may exceed what a caller's tree has.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a tile is missing that must be there.
    pub fn tile(&self, id: TileId) -> Result<Option<Arc<Tile>>, StoreError> {
        let size = {
            let present = self.present();
            if let Some(tile) = present.edge.tile(id) {
                return Ok(Some(tile));
            }
            present.edge.size()
        };
        if id.width_in(size) == 0 {
            return Ok(None);
        }
        if let Some(tile) = self.upper_tiles.get(id) {
            return Ok(Some(tile));
        }
        let tile = stored_tile(self.store(), id)?
            .ok_or_else(|| StoreError::damaged("a hash tile is missing"))?;
        let tile = Arc::new(tile);
        self.upper_tiles.keep(id, &tile);
        Ok(Some(tile))
    }

    fn rows(
        &self,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<KeyValue>, StoreError> {
        let mut rows = Vec::new();
        if limit == 0 {
            return Ok(rows);
        }
        self.visit_rows(range, direction, &mut |key, value| {
            rows.push((key.to_vec(), value.to_vec()));
            if rows.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(rows)
    }

    /// Visits rows whose keys end in a leaf, those of one lookup in the order of their leaves. The
    /// store has the older leaves, the window the newer ones.
    fn visit_rows(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut ScanVisitor<'_>,
    ) -> Result<(), StoreError> {
        let (recent, base) = {
            let present = self.present();
            (rows_in(&present.window.rows, range), present.window.start())
        };
        let mut ended = false;
        let visit_recent = |visit: &mut ScanVisitor<'_>| {
            let mut rows: Vec<_> = recent.iter().collect();
            if direction == Direction::Backward {
                rows.reverse();
            }
            rows.into_iter()
                .try_for_each(|(key, value)| visit(key, value))
        };
        if direction == Direction::Backward {
            ended = visit_recent(visit).is_break();
        }
        if ended {
            return Ok(());
        }
        self.store().scan(range, direction, &mut |key, value| {
            if keys::last_number(key).is_none_or(|leaf| leaf >= base.get()) {
                return ControlFlow::Continue(());
            }
            let flow = visit(key, value);
            ended = flow.is_break();
            flow
        })?;
        if direction == Direction::Forward && !ended {
            let _ = visit_recent(visit);
        }
        Ok(())
    }
}

fn rows_in(rows: &BTreeMap<Vec<u8>, Vec<u8>>, range: &KeyRange) -> Vec<KeyValue> {
    let below = |key: &Vec<u8>| range.to.as_ref().is_none_or(|to| key < to);
    rows.range(range.from.clone()..)
        .take_while(|(key, _)| below(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn scan_created(key: &[u8], value: &[u8]) -> Option<ScanCreated> {
    let (_, times) = key.split_first()?;
    Some(ScanCreated {
        scan: String::from_utf8(value.to_vec()).ok()?,
        time: times
            .first_chunk::<8>()
            .map(|time| UnixMillis::new(u64::from_be_bytes(*time)))?,
        leaf: keys::last_number(key).map(LeafIndex::new)?,
    })
}

/// The nodes of a tree, read tile by tile; a proof's few tiles are fetched once each.
pub struct TileNodes<R> {
    read: R,
    fetched: RefCell<Vec<(TileId, Arc<Tile>)>>,
}

impl<R> TileNodes<R> {
    /// Nodes from the tiles that `read` finds.
    pub const fn new(read: R) -> Self {
        Self {
            read,
            fetched: RefCell::new(Vec::new()),
        }
    }
}

impl<R, E> NodeReader for TileNodes<R>
where
    R: Fn(TileId) -> Result<Option<Arc<Tile>>, E>,
    E: From<StoreError>,
{
    type Error = E;

    fn node(&self, coord: NodeCoord) -> Result<NodeHash, E> {
        node_from_tiles(coord, |id| {
            let mut fetched = self.fetched.borrow_mut();
            if let Some((_, tile)) = fetched.iter().find(|(known, _)| *known == id) {
                return Ok(Arc::clone(tile));
            }
            let tile = (self.read)(id)?
                .ok_or_else(|| StoreError::damaged("a hash tile is beyond the tree"))?;
            fetched.push((id, Arc::clone(&tile)));
            Ok(tile)
        })
    }
}
