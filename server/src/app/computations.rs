//! Running the engine over a manifest and recording every node it makes.

use super::App;
use super::engine::{self, Computed, Inputs};
use super::scans::{parse_scan_id, scan_state, stream_of};
use super::writer::Draft;
use crate::auth::Caller;
use crate::refusal::Refusal;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, mpsc};
use stella_ledger::index::kv::Direction;
use stella_ledger::ledger::{Event, PageSize};
use stella_ledger::log::{AppendError, Expected, NameRule, Named, Receipt};
use stella_proto::reason::Reason;
use stella_verify::event::payload::{RootSealed, ScanFootprint, ScanId};
use stella_verify::event::{EventType, RuleApplied, StreamName};
use stella_verify::hash::{ManifestHash, to_hex};
use stella_verify::limits::MAX_PAYLOAD_BYTES;
use stella_verify::manifest::ScanManifest;
use stella_verify::node::SealedNode;
use stella_verify::snapshot::Footprint;
use stella_verify::units::{LeafIndex, NodeSequence, StreamPosition, UnixMillis};

/// Nodes in one request.
const NODES_IN_REQUEST: usize = 1024;

/// Requests under way at once: the log commits several in one frame.
const REQUESTS_IN_FLIGHT: usize = 8;

/// What executed a computation; stands in the seal event, never in a node.
const ENGINE_BUILD: &str = concat!("stella-", env!("CARGO_PKG_VERSION"));

impl App {
    /// Computes a registered manifest and seals its root, unless that is done.
    ///
    /// A crash leaves a prefix of the nodes, or all of them without the seal. Doing it again
    /// compares that prefix with what is computed now and appends the rest: nodes first, in order,
    /// the seal after all of them. Answers what was computed, unless another did it.
    pub(super) fn complete(
        &self,
        scan: &ScanId,
        manifest: &ScanManifest,
        inputs: &Inputs,
    ) -> Result<Option<Computed>, Refusal> {
        let completed = self.compute_and_seal(scan, manifest, inputs);
        self.metrics.generated(&completed);
        completed
    }

    fn compute_and_seal(
        &self,
        scan: &ScanId,
        manifest: &ScanManifest,
        inputs: &Inputs,
    ) -> Result<Option<Computed>, Refusal> {
        let hash = manifest.hash();
        if self.scan_state(scan)?.0.seal_of(hash).is_some() {
            return Ok(None);
        }
        let computed = engine::compute(manifest, inputs)?;
        // Two callers may have computed the same; only one records it.
        let _recording = self
            .recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.scan_state(scan)?.0.seal_of(hash).is_some() {
            return Ok(Some(computed));
        }
        let first = self.record(hash, computed.nodes())?;
        let uses = computed.footprint(inputs);
        self.seal(scan, manifest, &computed, uses, first)?;
        Ok(Some(computed))
    }

    /// Appends the nodes that are not there yet; answers the leaf index of the first.
    fn record(&self, manifest: ManifestHash, nodes: &[SealedNode]) -> Result<LeafIndex, Refusal> {
        let mut recorded = Recorded::default();
        let view = self.newest()?;
        view.visit_computation(&manifest, |_, node| recorded.take(nodes, node))?;
        if let Some(sequence) = recorded.differs {
            let message =
                format!("node {sequence} of the unfinished computation {manifest} differs");
            return Err(Refusal::new(Reason::ReplayDiffers, message));
        }
        let rest = nodes.get(recorded.count..).unwrap_or_default();
        let first = self.append_nodes(manifest, recorded.count, rest)?;
        match first {
            Some(first) if recorded.count == 0 => Ok(first),
            _ => self.first_leaf(manifest),
        }
    }

    /// The leaf of a computation's node 0.
    fn first_leaf(&self, manifest: ManifestHash) -> Result<LeafIndex, Refusal> {
        let stream = stream(manifest)?;
        let page = self
            .newest()?
            .stream(&stream, StreamPosition::ZERO, PageSize::of(1))?;
        let first = page.events.first().map(Event::index);
        first.ok_or_else(|| Refusal::new(Reason::Internal, "a computation has no nodes"))
    }

    /// Appends nodes from a place in the computation on, several requests under way at once.
    fn append_nodes(
        &self,
        manifest: ManifestHash,
        from: usize,
        nodes: &[SealedNode],
    ) -> Result<Option<LeafIndex>, Refusal> {
        let stream = stream(manifest)?;
        let (answers, answered) = mpsc::channel();
        let mut chunks = nodes.chunks(NODES_IN_REQUEST).enumerate();
        let (mut waiting, mut first) = (0, None);
        loop {
            while waiting < REQUESTS_IN_FLIGHT
                && let Some((number, chunk)) = chunks.next()
            {
                let start = from + number * NODES_IN_REQUEST;
                let draft = rules(&stream, manifest, start, chunk)?;
                let answers = answers.clone();
                let answer = move |outcome: Result<Receipt, AppendError>| {
                    answers.send((number, outcome)).ok();
                };
                self.ledger.submit(draft.finish()?, Box::new(answer));
                waiting += 1;
            }
            if waiting == 0 {
                return Ok(first);
            }
            let (number, outcome) = answered
                .recv()
                .map_err(|_| Refusal::new(Reason::Unavailable, "the log closed"))?;
            let receipt = outcome.map_err(Refusal::from)?;
            if number == 0 {
                first = Some(receipt.first);
            }
            waiting -= 1;
        }
    }

