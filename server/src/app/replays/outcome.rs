//! One replay: computing, comparing, or seeing that nothing changed; and recording which.

use super::resolve::Wanted;
use crate::app::repeats::Repeatable;
use crate::app::scans::{ScanState, stream_of};
use crate::app::writer::{AppendOutcome, Draft};
use crate::app::{App, engine};
use crate::auth::Caller;
use crate::refusal::Refusal;
use std::time::Instant;
use stella_ledger::ledger::SealRecord;
use stella_ledger::log::Expected;
use stella_proto::reason::Reason;
use stella_scoring::explain::{FirstDifference, first_difference};
use stella_verify::event::EventType;
use stella_verify::event::payload::{ReplayedSnapshots, ScanId, ScoreReplayed};
use stella_verify::hash::{NodeId, ProofRoot};
use stella_verify::manifest::ScanManifest;
use stella_verify::node::SealedNode;
use stella_verify::units::{BasisPoints, LeafIndex, NodeSequence, UnixMillis};

/// Who asks for a replay, and under which request id.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Author<'a> {
    /// The caller.
    pub(in crate::app) caller: &'a Caller,
    /// The caller's request, where it may be repeated.
    pub(in crate::app) asked: Option<&'a Repeatable>,
}

/// How a replay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Status {
    /// A root that was not there before.
    Computed,
    /// The recorded root came out again.
    Verified,
    /// Not computed: what the scan uses is equal.
    Unchanged,
    /// Computed and compared, not recorded.
    DryRun,
}

impl Status {
    /// The word in answers.
    pub(in crate::app) const fn name(self) -> &'static str {
        match self {
            Self::Computed => "computed",
            Self::Verified => "verified",
            Self::Unchanged => "unchanged",
            Self::DryRun => "dry-run",
        }
    }
}

/// What came of a replay.
pub(in crate::app) struct Outcome {
    /// How it ended.
    pub(in crate::app) status: Status,
    /// The manifest whose root holds now. For an unchanged scan that is the older one.
    pub(in crate::app) manifest: ScanManifest,
    /// The manifest that was asked for.
    pub(in crate::app) asked: ScanManifest,
    /// Its root.
    pub(in crate::app) root: ProofRoot,
    /// Its score.
    pub(in crate::app) score: BasisPoints,
    /// How many nodes it has.
    pub(in crate::app) nodes: NodeSequence,
    /// Whether recorded nodes were recomputed and came out equal.
    pub(in crate::app) equal: bool,
    /// The event that records the replay; none for a dry run.
    pub(in crate::app) leaf: Option<LeafIndex>,
    /// When.
    pub(in crate::app) time: UnixMillis,
    /// The nodes, where they were computed here.
    pub(in crate::app) computed: Option<Vec<SealedNode>>,
    /// The seal, where there is one.
    pub(in crate::app) seal: Option<SealRecord>,
}

impl App {
    /// Replays one scan and records what came of it.
    ///
    /// A crash leaves either nothing, or a registered manifest that the same replay completes, or
    /// all of it.
    pub(in crate::app) fn replay_one(
        &self,
        author: Author<'_>,
        state: &ScanState,
        wanted: &Wanted,
    ) -> Result<Outcome, Refusal> {
        let begun = Instant::now();
        let outcome = self.resolve_and_replay(author, state, wanted);
        let how = outcome
            .as_ref()
            .map_or("failed", |outcome| outcome.status.name());
        self.metrics.replayed(how, begun.elapsed());
        outcome
    }

