//! A batch of replays as it is asked for.

use crate::ClientError;
use crate::error::refused;
use crate::fields::text_of;
use std::num::NonZero;
use stella_proto::reason::Reason;
use stella_proto::replay as wire;
use stella_verify::event::payload::ScanId;
use stella_verify::hash::{PolicyHash, SnapshotHash};
use stella_verify::units::UnixMillis;

/// A batch to be started; the default replays every scan against what is current.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewBatch {
    /// Which scans.
    pub scans: BatchScans,
    /// Against what.
    pub inputs: BatchInputs,
    /// Whether scans are computed for which nothing changed.
    pub recompute_unchanged: bool,
    /// Replays at once; as many as the server has cores when absent.
    pub concurrency: Option<NonZero<u32>>,
}

/// Which scans a batch replays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchScans {
    /// All requested at or after a time.
    Since(UnixMillis),
    /// These, of which there is one at least.
    Named(Vec<ScanId>),
}

impl Default for BatchScans {
    /// All.
    fn default() -> Self {
        Self::Since(UnixMillis::ZERO)
    }
}

/// What a batch replays against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchInputs {
    /// Exactly each scan's own.
    Original,
    /// These, and what is current of those that are absent.
    Current {
        /// Feed snapshot.
        concelier: Option<SnapshotHash>,
        /// VEX snapshot.
        excititor: Option<SnapshotHash>,
        /// Policy.
        policy: Option<PolicyHash>,
    },
}

impl Default for BatchInputs {
    /// What is current.
    fn default() -> Self {
        Self::Current {
            concelier: None,
            excititor: None,
            policy: None,
        }
    }
}

impl NewBatch {
    pub(crate) fn to_wire(&self, id: &str) -> Result<wire::StartBatchReplayRequest, ClientError> {
        let mut request = wire::StartBatchReplayRequest {
            request_id: id.to_owned(),
            recompute_unchanged: self.recompute_unchanged,
            max_concurrency: self.concurrency.map_or(0, NonZero::get),
            ..wire::StartBatchReplayRequest::default()
        };
        match &self.scans {
            BatchScans::Since(since) => request.since_unix_ms = since.get(),
            // On the wire no names are all scans.
            BatchScans::Named(scans) if scans.is_empty() => {
                let message = "a batch of no scans: name one at least".to_owned();
                return Err(refused(Reason::InvalidArgument, message));
            }
            BatchScans::Named(scans) => {
                request.scan_ids = scans.iter().map(ScanId::to_string).collect();
            }
        }
        match self.inputs {
            BatchInputs::Original => request.use_original_snapshots = true,
            BatchInputs::Current {
                concelier,
                excititor,
                policy,
            } => {
                request.concelier_snapshot_hash = text_of(concelier);
                request.excititor_snapshot_hash = text_of(excititor);
                request.lattice_policy_hash = text_of(policy);
            }
        }
        Ok(request)
    }
}
