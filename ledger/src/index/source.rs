//! What the projections need of a log: its published size, its events, its roots.
//!
//! The index is folded from this trait alone, so it runs over the real log, over a log read only up
//! to some size, and over fixtures.

use std::ops::ControlFlow;
use std::sync::Arc;

use stella_verify::hash::RootHash;
use stella_verify::merkle::{LeafRange, TreeHead};
use stella_verify::units::{LeafIndex, TreeSize};

/// One event as the log stores it.
#[derive(Debug, Clone, Copy)]
pub struct SourceEvent<'a> {
    /// Its place in the log.
    pub index: LeafIndex,
    /// The leaf as hashed; an event header, or any bytes in a bare log.
    pub leaf: &'a [u8],
    /// The payload; `None` once it was erased, or in a bare log.
    pub payload: Option<&'a [u8]>,
}

/// The log refused to be read; it says why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log cannot be read: {0}")]
pub struct SourceError(pub Arc<dyn std::error::Error + Send + Sync>);

impl SourceError {
    /// Wraps the log's own error.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

/// A log that can be folded.
pub trait EventSource: Send + Sync + 'static {
    /// The newest published size and its root.
    fn head(&self) -> TreeHead<RootHash>;

    /// Calls `wake` after each publication from now on. It is quick and may be called on any thread.
    fn on_publish(&self, wake: Box<dyn Fn() + Send + Sync>);

    /// Calls `visit` for each event of `range` in order, until it breaks off. All of it is
    /// published.
    ///
    /// # Errors
    /// When the log's bytes cannot be read or are damaged.
    fn visit(
        &self,
        range: LeafRange,
        visit: &mut dyn FnMut(SourceEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), SourceError>;

    /// The root that the log published at exactly this size; `None` if it never published it.
    ///
    /// # Errors
    /// When the log's bytes cannot be read or are damaged.
    fn published_root(&self, size: TreeSize) -> Result<Option<RootHash>, SourceError>;
}
