//! What a ledger knows of itself, for a scrape.

use super::App;
use crate::metrics::LedgerFigures;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stella_ledger::clock::{Clock as _, SystemClock};

/// Folders of a data directory, as the label says them.
const PARTS: [&str; 3] = ["log", "index", "blobs"];

/// How long the sizes of folders are taken as they were: walking them costs a call for each file.
const WALK_AGAIN: Duration = Duration::from_mins(1);

/// Bytes by part.
pub(super) type Parts = Vec<(&'static str, u64)>;

/// The sizes of the ledger's folders, and when they were taken.
#[derive(Debug, Default)]
pub(super) struct Storage(Mutex<Option<(Instant, Parts)>>);

impl App {
    /// The figures of this moment, of all tenants' ledgers together. Reads folders, so it may block.
    pub(crate) fn figures(self: &Arc<Self>) -> LedgerFigures {
        let each = self.by_tenant().into_values();
        each.map(|app| app.own_figures())
            .reduce(LedgerFigures::with)
            .unwrap_or_default()
    }

    fn own_figures(&self) -> LedgerFigures {
        let published = self.ledger.published();
        let index = self.ledger.stats().index;
        let now = SystemClock.now().get();
        let signed = published.checkpoint.is_some();
        let age = Duration::from_millis(now.saturating_sub(published.time.get()));
        LedgerFigures {
            events: published.size.get(),
            lag: published.size.get().saturating_sub(index.applied.get()),
            refolds: index.refolds,
            poisoned: self.ledger.log().poisoned().is_some(),
            checkpoint_age: signed.then_some(age),
            replays_waiting: self.jobs.waiting(),
            storage: self.storage(),
        }
    }

    /// Bytes on disk by part; taken a minute ago at most.
    pub(super) fn storage(&self) -> Parts {
        self.storage.of(&self.directory)
    }
}

impl Storage {
    fn of(&self, directory: &Path) -> Parts {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.as_ref().filter(|(at, _)| at.elapsed() < WALK_AGAIN);
        if let Some((_, parts)) = fresh {
            return parts.clone();
        }
        let parts = PARTS
            .map(|part| (part, bytes_in(&directory.join(part))))
            .to_vec();
        *known = Some((Instant::now(), parts.clone()));
        parts
    }
}

/// Bytes of all files below a folder. What vanishes meanwhile does not count.
fn bytes_in(folder: &Path) -> u64 {
    let mut folders = vec![folder.to_owned()];
    let mut sum = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => sum += found.len(),
                Err(_) => {}
            }
        }
    }
    sum
}
