//! Costs of the formats on the hot paths: `cargo bench -p stella-verify --bench formats [-- PART OF A NAME]`.
//!
//! Prints nanoseconds of processor time per operation, the mean over half a second. Compare rows of
//! one run, not of two machines.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use stella_verify::bundle::{BundleParts, SealEvent, TrustInput, build, verify};
use stella_verify::checkpoint::{Checkpoint, Origin};
use stella_verify::dsse::{Envelope, IN_TOTO_PAYLOAD_TYPE};
use stella_verify::event::payload::{RootSealed, ScanId};
use stella_verify::event::{Actor, EventHeader, EventType, LogOrigin, RuleApplied, StreamName};
use stella_verify::export::{
    ExportHeader, ExportTrust, ExportVerifier, ExportedPayload, write_payload,
};
use stella_verify::hash::{BlobDigest, PayloadCommitment, PolicyHash, Salt, SnapshotHash};
use stella_verify::json::{Object, parse_canonical};
use stella_verify::keys::{EnvelopeSigner as _, SigningKey};
use stella_verify::limits::TILE_WIDTH;
use stella_verify::manifest::{EngineVersion, ScanManifest, Seed};
use stella_verify::merkle::{
    ConsistencyProof, LeafRange, MemoryTree, leaf_hash, prove_inclusion, prove_range,
};
use stella_verify::node::{
    EvidenceRef, NodeKind, NodeParts, ProofNode, Scope, SealedNode, Subject,
};
use stella_verify::note::{Ed25519Signer, KeyName, NoteSigner as _};
use stella_verify::score_proof::ScoreProof;
use stella_verify::statement::{ArtifactSubject, ScanManifestStatement, ScoreProofStatement};
use stella_verify::tile::append_entry;
use stella_verify::tlog_proof::TlogProof;
use stella_verify::units::{BasisPoints, LeafIndex, NodeSequence, StreamPosition, UnixMillis};

const ORIGIN: &str = "log.example/a";

fn main() {
    let manifest = manifest();
    let nodes = nodes(&manifest, 5_000);
    let node = nodes.get(1).unwrap().node().clone();
    let mut out = Vec::with_capacity(4096);
    println!(
        "proof node of {} bytes",
        nodes.get(1).unwrap().bytes().len()
    );
    row("node: build and seal", || {
        black_box(ProofNode::new(parts(7, &nodes)).unwrap().seal());
    });
    row("node: to canonical bytes", || {
        out.clear();
        black_box(&node).write(&mut out);
    });
    let bytes = nodes.get(1).unwrap().bytes().to_vec();
    row("node: from canonical bytes", || {
        black_box(ProofNode::parse(black_box(&bytes)).unwrap());
    });
    row("json: parse_canonical of a node", || {
        black_box(parse_canonical(black_box(&bytes)).unwrap());
    });
    events(&manifest, &bytes);
    export();
    bundle(&manifest, nodes);
}

/// An audit export of 25,600 events with payloads of 400 bytes: 100 entry bundles.
fn export() {
    const EVENTS: usize = 25_600;
    let (salt, payload) = (Salt::new([3; 32]), vec![b'x'; 400]);
    let mut leaf = header("scan/scan-0123456789abcdef0123", EventType::RULE_APPLIED);
    leaf.payload = PayloadCommitment::of(&salt, &payload);
    let leaf = leaf.to_bytes();
    let mut tree = MemoryTree::default();
    (0..EVENTS).for_each(|_| tree.push(leaf_hash(&leaf)));
    let signer = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[9; 32]);
    let checkpoint = Checkpoint {
        origin: Origin::new(ORIGIN).unwrap(),
        head: tree.head(),
        extensions: vec![],
    };
    let end = LeafIndex::new(EVENTS.try_into().unwrap());
    let range = LeafRange {
        start: LeafIndex::ZERO,
        end,
    };
    let header = ExportHeader {
        range,
        opening: None,
        closing: checkpoint.sign(&signer, &[]).unwrap().to_string(),
        range_proof: prove_range(range, tree.head().size, &tree).unwrap(),
        consistency: ConsistencyProof::new(vec![]),
    };
    let mut file = header.to_bytes().unwrap();
    for _ in 0..EVENTS / TILE_WIDTH {
        let mut entries = Vec::new();
        (0..TILE_WIDTH).for_each(|_| append_entry(&mut entries, &leaf).unwrap());
        file.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_be_bytes());
        file.extend_from_slice(&entries);
        let bytes = payload.as_slice();
        let present = ExportedPayload::Present { salt, bytes };
        (0..TILE_WIDTH).for_each(|_| write_payload(&mut file, &present));
    }
    let keys = [signer.verifier_key().clone()];
    let trust = ExportTrust::Log {
        keys: &keys,
        origin: None,
    };
    println!("audit export of {EVENTS} events, {} bytes", file.len());
    row("export: verify all of it", || {
        let mut verifier = ExportVerifier::new(trust);
        for piece in file.chunks(256 * 1024) {
            verifier.push(piece, |_| ()).unwrap();
        }
        black_box(verifier.finish().unwrap());
    });
}

