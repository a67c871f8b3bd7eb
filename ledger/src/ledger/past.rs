//! The projections of an earlier tree, folded beside the live ones.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use stella_verify::hash::{BlobDigest, RootHash, sha256_parts};
use stella_verify::merkle::TreeHead;
use stella_verify::units::TreeSize;

use super::{LedgerError, LogSource, View};
use crate::index::disk::DiskStore;
use crate::index::kv::{Direction, KeyRange, KvStore, StoreError};
use crate::index::{CacheBytes, Fold, FoldError, FoldProgress, Workers, catch_up};

/// Where earlier projections are folded, beside the live ones.
const PAST_FOLDER: &str = "index-at";

/// Memory of the store that is folded into: it is written once and read once.
const PAST_CACHE: CacheBytes = CacheBytes(32 * 1024 * 1024);

/// What the projections of a tree are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastFold {
    /// The tree.
    pub head: TreeHead<RootHash>,
    /// How many keys.
    pub keys: u64,
    /// Digest of all keys and values in order: each step is SHA-256 over the one before, the
    /// lengths of key and value, key and value. Equal logs give equal digests.
    pub digest: BlobDigest,
}

impl View<'_> {
    /// Folds the log anew up to this view's size, in a folder of its own that is gone afterwards.
    /// The live projections stand as they are; that they agree on the tree is checked.
    ///
    /// # Errors
    /// [`LedgerError::Index`]: the live projections are behind, or damaged; [`LedgerError::Read`].
    pub fn refold(&self, progress: &(dyn Fn(TreeSize) + Sync)) -> Result<PastFold, LedgerError> {
        let head = TreeHead {
            size: self.size,
            root: self.tree_root()?,
        };
        // Two at once do not meet.
        let name = format!("{}-{:?}", self.size, std::thread::current().id());
        let folder = PastFolder(self.ledger.folder.join(PAST_FOLDER).join(name));
        folder.remove();
        let failed = |error: FoldError| LedgerError::Internal(error.to_string().into());
        let store = DiskStore::open(&folder.0, PAST_CACHE).map_err(|error| store_failed(&error))?;
        let store: Arc<dyn KvStore> = Arc::new(store);
        let fold = Fold::empty(Arc::clone(&store));
        let source = LogSource(Arc::clone(&self.ledger.log));
        let workers = Workers::of_this_machine();
        catch_up(&fold, &source, head, workers, &Told(progress)).map_err(failed)?;
        fold.commit(head).map_err(|error| store_failed(&error))?;
        let (keys, digest) = digest(&*store).map_err(|error| store_failed(&error))?;
        Ok(PastFold { head, keys, digest })
    }
}

fn digest(store: &dyn KvStore) -> Result<(u64, BlobDigest), StoreError> {
    let (mut keys, mut digest) = (0, [0; 32]);
    let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
    store.scan(&KeyRange::all(), Direction::Forward, &mut |key, value| {
        keys += 1;
        digest = sha256_parts(&[&digest, &length(key), &length(value), key, value]);
        std::ops::ControlFlow::Continue(())
    })?;
    Ok((keys, BlobDigest::new(digest)))
}

fn store_failed(error: &StoreError) -> LedgerError {
    LedgerError::Internal(error.to_string().into())
}

struct Told<'a>(&'a (dyn Fn(TreeSize) + Sync));

impl FoldProgress for Told<'_> {
    fn applied(&self, size: TreeSize) {
        (self.0)(size);
    }
}

/// Removed when the fold is described, however that ends.
struct PastFolder(PathBuf);

impl PastFolder {
    fn remove(&self) {
        // What cannot be removed is in nobody's way: no other fold takes this name.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for PastFolder {
    fn drop(&mut self) {
        self.remove();
    }
}
