//! Placeholder of the first commit; filled by the next.
