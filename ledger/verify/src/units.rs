//! Counts, positions and amounts, each its own type: no signature takes two bare integers.

use core::fmt;

macro_rules! count_type {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($int);

        impl $name {
            /// The first value.
            pub const ZERO: Self = Self(0);

            /// Names a number as this unit.
            #[must_use]
            pub const fn new(value: $int) -> Self {
                Self(value)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }

            /// Moved up by `by`; `None` when the type cannot hold it.
            #[must_use]
            pub const fn checked_add(self, by: $int) -> Option<Self> {
                match self.0.checked_add(by) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

count_type! {
    /// How many leaves a tree has (RFC 6962 2.1).
    TreeSize(u64)
}
count_type! {
    /// Place of a leaf in the log, from 0 (RFC 6962 2.1.1).
    LeafIndex(u64)
}
count_type! {
    /// Place of an event in its stream, from 0.
    StreamPosition(u64)
}
count_type! {
    /// Place of a proof node in its computation's emission order, from 0.
    NodeSequence(u32)
}
count_type! {
    /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
    UnixMillis(u64)
}
count_type! {
    /// Hundredths of a percent: a score of 0-100 is 0-10000. Signed, for deltas.
    BasisPoints(i64)
}

impl TreeSize {
    /// Whether a tree of this size has a leaf at `index`.
    #[must_use]
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }

    /// The index that the next leaf will have.
    #[must_use]
    pub const fn next_index(self) -> LeafIndex {
        LeafIndex(self.0)
    }
}

impl LeafIndex {
    /// The smallest tree that has this leaf; `None` at the end of the type.
    #[must_use]
    pub const fn covering_size(self) -> Option<TreeSize> {
        match self.0.checked_add(1) {
            Some(size) => Some(TreeSize(size)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_contains_the_indexes_below_it() {
        assert!(!TreeSize::ZERO.contains(LeafIndex::ZERO));
        assert!(TreeSize::new(1).contains(LeafIndex::ZERO));
        assert_eq!(LeafIndex::new(4).covering_size(), Some(TreeSize::new(5)));
        assert_eq!(LeafIndex::new(u64::MAX).covering_size(), None);
    }
}