    fn resolve_and_replay(
        &self,
        author: Author<'_>,
        state: &ScanState,
        wanted: &Wanted,
    ) -> Result<Outcome, Refusal> {
        let manifest = self.resolve_replay(state.original()?, wanted)?;
        if wanted.skip_unchanged
            && !wanted.dry_run
            && let Some(unchanged) = self.unchanged(state, &manifest, |_, _| Ok(false))?
        {
            return self.record_unchanged(author, state, manifest, unchanged);
        }
        let seal = self.newest()?.seal_of(&manifest.hash())?;
        match seal {
            Some(seal) => self.recompute(author, &state.id, manifest, seal, wanted.dry_run),
            None if wanted.original => Err(Refusal::new(
                Reason::ProofNotFound,
                format!("{} is not sealed yet", state.id),
            )),
            None if wanted.dry_run => self.try_out(manifest),
            None => self.compute_new(author, &state.id, manifest),
        }
    }

    /// Computes what was never computed, under the scan that is replayed.
    fn compute_new(
        &self,
        author: Author<'_>,
        scan: &ScanId,
        manifest: ScanManifest,
    ) -> Result<Outcome, Refusal> {
        let inputs = self.load(&manifest)?;
        engine::check(&manifest, &inputs)?;
        let draft = Self::registration(author.caller, scan, &manifest, Expected::Any)?;
        let kept =
            self.keep_snapshots([manifest.concelier_snapshot, manifest.excititor_snapshot])?;
        match self.append(draft.asked(author.asked)) {
            Ok(_) => (),
            // Registered before and not sealed: a crash, or another caller at this moment.
            Err(AppendOutcome::AlreadyKnown) => {
                let subject = manifest.hash().to_string();
                self.remember(author.caller, author.asked, &subject)?;
            }
            Err(other) => return Err(other.into()),
        }
        drop(kept);
        let hash = manifest.hash();
        let owner = self.newest()?.manifest(&hash)?.registered.scan;
        let computed = self.complete(&owner, &manifest, &inputs)?;
        let seal = self.newest()?.seal_of(&hash)?;
        let seal =
            seal.ok_or_else(|| Refusal::new(Reason::Internal, format!("{hash} is not sealed")))?;
        let mut outcome = Outcome::of_seal(Status::Computed, manifest, seal);
        outcome.computed = computed.map(engine::Computed::into_nodes);
        Ok(outcome)
    }

    /// Computes without recording anything.
    fn try_out(&self, manifest: ScanManifest) -> Result<Outcome, Refusal> {
        let computed = engine::compute(&manifest, &self.load(&manifest)?)?;
        Ok(Outcome::of_computed(manifest, computed))
    }

    /// Computes again what is sealed, compares node by node, and records what came of it.
    fn recompute(
        &self,
        author: Author<'_>,
        scan: &ScanId,
        manifest: ScanManifest,
        seal: SealRecord,
        dry_run: bool,
    ) -> Result<Outcome, Refusal> {
        let computed = engine::compute(&manifest, &self.load(&manifest)?)?;
        let recorded = self.score_proof(&seal)?;
        let difference = first_difference(&ids(recorded.nodes()), &ids(computed.nodes()));
        let place = difference.map(|difference| difference.sequence);
        let replayed = ScoreReplayed {
            scan: scan.clone(),
            manifest: manifest.hash(),
            root: computed.root(),
            equal: place.is_none(),
            first_difference: place,
            snapshots: None,
        };
        let leaf = if dry_run {
            None
        } else {
            Some(self.append_replayed(author, &replayed)?)
        };
        if let Some(difference) = difference {
            let message = format!(
                "recomputing {} gave root {} instead of {}: {}",
                manifest.hash(),
                computed.root(),
                seal.sealed.root,
                told(&difference, recorded.nodes(), computed.nodes())
            );
            return Err(Refusal::new(Reason::ReplayDiffers, message));
        }
        let mut outcome = if dry_run {
            Outcome::of_computed(manifest, computed)
        } else {
            let mut outcome = Outcome::of_seal(Status::Verified, manifest, seal);
            outcome.computed = Some(computed.into_nodes());
            outcome
        };
        outcome.equal = true;
        self.at_leaf(&mut outcome, leaf)?;
        Ok(outcome)
    }

