//! Pages of listings.

use stella_verify::units::LeafIndex;

use crate::limits::{DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS};

/// How many items a page has at most: 1 to [`MAX_PAGE_ITEMS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// At most `items`, no more than the limit and at least one; 0 asks for the default.
    #[must_use]
    pub fn of(items: usize) -> Self {
        match items {
            0 => Self::default(),
            _ => Self(items.min(MAX_PAGE_ITEMS)),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(DEFAULT_PAGE_ITEMS)
    }
}

/// Some items of a listing, and where the rest begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass this, and the same tree size, for the next page; `None` at the end.
    pub next: Option<LeafIndex>,
}

impl<T> Page<T> {
    /// A page made of the leaves of a lookup that asked for one more than the page has.
    pub(super) fn of(
        mut leaves: Vec<LeafIndex>,
        size: PageSize,
    ) -> (Vec<LeafIndex>, Option<LeafIndex>) {
        let next = leaves.get(size.get()).copied();
        leaves.truncate(size.get());
        (leaves, next)
    }
}
