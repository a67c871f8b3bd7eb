//! A log in memory for the tests of the index: events as the ledger writes them, and a naive model
//! of every answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock};

use stella_verify::event::payload::{
    ManifestRegistered, PayloadErased, RootSealed, ScanId, SnapshotPublished,
};
use stella_verify::event::{Actor, EventHeader, EventType, LogOrigin, RuleApplied, StreamName};
use stella_verify::hash::{
    BlobDigest, ManifestHash, NodeId, PayloadCommitment, PolicyHash, ProofRoot, RootHash, Salt,
    SnapshotHash, sha256, to_hex,
};
use stella_verify::manifest::{EngineVersion, ScanManifest};
use stella_verify::merkle::{Frontier, LeafRange, TreeHead, leaf_hash};
use stella_verify::snapshot::SnapshotKind;
use stella_verify::units::{
    BasisPoints, LeafIndex, NodeSequence, StreamPosition, TreeSize, UnixMillis,
};

use super::source::{EventSource, SourceError, SourceEvent};

/// Small deterministic pseudo-randomness (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % bound
    }
}

#[derive(Debug, Clone)]
struct Entry {
    leaf: Vec<u8>,
    payload: Option<Vec<u8>>,
}

/// What the index must answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) nodes: BTreeMap<NodeId, Vec<LeafIndex>>,
    pub(crate) children: BTreeMap<NodeId, Vec<LeafIndex>>,
    pub(crate) streams: BTreeMap<String, Vec<LeafIndex>>,
    pub(crate) roots: BTreeMap<ProofRoot, Vec<LeafIndex>>,
    pub(crate) artifacts: BTreeMap<BlobDigest, Vec<LeafIndex>>,
    pub(crate) scans: Vec<(UnixMillis, LeafIndex, String)>,
    pub(crate) published: Vec<LeafIndex>,
    pub(crate) erased: BTreeSet<LeafIndex>,
}

/// A log that grows by pushes and publishes when told.
#[derive(Default)]
pub(crate) struct MemoryLog {
    entries: RwLock<Vec<Entry>>,
    published: RwLock<BTreeMap<TreeSize, RootHash>>,
    wakes: RwLock<Vec<Box<dyn Fn() + Send + Sync>>>,
    positions: BTreeMap<String, u64>,
    frontier: Frontier,
    time: u64,
    pub(crate) model: Model,
}

impl MemoryLog {
    pub(crate) fn new() -> Self {
        let log = Self::default();
        log.publish();
        log
    }

    pub(crate) fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// Makes all that was pushed readable.
    pub(crate) fn publish(&self) -> TreeHead<RootHash> {
        let head = self.frontier.head();
        self.published.write().unwrap().insert(head.size, head.root);
        self.wakes.read().unwrap().iter().for_each(|wake| wake());
        head
    }

    pub(crate) fn push(&mut self, stream: &str, event_type: &str, payload: &[u8]) -> LeafIndex {
        let position = self.positions.entry(stream.into()).or_default();
        self.time += *position % 3;
        let salt = Salt::new([7; 32]);
        let header = EventHeader {
            log_origin: LogOrigin::new("test.example/log").unwrap(),
            stream: StreamName::new(stream).unwrap(),
            position: StreamPosition::new(*position),
            time: UnixMillis::new(self.time),
            actor: Actor::new("tester").unwrap(),
            event_type: EventType::new(event_type).unwrap(),
            payload: PayloadCommitment::of(&salt, payload),
        };
        *position += 1;
        let index = self.push_leaf(header.to_bytes(), Some(payload.to_vec()));
        let leaves = self.model.streams.entry(stream.into()).or_default();
        leaves.push(index);
        if let ([_], Some(scan)) = (&leaves[..], stream.strip_prefix("scan/")) {
            let time = UnixMillis::new(self.time);
            self.model.scans.push((time, index, scan.into()));
        }
        index
    }

    /// A leaf that is no event, as in a bare log.
    pub(crate) fn push_bare(&mut self, leaf: &[u8]) -> LeafIndex {
        self.push_leaf(leaf.to_vec(), None)
    }

    fn push_leaf(&mut self, leaf: Vec<u8>, payload: Option<Vec<u8>>) -> LeafIndex {
        let index = self.frontier.size().next_index();
        self.frontier.push(leaf_hash(&leaf));
        self.entries.write().unwrap().push(Entry { leaf, payload });
        index
    }

    /// Erases payloads the way the log does: the event first, then the bytes.
    pub(crate) fn erase(&mut self, leaves: Vec<LeafIndex>) {
        let payload = PayloadErased::new(leaves.clone(), "test".into()).unwrap();
        self.push("retention", "payload.erased", &payload.to_bytes());
        for leaf in leaves {
            let at = usize::try_from(leaf.get()).unwrap();
            self.entries.write().unwrap()[at].payload = None;
            self.model.erased.insert(leaf);
            let model = &mut self.model;
            for found in model.nodes.values_mut().chain(model.children.values_mut()) {
                found.retain(|found| *found != leaf);
            }
            for found in model.roots.values_mut().chain(model.artifacts.values_mut()) {
                found.retain(|found| *found != leaf);
            }
            model.published.retain(|found| *found != leaf);
        }
    }

