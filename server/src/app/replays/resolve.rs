//! Which inputs a replay uses.

use crate::app::App;
use crate::refusal::Refusal;
use std::str::FromStr;
use stella_proto::score as wire;
use stella_verify::hash::{PolicyHash, SnapshotHash};
use stella_verify::manifest::{EngineVersion, ScanManifest};

/// What a replay is asked to use. What it does not name is current.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::app) struct Wanted {
    /// Feed snapshot.
    pub(in crate::app) feed: Option<SnapshotHash>,
    /// VEX snapshot.
    pub(in crate::app) vex: Option<SnapshotHash>,
    /// Policy.
    pub(in crate::app) policy: Option<PolicyHash>,
    /// Engine.
    pub(in crate::app) engine: Option<EngineVersion>,
    /// Everything as in the scan's first manifest.
    pub(in crate::app) original: bool,
    /// Whether what did not change is left uncomputed.
    pub(in crate::app) skip_unchanged: bool,
    /// Whether nothing is appended.
    pub(in crate::app) dry_run: bool,
}

impl Wanted {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Reason::InvalidArgument`](stella_proto::reason::Reason::InvalidArgument), naming the field.
    pub(super) fn of(request: &wire::ReplayScoreRequest) -> Result<Self, Refusal> {
        let wanted = Self {
            feed: named("concelier_snapshot_hash", &request.concelier_snapshot_hash)?,
            vex: named("excititor_snapshot_hash", &request.excititor_snapshot_hash)?,
            policy: named("lattice_policy_hash", &request.lattice_policy_hash)?,
            engine: request.engine_version.map(EngineVersion::new),
            original: request.use_original_snapshots,
            skip_unchanged: request.skip_unchanged,
            dry_run: request.dry_run,
        };
        wanted.check()?;
        Ok(wanted)
    }

    /// A manifest with its inputs replaced by those that are named.
    pub(in crate::app) fn applied_to(&self, original: &ScanManifest) -> ScanManifest {
        ScanManifest {
            concelier_snapshot: self.feed.unwrap_or(original.concelier_snapshot),
            excititor_snapshot: self.vex.unwrap_or(original.excititor_snapshot),
            lattice_policy: self.policy.unwrap_or(original.lattice_policy),
            engine_version: self.engine.unwrap_or(original.engine_version),
            ..original.clone()
        }
    }

    /// Refuses words that contradict each other.
    pub(in crate::app) fn check(&self) -> Result<(), Refusal> {
        let named = self.feed.is_some() || self.vex.is_some() || self.policy.is_some();
        if self.original && (named || self.engine.is_some()) {
            return Err(Refusal::field(
                "use_original_snapshots",
                "excludes naming a snapshot, a policy or an engine",
            ));
        }
        Ok(())
    }
}

/// A hash from a field that may be empty.
pub(in crate::app) fn named<T: FromStr>(field: &str, text: &str) -> Result<Option<T>, Refusal>
where
    T::Err: std::fmt::Display,
{
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.parse();
    (parsed.map(Some)).map_err(|problem| Refusal::field(field, problem))
}

impl App {
    /// The manifest with its inputs replaced: by what is named, else by what is current. The
    /// engine stays the one that computed unless another is named.
    pub(in crate::app) fn resolve_replay(
        &self,
        original: &ScanManifest,
        wanted: &Wanted,
    ) -> Result<ScanManifest, Refusal> {
        Ok(self.resolve_wanted(wanted)?.applied_to(original))
    }

    /// What is not named, as it is current now; nothing where each scan's own is meant.
    pub(in crate::app) fn resolve_wanted(&self, wanted: &Wanted) -> Result<Wanted, Refusal> {
        if wanted.original {
            return Ok(wanted.clone());
        }
        let policy = match wanted.policy {
            None => self.current_policy()?,
            Some(policy) => {
                self.policy(policy)?;
                Some(policy)
            }
        };
        Ok(Wanted {
            feed: Some(match wanted.feed {
                None => self.current_feed()?,
                Some(hash) => self.known_snapshot(hash)?,
            }),
            vex: Some(match wanted.vex {
                None => self.current_vex()?,
                Some(hash) => self.known_snapshot(hash)?,
            }),
            policy,
            ..wanted.clone()
        })
    }

    pub(in crate::app) fn known_snapshot(
        &self,
        hash: SnapshotHash,
    ) -> Result<SnapshotHash, Refusal> {
        self.newest()?.snapshot(&hash)?;
        Ok(hash)
    }
}
