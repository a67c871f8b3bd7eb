//! What the ledger is, how far it is, and whether it is whole.

use super::App;
use super::open::FsckReport;
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use std::time::Duration;
use stella_ledger::blobs::{BlobError, BlobLimit};
use stella_ledger::clock::{Clock as _, SystemClock};
use stella_proto::admin as wire;
use stella_proto::reason::Reason;
use stella_verify::hash::BlobDigest;
use stella_verify::keys::PublicKey;
use stella_verify::units::{TreeSize, UnixMillis};

/// Largest input that is read back, in bytes: a snapshot of all public feeds, and room.
const MAX_INPUT: BlobLimit = BlobLimit(4 * 1024 * 1024 * 1024);

/// How often a rebuild says how far it is.
const STEP: Duration = Duration::from_millis(100);

impl App {
    /// What the ledger is and how far it is.
    pub(crate) fn status(&self) -> Result<wire::GetStatusResponse, Refusal> {
        let published = self.ledger.published();
        let index = self.ledger.stats().index;
        let signing_key_pem = self.keys.signing_pem()?;
        let signing_key = PublicKey::from_pem(&signing_key_pem)
            .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))?;
        let signed = (published.checkpoint.is_some()).then_some(published.time);
        let now = SystemClock.now();
        let storage = self.storage().into_iter();
        Ok(wire::GetStatusResponse {
            origin: self.origin.clone(),
            vkey: self.vkey.clone(),
            signing_key_id: signing_key.id().to_string(),
            signing_key_pem,
            tree_size: published.size.get(),
            applied_size: index.applied.get(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            root_hash: signed.map_or_else(String::new, |_| published.root.to_string()),
            checkpoint_unix_ms: signed.map(UnixMillis::get),
            checkpoint_age_ms: signed.map(|time| now.get().saturating_sub(time.get())),
            refolding: index.refolding,
            refolds: index.refolds,
            index_fault: index.fault.unwrap_or_default(),
            storage: storage
                .map(|(part, bytes)| wire::StorageUse {
                    part: part.to_owned(),
                    bytes,
                })
                .collect(),
        })
    }

    /// Checks every byte.
    pub(crate) fn fsck(&self, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<FsckReport, Refusal> {
        let verifier = super::open::verifier(&self.vkey)?;
        let report = self.ledger.fsck(Some(&verifier), &mut |at| {
            super::open::tell(&at, progress);
            ControlFlow::Continue(())
        })?;
        let mut found = super::open::whole_report(&report);
        // Chunks stand in lists, which only the application reads.
        let missing = self.missing_chunks()?;
        let problems = missing.into_iter().map(BlobError::NotFound);
        found.problems.extend(problems.map(|gone| gone.to_string()));
        Ok(found)
    }

    /// The tree that a rebuild is of; `None` for the live projections.
    fn tree_of(&self, request: &wire::RebuildRequest) -> Result<Option<TreeSize>, Refusal> {
        match (request.at_tree_size, request.at_unix_ms) {
            (None, None) => Ok(None),
            (Some(size), None) => Ok(Some(self.view_at(TreeSize::new(size))?.size())),
            (None, Some(time)) => {
                let after = UnixMillis::new(time.saturating_add(1));
                Ok(Some(self.newest()?.size_before(after)?))
            }
            _ => Err(Refusal::field("at_tree_size", "excludes at_unix_ms")),
        }
    }

    /// Refuses a rebuild that cannot be done, before it is an operation.
    pub(super) fn check_rebuild(&self, request: &wire::RebuildRequest) -> Result<(), Refusal> {
        self.tree_of(request).map(|_| ())
    }

    /// Folds the projections again, or those of an earlier tree beside the live ones.
    pub(super) fn fold_again(
        &self,
        request: &wire::RebuildRequest,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<wire::RebuildResult, Refusal> {
        let Some(size) = self.tree_of(request)? else {
            return Ok(wire::RebuildResult {
                tree_size: self.rebuild(progress)?,
                ..wire::RebuildResult::default()
            });
        };
        let past = self
            .view_at(size)?
            .refold(&|at| progress(at.get(), size.get()))?;
        progress(size.get(), size.get());
        Ok(wire::RebuildResult {
            tree_size: size.get(),
            root_hash: past.head.root.to_string(),
            projection_digest: past.digest.to_string(),
            keys: past.keys,
        })
    }

    /// Drops the projections and folds them again; answers the events folded.
    fn rebuild(&self, progress: &dyn Fn(u64, u64)) -> Result<u64, Refusal> {
        let size = self.ledger.published().size;
        let refolds = self.ledger.stats().index.refolds;
        self.ledger.rebuild();
        loop {
            let index = self.ledger.stats().index;
            progress(index.applied.get().min(size.get()), size.get());
            if index.refolds > refolds && self.ledger.wait_applied(size, STEP) {
                return Ok(size.get());
            }
            if let Some(fault) = index.fault {
                return Err(Refusal::new(Reason::Storage, fault));
            }
            std::thread::sleep(STEP);
        }
    }

    /// Stores an input; it is durable before anything names it.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<BlobDigest, Refusal> {
        Ok(self.ledger.blobs().put(bytes)?)
    }

    /// An input that the log names, verified against its name.
    pub(super) fn get(&self, digest: BlobDigest) -> Result<Vec<u8>, Refusal> {
        match self.ledger.blobs().get(&digest, MAX_INPUT) {
            // It was stored before it was named: now it is lost, and no name is wrong.
            Err(BlobError::NotFound(digest)) => Err(Refusal::new(
                Reason::BlobDamaged,
                format!("blob {digest}, which the log names, is missing"),
            )),
            read => Ok(read?),
        }
    }
}