fn events(manifest: &ScanManifest, node: &[u8]) {
    let header = header("scan/scan-0123456789abcdef0123", EventType::RULE_APPLIED);
    let leaf = header.to_bytes();
    let mut out = Vec::with_capacity(4096);
    println!("event leaf of {} bytes", leaf.len());
    row("event: encode a header", || {
        out.clear();
        black_box(&header).encode(&mut out);
    });
    row("event: decode a header", || {
        black_box(EventHeader::decode(black_box(&leaf)).unwrap());
    });
    let rule = RuleApplied {
        computation: manifest.hash(),
        sequence: NodeSequence::new(7),
        node,
    };
    row("event: encode a rule application", || {
        out.clear();
        black_box(&rule).encode(&mut out);
    });
}

fn bundle(manifest: &ScanManifest, nodes: Vec<SealedNode>) {
    let proof = ScoreProof::new(nodes).unwrap();
    let signer = SigningKey::from_seed(&[8; 32]).unwrap();
    let log_signer = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[9; 32]);
    let scan = ScanId::of(manifest.hash(), 0);
    let (seal, tlog_proof) = seal(manifest, &proof, &scan, &log_signer);
    let subject = ArtifactSubject::of(manifest);
    let statement = ScoreProofStatement {
        subject: subject.clone(),
        engine_version: manifest.engine_version,
        log_origin: ORIGIN.into(),
        manifest: manifest.hash(),
        nodes: proof.count(),
        root: proof.root(),
        score: proof.score(),
    };
    let sign = |payload| Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload, &signer, &[]).unwrap();
    let inputs = ScanManifestStatement {
        subject,
        manifest: manifest.clone(),
    };
    let bundle = build(&BundleParts {
        manifest,
        manifest_envelope: &sign(inputs.to_bytes()),
        proof: &proof,
        root_envelope: &sign(statement.to_bytes().unwrap()),
        scan: &scan,
        seal: &seal,
        tlog_proof: &tlog_proof,
        further: &[],
    })
    .unwrap();
    println!(
        "bundle of {} nodes, {} bytes",
        proof.nodes().len(),
        bundle.len()
    );
    let keys = [signer.public_key().clone()];
    let log_keys = [log_signer.verifier_key().clone()];
    let trust = TrustInput::new(&keys, &log_keys);
    assert!(verify(&bundle, &trust).verified());
    row("bundle: verify", || {
        black_box(verify(black_box(&bundle), &trust));
    });
    let file = proof.to_bytes();
    row("score proof: read", || {
        black_box(ScoreProof::parse(black_box(&file)).unwrap());
    });
    row("score proof: order", || {
        proof.check_order(manifest.hash()).unwrap();
    });
    row("score proof: root", || {
        black_box(proof.root());
    });
}

fn seal(
    manifest: &ScanManifest,
    proof: &ScoreProof,
    scan: &ScanId,
    log_signer: &Ed25519Signer,
) -> (SealEvent, String) {
    let payload = RootSealed {
        scan: scan.clone(),
        manifest: manifest.hash(),
        root: proof.root(),
        nodes: proof.count(),
        score: proof.score(),
        engine_version: manifest.engine_version,
        artifact: manifest.artifact_digest,
        first_leaf: LeafIndex::ZERO,
        engine_build: "bench".into(),
    };
    let payload = payload.to_bytes().unwrap();
    let salt = Salt::new([7; 32]);
    let stream = format!("scan/{scan}");
    let header = EventHeader {
        payload: PayloadCommitment::of(&salt, &payload),
        ..header(&stream, EventType::ROOT_SEALED)
    };
    let header = header.to_bytes();
    let mut tree: MemoryTree = proof
        .nodes()
        .iter()
        .map(|node| leaf_hash(node.id().as_bytes()))
        .collect();
    tree.push(leaf_hash(&header));
    let index = LeafIndex::new(u64::from(proof.count().get()));
    let origin = Origin::new(ORIGIN).unwrap();
    let checkpoint = Checkpoint {
        origin,
        head: tree.head(),
        extensions: vec![],
    };
    let proof = TlogProof {
        extra: None,
        index,
        inclusion: prove_inclusion(index, tree.head().size, &tree).unwrap(),
        checkpoint: checkpoint.sign(log_signer, &[]).unwrap(),
    };
    (
        SealEvent {
            header,
            payload,
            salt,
        },
        proof.to_string(),
    )
}

