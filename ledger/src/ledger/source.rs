//! The event log as the index folds it.

use std::ops::ControlFlow;
use std::sync::Arc;

use stella_verify::checkpoint::{Checkpoint, CheckpointError};
use stella_verify::hash::RootHash;
use stella_verify::merkle::{LeafRange, TreeHead, empty_root};
use stella_verify::note::{Note, NoteError};
use stella_verify::units::{LeafIndex, TreeSize};

use crate::index::source::{EventSource, SourceError, SourceEvent};
use crate::log::{EventLog, StoredPayload};

/// Shares the log with the index.
#[derive(Debug, Clone)]
pub struct LogSource(pub Arc<EventLog>);

#[derive(Debug, thiserror::Error)]
enum CheckpointUnreadable {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Size and root of a checkpoint of the log's own, as stored.
fn head_of(checkpoint: &str) -> Result<TreeHead<RootHash>, CheckpointUnreadable> {
    let note = Note::parse(checkpoint.as_bytes())?;
    Ok(Checkpoint::parse(note.unverified_text())?.head)
}

impl EventSource for LogSource {
    fn head(&self) -> TreeHead<RootHash> {
        let published = self.0.published();
        TreeHead {
            size: published.size,
            root: published.root,
        }
    }

    fn on_publish(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.0.on_publish(move |_| wake());
    }

    fn visit(
        &self,
        range: LeafRange,
        visit: &mut dyn FnMut(SourceEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        let at = self.0.published().size;
        let visited = self.0.visit(range, at, |event| {
            visit(SourceEvent {
                index: event.index,
                leaf: event.leaf,
                payload: match event.payload {
                    StoredPayload::Present { bytes, .. } => Some(bytes),
                    StoredPayload::None | StoredPayload::Erased { .. } => None,
                },
            })
        });
        visited.map_err(SourceError::new)
    }

    fn published_root(&self, size: TreeSize) -> Result<Option<RootHash>, SourceError> {
        let published = self.0.published();
        let Some(last) = size.get().checked_sub(1) else {
            return Ok(Some(empty_root()));
        };
        if size >= published.size {
            return Ok((size == published.size).then_some(published.root));
        }
        let commit = self
            .0
            .commit_of(LeafIndex::new(last))
            .map_err(SourceError::new)?;
        let head = head_of(&commit.checkpoint).map_err(SourceError::new)?;
        Ok((head.size == size).then_some(head.root))
    }
}
