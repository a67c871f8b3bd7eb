//! Sorted entries of fixed width, in pages of one block.

use super::filter::Filter;
use crate::log::block::{BLOCK_BYTES, BODY_BYTES, BlockCount, BlockKey, BlockNumber, BlockWriter};
use crate::log::bytes::Fields;

/// How a table's entries look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bytes of the key, with which an entry begins.
    pub(crate) key: usize,
    /// Bytes of the whole entry.
    pub(crate) entry: usize,
    /// Whether keys are hashes, so that a filter makes sense.
    pub(crate) filtered: bool,
}

impl Shape {
    fn entries_a_page(self) -> usize {
        BODY_BYTES / self.entry
    }
}

/// What is kept in memory of a table: fences and filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    shape: Shape,
    count: u64,
    first: BlockNumber,
    /// First eight bytes of each page's first key, big-endian.
    fences: Vec<u64>,
    filter: Filter,
}

impl Table {
    /// Writes sorted entries (each [`Shape::entry`] bytes) as pages at the end of `out`.
    pub(crate) fn write(shape: Shape, entries: &[u8], out: &mut Vec<u8>, key: BlockKey) -> Self {
        let first = BlockNumber(u32::try_from(out.len() / BLOCK_BYTES).unwrap_or(u32::MAX));
        let count = entries.len() / shape.entry;
        let mut fences = Vec::new();
        for page in entries.chunks(shape.entries_a_page() * shape.entry) {
            fences.push(prefix(page));
            let at = BlockNumber(u32::try_from(out.len() / BLOCK_BYTES).unwrap_or(u32::MAX));
            let mut writer = BlockWriter::new(out, key, at);
            writer.put(page);
            writer.finish();
        }
        let keys = entries
            .chunks_exact(shape.entry)
            .filter_map(|entry| entry.get(..shape.key));
        Self {
            shape,
            count: count as u64,
            first,
            fences,
            filter: if shape.filtered {
                Filter::of(count, keys)
            } else {
                Filter::default()
            },
        }
    }

    /// The pages that may hold `key`, most likely one.
    pub(crate) fn pages(&self, key: &[u8]) -> impl Iterator<Item = BlockNumber> {
        let wanted = prefix(key);
        let maybe = !self.shape.filtered || self.filter.may_hold(key);
        let after = self.fences.partition_point(|fence| *fence <= wanted);
        // Keys that share a prefix may span pages: go back while the fence is the prefix itself.
        let before = self.fences.partition_point(|fence| *fence < wanted);
        let range = before.saturating_sub(1)..if maybe { after } else { 0 };
        range.map(|page| {
            let page = u32::try_from(page).unwrap_or(u32::MAX);
            self.first.plus(BlockCount(page))
        })
    }

    /// The rest of the entry with this key, in a page's body.
    pub(crate) fn find<'a>(
        &self,
        body: &'a [u8],
        page: BlockNumber,
        key: &[u8],
    ) -> Option<&'a [u8]> {
        let entries = self.entries(body, page);
        let count = entries.len() / self.shape.entry;
        let entry = |place: usize| {
            let start = place * self.shape.entry;
            entries.get(start..start + self.shape.entry)
        };
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            let (found, value) = entry(middle)?.split_at_checked(self.shape.key)?;
            match found.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(value),
            }
        }
        None
    }

    /// The used part of a page's body.
    pub(crate) fn entries<'a>(&self, body: &'a [u8], page: BlockNumber) -> &'a [u8] {
        let a_page = self.shape.entries_a_page() as u64;
        let before = u64::from(page.since(self.first).0) * a_page;
        let here = self.count.saturating_sub(before).min(a_page);
        let bytes = usize::try_from(here).unwrap_or(0) * self.shape.entry;
        body.get(..bytes).unwrap_or(body)
    }

    /// All pages, in order.
    pub(crate) fn all_pages(&self) -> impl Iterator<Item = BlockNumber> + use<> {
        let first = self.first;
        (0..u32::try_from(self.fences.len()).unwrap_or(u32::MAX))
            .map(move |page| first.plus(BlockCount(page)))
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.first.0.to_le_bytes());
        for fence in &self.fences {
            out.extend_from_slice(&fence.to_le_bytes());
        }
        self.filter.put(out);
    }

    pub(crate) fn read(shape: Shape, fields: &mut Fields<'_>) -> Option<Self> {
        let count = fields.u64()?;
        let first = BlockNumber(fields.u32()?);
        let pages = usize::try_from(count.div_ceil(shape.entries_a_page() as u64)).ok()?;
        let (fences, _) = fields.take(pages.checked_mul(8)?)?.as_chunks::<8>();
        Some(Self {
            shape,
            count,
            first,
            fences: fences
                .iter()
                .map(|fence| u64::from_le_bytes(*fence))
                .collect(),
            filter: Filter::read(fields)?,
        })
    }
}

fn prefix(key: &[u8]) -> u64 {
    key.first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