fn header<'a>(stream: &'a str, event_type: EventType<&'static str>) -> EventHeader<'a> {
    EventHeader {
        log_origin: LogOrigin::new(ORIGIN).unwrap(),
        stream: StreamName::new(stream).unwrap(),
        position: StreamPosition::new(1234),
        time: UnixMillis::new(1_700_000_000_123),
        actor: Actor::new("engine").unwrap(),
        event_type,
        payload: PayloadCommitment::new([7; 32]),
    }
}

fn manifest() -> ScanManifest {
    ScanManifest {
        artifact_digest: BlobDigest::new([1; 32]),
        artifact_purl: Some("pkg:oci/app@1".into()),
        sbom_digest: BlobDigest::new([2; 32]),
        reachability_digest: None,
        concelier_snapshot: SnapshotHash::new([4; 32]),
        excititor_snapshot: SnapshotHash::new([5; 32]),
        lattice_policy: PolicyHash::new([6; 32]),
        engine_version: EngineVersion::new(1),
        scanner_version: "scanner 1".into(),
        worker_version: "worker 1".into(),
        seed: Seed::default(),
        knobs: [].into(),
    }
}

fn nodes(manifest: &ScanManifest, count: usize) -> Vec<SealedNode> {
    let mut nodes = vec![ProofNode::manifest(manifest.hash()).seal()];
    for number in 1..count {
        let node = ProofNode::new(parts(number, &nodes)).unwrap().seal();
        nodes.push(node);
    }
    nodes
}

/// A finding's severity as an engine would state it, standing on node 0.
fn parts(number: usize, nodes: &[SealedNode]) -> NodeParts {
    let purl = format!("pkg:cargo/package-{number:06}@1.2.3");
    let entry = format!("[\"advisory\",\"crates.io\",\"package-{number:06}\",\"osv\",\"X\"]");
    NodeParts {
        kind: NodeKind::Delta,
        rule_id: "severity".into(),
        scope: Scope::Finding,
        subject: Subject {
            purl: Some(purl.into()),
            component: Some(format!("/components/{number}").into()),
            advisory_id: Some("RUSTSEC-2023-0001".into()),
        },
        parents: vec![nodes.first().unwrap().id()],
        evidence: vec![EvidenceRef {
            input: BlobDigest::new([4; 32]),
            entry: Some(entry.into()),
            pointer: Some("/severity/0/score".into()),
            line: None,
        }],
        inputs: Object::new().with("vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        outputs: Object::new().with("bps", 9800).with("source", "osv"),
        delta: BasisPoints::new(9800),
        total: BasisPoints::new(9800),
    }
}

/// Repeats `work` for half a second and prints the mean.
fn row(name: &str, mut work: impl FnMut()) {
    // Cargo adds `--bench`.
    let mut only = std::env::args().skip(1).filter(|text| text != "--bench");
    if only.next().is_some_and(|only| !name.contains(&only)) {
        return;
    }
    let (clock, start, mut count) = (Instant::now(), cpu_nanos(), 0u128);
    while clock.elapsed() < Duration::from_millis(500) {
        (0..16).for_each(|_| work());
        count += 16;
    }
    println!("{name:40} {:>12} ns", (cpu_nanos() - start) / count);
}

/// Time that this thread had a processor, so that a busy machine does not show; elsewhere than on
/// Linux, the clock.
fn cpu_nanos() -> u128 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let on_cpu = schedule
        .split(' ')
        .next()
        .and_then(|nanos| nanos.parse().ok());
    on_cpu.unwrap_or_else(|| start.elapsed().as_nanos())
}