    /// One rule application with parents; ids repeat between computations.
    fn push_node(&mut self, computation: ManifestHash, sequence: u32, random: &mut Random) {
        let stream = format!("computation/{}", to_hex(computation.as_bytes()));
        let mut parents: Vec<NodeId> = Vec::new();
        for _ in 0..random.below(3) {
            parents.push(NodeId::new(sha256(&random.below(50).to_be_bytes())));
        }
        parents.sort();
        parents.dedup();
        let listed: Vec<String> = parents.iter().map(|id| format!("\"{id}\"")).collect();
        let node = format!(
            r#"{{"n":{},"parentIds":[{}]}}"#,
            random.below(3_000),
            listed.join(",")
        );
        let rule = RuleApplied {
            computation,
            sequence: NodeSequence::new(sequence),
            node: node.as_bytes(),
        };
        let leaf = self.push(&stream, "rule.applied", &rule.to_bytes());
        self.model
            .nodes
            .entry(rule.node_id())
            .or_default()
            .push(leaf);
        for parent in parents {
            self.model.children.entry(parent).or_default().push(leaf);
        }
    }

    /// A whole scan of `nodes` nodes: registered, computed, sealed.
    pub(crate) fn push_scan(&mut self, number: u64, nodes: u32, random: &mut Random) {
        let manifest = manifest(number);
        let hash = manifest.hash();
        let scan = ScanId::of(hash, 20);
        let stream = format!("scan/{scan}");
        let artifact = manifest.artifact_digest;
        let registered = ManifestRegistered {
            scan: scan.clone(),
            manifest,
        };
        let leaf = self.push(&stream, "manifest.registered", &registered.to_bytes());
        self.model.artifacts.entry(artifact).or_default().push(leaf);
        let first_leaf = self.size().next_index();
        for sequence in 0..nodes {
            self.push_node(hash, sequence, random);
            if random.below(40) == 0 {
                self.push_bare(&random.below(1_000).to_be_bytes());
            }
        }
        let sealed = RootSealed {
            scan,
            manifest: hash,
            root: ProofRoot::new(sha256(&(number % 20).to_be_bytes())),
            nodes: NodeSequence::new(nodes),
            score: BasisPoints::new(5_000),
            engine_version: EngineVersion::new(1),
            artifact,
            first_leaf,
            engine_build: "test".into(),
        };
        let leaf = self.push(&stream, "root.sealed", &sealed.to_bytes().unwrap());
        self.model.roots.entry(sealed.root).or_default().push(leaf);
    }

    /// A mixture of everything, up to about `size` leaves.
    pub(crate) fn grow(&mut self, size: u64, random: &mut Random) {
        let mut number = self.size().get();
        while self.size().get() < size {
            number += 1;
            match random.below(20) {
                0 => {
                    let published = SnapshotPublished {
                        snapshot: SnapshotHash::new(sha256(&number.to_be_bytes())),
                        kind: SnapshotKind::Concelier,
                    };
                    let payload = published.to_bytes();
                    let leaf = self.push("snapshots", "snapshot.published", &payload);
                    self.model.published.push(leaf);
                }
                1 => {
                    let size = self.size().get();
                    let leaves = (0..random.below(5))
                        .filter(|_| size > 0)
                        .map(|_| LeafIndex::new(random.below(size)))
                        .collect::<BTreeSet<_>>();
                    self.erase_payloads(leaves.into_iter().collect());
                }
                2 => {
                    self.push("odd", "unknown.type", b"anything");
                    self.push("odd", "root.sealed", b"{}");
                }
                _ => {
                    let nodes = u32::try_from(random.below(120)).unwrap();
                    self.push_scan(number, nodes, random);
                }
            }
        }
    }

    /// Retention events themselves are not erased.
    fn erase_payloads(&mut self, leaves: Vec<LeafIndex>) {
        let retention: BTreeSet<LeafIndex> = self
            .model
            .streams
            .get("retention")
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let leaves: Vec<LeafIndex> = leaves
            .into_iter()
            .filter(|leaf| !retention.contains(leaf))
            .collect();
        if !leaves.is_empty() {
            self.erase(leaves);
        }
    }
}

fn manifest(number: u64) -> ScanManifest {
    ScanManifest {
        artifact_digest: BlobDigest::new(sha256(&(number % 30).to_be_bytes())),
        artifact_purl: None,
        sbom_digest: BlobDigest::new(sha256(&number.to_be_bytes())),
        reachability_digest: None,
        concelier_snapshot: SnapshotHash::new([1; 32]),
        excititor_snapshot: SnapshotHash::new([2; 32]),
        lattice_policy: PolicyHash::new([3; 32]),
        engine_version: EngineVersion::new(1),
        scanner_version: "1".into(),
        worker_version: "1".into(),
        seed: to_hex(&[0; 32]).parse().unwrap(),
        knobs: BTreeMap::new(),
    }
}

impl EventSource for MemoryLog {
    fn head(&self) -> TreeHead<RootHash> {
        let published = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let (size, root) = published.last_key_value().unwrap();
        TreeHead {
            size: *size,
            root: *root,
        }
    }

    fn on_publish(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.wakes.write().unwrap().push(wake);
    }

    fn visit(
        &self,
        range: LeafRange,
        visit: &mut dyn FnMut(SourceEvent<'_>) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        for index in range.start.get()..range.end.get() {
            let entry = &entries[usize::try_from(index).unwrap()];
            let flow = visit(SourceEvent {
                index: LeafIndex::new(index),
                leaf: &entry.leaf,
                payload: entry.payload.as_deref(),
            });
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn published_root(&self, size: TreeSize) -> Result<Option<RootHash>, SourceError> {
        let published = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(published.get(&size).copied())
    }
}