    fn seal(
        &self,
        scan: &ScanId,
        manifest: &ScanManifest,
        computed: &Computed,
        uses: Footprint,
        first_leaf: LeafIndex,
    ) -> Result<(), Refusal> {
        let hash = manifest.hash();
        let sealed = RootSealed {
            scan: scan.clone(),
            manifest: hash,
            root: computed.root(),
            nodes: NodeSequence::new(u32::try_from(computed.nodes().len()).unwrap_or(u32::MAX)),
            score: computed.score(),
            engine_version: manifest.engine_version,
            artifact: manifest.artifact_digest,
            first_leaf,
            engine_build: ENGINE_BUILD.to_owned(),
        };
        let payload = sealed
            .to_bytes()
            .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))?;
        let signed = self.sign_proof(manifest, &sealed)?;
        let mut draft = Draft::by(&engine_caller())
            .name(NameRule::Require(Named::Manifest(hash)))
            .name(NameRule::Introduce(Named::Sealed(hash)));
        let footprint = ScanFootprint {
            scan: scan.clone(),
            manifest: hash,
            uses,
        };
        let footprint = footprint.to_bytes();
        // An artifact of a hundred thousand packages goes without: it is always recomputed.
        if footprint.len() <= MAX_PAYLOAD_BYTES {
            draft = draft.event(&stream_of(scan), EventType::SCAN_FOOTPRINT, footprint)?;
        }
        draft = draft
            .event(&stream_of(scan), EventType::ROOT_SEALED, payload)?
            .event(&stream_of(scan), EventType::PROOF_SIGNED, signed.to_bytes())?;
        self.append(draft)?;
        Ok(())
    }

    /// Completes what a crash left registered but not sealed: of the newest scans, since what was
    /// under way then is not older than that. A replay that was cut short is completed by asking for
    /// it again.
    ///
    /// What cannot be completed now (the disk is full, an input is damaged or gone, this engine gives
    /// other nodes) stays as it is until the next open or until somebody asks for it again: whoever wants
    /// to read the log must be able to.
    pub(super) fn resume(&self) -> Result<(), Refusal> {
        let view = self.newest()?;
        let size = PageSize::of(RESUMED_SCANS);
        let newest = view.scans(UnixMillis::ZERO, None, size, Direction::Backward)?;
        for summary in newest.items {
            let scan = parse_scan_id(&summary.scan)?;
            let state = scan_state(&view, &scan)?;
            for manifest in &state.manifests {
                if state.seal_of(manifest.hash()).is_none() {
                    let inputs = self.load(manifest);
                    let done = inputs.and_then(|inputs| self.complete(&scan, manifest, &inputs));
                    match done {
                        Ok(_) => {}
                        Err(refusal) => {
                            tracing::warn!(scan = scan.as_str(), %refusal, "left unfinished");
                            if matches!(refusal.reason, Reason::Storage | Reason::LogPoisoned) {
                                return Ok(());
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// Scans that an open looks at for unfinished work.
const RESUMED_SCANS: usize = 500;

/// The stream of a computation.
fn stream(manifest: ManifestHash) -> Result<StreamName<Arc<str>>, Refusal> {
    let name = format!("computation/{}", to_hex(manifest.as_bytes()));
    StreamName::new(Arc::from(name.as_str()))
        .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))
}

/// Who applies rules: whoever asked for the score stands in `scan.requested`.
fn engine_caller() -> Caller {
    Caller::own("engine")
}

/// How far an unfinished computation got.
#[derive(Debug, Default)]
struct Recorded {
    count: usize,
    differs: Option<usize>,
}

impl Recorded {
    fn take(&mut self, computed: &[SealedNode], node: &[u8]) -> ControlFlow<()> {
        if computed
            .get(self.count)
            .is_none_or(|expected| expected.bytes() != node)
        {
            self.differs = Some(self.count);
            return ControlFlow::Break(());
        }
        self.count += 1;
        ControlFlow::Continue(())
    }
}

/// One request's worth of rule applications, `start` being the sequence of the first.
fn rules(
    stream: &StreamName<Arc<str>>,
    manifest: ManifestHash,
    start: usize,
    nodes: &[SealedNode],
) -> Result<Draft, Refusal> {
    let mut draft = Draft::by(&engine_caller());
    for (offset, node) in nodes.iter().enumerate() {
        // Bounded by MAX_NODES_PER_COMPUTATION.
        let sequence = u32::try_from(start + offset).unwrap_or(u32::MAX);
        let rule = RuleApplied {
            computation: manifest,
            sequence: NodeSequence::new(sequence),
            node: node.bytes(),
        };
        let expected = Expected::At(StreamPosition::new(u64::from(sequence)));
        draft = draft.push(
            stream.clone(),
            EventType::RULE_APPLIED,
            rule.to_bytes(),
            expected,
        )?;
    }
    Ok(draft)
}