    /// Records that an update changes nothing about a scan.
    fn record_unchanged(
        &self,
        author: Author<'_>,
        state: &ScanState,
        asked: ScanManifest,
        unchanged: super::changes::Unchanged,
    ) -> Result<Outcome, Refusal> {
        let replayed = unchanged.event(&state.id, &asked);
        let leaf = self.append_replayed(author, &replayed)?;
        let mut outcome = Outcome::of_seal(Status::Unchanged, unchanged.manifest, unchanged.seal);
        outcome.asked = asked;
        self.at_leaf(&mut outcome, Some(leaf))?;
        Ok(outcome)
    }

    fn append_replayed(
        &self,
        author: Author<'_>,
        replayed: &ScoreReplayed,
    ) -> Result<LeafIndex, Refusal> {
        let draft = Draft::by(author.caller).asked(author.asked).event(
            &stream_of(&replayed.scan),
            EventType::SCORE_REPLAYED,
            replayed.to_bytes(),
        )?;
        Ok(self.append(draft)?.first)
    }

    pub(super) fn at_leaf(
        &self,
        outcome: &mut Outcome,
        leaf: Option<LeafIndex>,
    ) -> Result<(), Refusal> {
        let Some(leaf) = leaf else { return Ok(()) };
        let event = self.newest()?.event(leaf)?;
        outcome.leaf = Some(leaf);
        outcome.time = (event.header())
            .map_err(|problem| Refusal::new(Reason::LogDamaged, problem.to_string()))?
            .time;
        Ok(())
    }
}

fn ids(nodes: &[SealedNode]) -> Vec<NodeId> {
    nodes.iter().map(SealedNode::id).collect()
}

/// The first node that differs, in a sentence.
fn told(difference: &FirstDifference, recorded: &[SealedNode], computed: &[SealedNode]) -> String {
    let place = usize::try_from(difference.sequence.get()).unwrap_or(usize::MAX);
    let named = |nodes: &[SealedNode]| match nodes.get(place) {
        None => "no node".to_owned(),
        Some(node) => {
            let parts = node.node().parts();
            let about = [&parts.subject.purl, &parts.subject.advisory_id];
            let about: Vec<&str> = about.into_iter().flatten().map(|text| &**text).collect();
            format!("{} ({} {})", node.id(), parts.rule_id, about.join(" "))
        }
    };
    format!(
        "the first node that differs is at place {}: {} was recorded, {} came out",
        difference.sequence,
        named(recorded),
        named(computed)
    )
}

impl super::changes::Unchanged {
    /// The event that states it.
    pub(in crate::app) fn event(&self, scan: &ScanId, asked: &ScanManifest) -> ScoreReplayed {
        ScoreReplayed {
            scan: scan.clone(),
            manifest: self.seal.sealed.manifest,
            root: self.seal.sealed.root,
            equal: true,
            first_difference: None,
            snapshots: Some(ReplayedSnapshots {
                concelier: asked.concelier_snapshot,
                excititor: asked.excititor_snapshot,
                touched: self.touched,
            }),
        }
    }
}

impl Outcome {
    pub(super) fn of_seal(status: Status, manifest: ScanManifest, seal: SealRecord) -> Self {
        Self {
            status,
            asked: manifest.clone(),
            manifest,
            root: seal.sealed.root,
            score: seal.sealed.score,
            nodes: seal.sealed.nodes,
            equal: false,
            leaf: Some(seal.leaf),
            time: seal.time,
            computed: None,
            seal: Some(seal),
        }
    }

    fn of_computed(manifest: ScanManifest, computed: engine::Computed) -> Self {
        let nodes = u32::try_from(computed.nodes().len()).unwrap_or(u32::MAX);
        Self {
            status: Status::DryRun,
            asked: manifest.clone(),
            manifest,
            root: computed.root(),
            score: computed.score(),
            nodes: NodeSequence::new(nodes),
            equal: false,
            leaf: None,
            time: UnixMillis::ZERO,
            computed: Some(computed.into_nodes()),
            seal: None,
        }
    }
}
