//! A bundle to break, and the ways to break one.

use super::super::*;
use crate::checkpoint::{Checkpoint, Origin};
use crate::dsse::IN_TOTO_PAYLOAD_TYPE;
use crate::event::payload::RootSealed;
use crate::event::{Actor, EventHeader, EventType, LogOrigin, StreamName};
use crate::hash::{BlobDigest, PayloadCommitment, PolicyHash, Salt, SnapshotRoot, sha256};
use crate::json::Object;
use crate::keys::{EnvelopeSigner, PublicKey, SigningKey};
use crate::manifest::{EngineVersion, Seed};
use crate::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_of};
use crate::node::{NodeKind, NodeParts, ProofNode, Scope, SealedNode, Subject};
use crate::note::{Ed25519Signer, KeyName, NoteSigner, VerifierKey};
use crate::snapshot::{RECORDS_MAGIC, Row, RowKey, SnapshotHeader, SnapshotKind};
use crate::statement::{ArtifactSubject, ScanManifestStatement, ScoreProofStatement};
use crate::tlog_proof::TlogProof;
use crate::units::{BasisPoints, LeafIndex, StreamPosition, TreeSize, UnixMillis};
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;

pub(super) const ORIGIN: &str = "log.example/a";
pub(super) const SEALED_AT: UnixMillis = UnixMillis::new(1_700_000_000_123);

/// A ledger in miniature: one manifest, its computation, a log that holds its events.
pub(super) struct Fixture {
    pub(super) manifest: ScanManifest,
    pub(super) proof: ScoreProof,
    pub(super) signer: SigningKey,
    pub(super) log_signer: Ed25519Signer,
    pub(super) scan: ScanId,
    pub(super) seal: SealEvent,
    pub(super) tlog_proof: String,
}

const SBOM: &[u8] = b"sbom";
const POLICY: &[u8] = b"policy";
const ADVISORY: &[u8] = b"{}";

fn row() -> Row<'static> {
    Row {
        key: RowKey::parse_entry(r#"["advisory","npm","a","osv","A-1"]"#).unwrap(),
        record: BlobDigest::new(sha256(ADVISORY)),
    }
}

fn feed_header() -> SnapshotHeader {
    let root = SnapshotRoot::new(*root_of::<SnapshotRoot>([row().leaf_hash()]).as_bytes());
    SnapshotHeader::new(SnapshotKind::Concelier, vec![], TreeSize::new(1), root).unwrap()
}

fn vex_header() -> SnapshotHeader {
    let root = root_of::<SnapshotRoot>([]);
    SnapshotHeader::new(SnapshotKind::Excititor, vec![], TreeSize::ZERO, root).unwrap()
}

/// A records file of these parts.
pub(super) fn records(parts: &[&[u8]]) -> Vec<u8> {
    let mut file = RECORDS_MAGIC.to_vec();
    for part in parts {
        file.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        file.extend_from_slice(part);
    }
    file
}

/// What the fixture's manifest names: SBOM, policy, feed and VEX records.
pub(super) fn inputs() -> [Vec<u8>; 4] {
    let (feed, vex) = (feed_header().to_bytes(), vex_header().to_bytes());
    [
        SBOM.to_vec(),
        POLICY.to_vec(),
        records(&[&feed, &row().to_bytes(), ADVISORY]),
        records(&[&vex]),
    ]
}

pub(super) fn manifest() -> ScanManifest {
    ScanManifest {
        artifact_digest: BlobDigest::new([1; 32]),
        artifact_purl: Some("pkg:oci/app@1".into()),
        sbom_digest: BlobDigest::new(sha256(SBOM)),
        reachability_digest: None,
        concelier_snapshot: feed_header().hash(),
        excititor_snapshot: vex_header().hash(),
        lattice_policy: PolicyHash::new(sha256(POLICY)),
        engine_version: EngineVersion::new(1),
        scanner_version: "scanner 1".into(),
        worker_version: "worker 1".into(),
        seed: Seed::default(),
        knobs: [].into(),
    }
}

/// Node 0, `findings` findings and the scan's score.
pub(super) fn nodes(manifest: &ScanManifest, findings: usize) -> Vec<SealedNode> {
    let first = ProofNode::manifest(manifest.hash()).seal();
    let node = |kind, scope, subject, parents, total| {
        ProofNode::new(NodeParts {
            kind,
            rule_id: "severity".into(),
            scope,
            subject,
            parents,
            evidence: vec![],
            inputs: Object::new().with("vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            outputs: Object::new().with("bps", 9800).with("source", "osv"),
            delta: BasisPoints::new(total),
            total: BasisPoints::new(total),
        })
        .unwrap()
        .seal()
    };
    let finding = |number: usize| {
        let subject = Subject {
            purl: Some(format!("pkg:cargo/package-{number:06}@1.2.3").into()),
            component: Some(format!("/components/{number}").into()),
            advisory_id: Some(format!("RUSTSEC-2023-{number:04}").into()),
        };
        node(
            NodeKind::Delta,
            Scope::Finding,
            subject,
            vec![first.id()],
            9800,
        )
    };
    let mut nodes = vec![first.clone()];
    nodes.extend((0..findings).map(finding));
    let last = nodes.last().unwrap().id();
    nodes.push(node(
        NodeKind::Score,
        Scope::Scan,
        Subject::default(),
        vec![last],
        9800,
    ));
    nodes
}

pub(super) fn fixture(findings: usize) -> Fixture {
    let manifest = manifest();
    let proof = ScoreProof::new(nodes(&manifest, findings)).unwrap();
    let scan = ScanId::of(manifest.hash(), 0);
    let payload = RootSealed {
        scan: scan.clone(),
        manifest: manifest.hash(),
        root: proof.root(),
        nodes: proof.count(),
        score: proof.score(),
        engine_version: manifest.engine_version,
        artifact: manifest.artifact_digest,
        first_leaf: LeafIndex::new(1),
        engine_build: "test".into(),
    };
    let payload = payload.to_bytes().unwrap();
    let salt = Salt::new([7; 32]);
    let header = EventHeader {
        log_origin: LogOrigin::new(ORIGIN).unwrap(),
        stream: StreamName::new(&*format!("scan/{scan}"))
            .unwrap()
            .borrowed(),
        position: StreamPosition::new(2),
        time: SEALED_AT,
        actor: Actor::new("engine").unwrap(),
        event_type: EventType::ROOT_SEALED,
        payload: PayloadCommitment::of(&salt, &payload),
    }
    .to_bytes();
    let log_signer = Ed25519Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[9; 32]);
    let tlog_proof = tlog_proof(&header, proof.nodes().len() + 1, ORIGIN, &log_signer);
    Fixture {
        signer: SigningKey::from_seed(&[8; 32]).unwrap(),
        seal: SealEvent {
            header,
            payload,
            salt,
        },
        manifest,
        proof,
        log_signer,
        scan,
        tlog_proof,
    }
}

/// Proves `leaf` after `before` other leaves, in a log with two more after it.
pub(super) fn tlog_proof(
    leaf: &[u8],
    before: usize,
    origin: &str,
    signer: &Ed25519Signer,
) -> String {
    let mut tree = MemoryTree::default();
    (0..before).for_each(|other| tree.push(leaf_hash(&other.to_le_bytes())));
    tree.push(leaf_hash(leaf));
    tree.push(leaf_hash(b"later"));
    tree.push(leaf_hash(b"latest"));
    let index = LeafIndex::new(before.try_into().unwrap());
    let checkpoint = Checkpoint {
        origin: Origin::new(origin).unwrap(),
        head: tree.head(),
        extensions: vec![],
    };
    let proof = TlogProof {
        extra: None,
        index,
        inclusion: prove_inclusion(index, tree.head().size, &tree).unwrap(),
        checkpoint: checkpoint.sign(signer, &[]).unwrap(),
    };
    proof.to_string()
}

impl Fixture {
    pub(super) fn score_statement(&self) -> ScoreProofStatement {
        ScoreProofStatement {
            subject: ArtifactSubject::of(&self.manifest),
            engine_version: self.manifest.engine_version,
            log_origin: ORIGIN.into(),
            manifest: self.manifest.hash(),
            nodes: self.proof.count(),
            root: self.proof.root(),
            score: self.proof.score(),
        }
    }

    pub(super) fn envelope(&self, payload: Vec<u8>) -> Envelope {
        Envelope::sign(IN_TOTO_PAYLOAD_TYPE, payload, &self.signer, &[]).unwrap()
    }

    pub(super) fn manifest_envelope(&self) -> Envelope {
        let subject = ArtifactSubject::of(&self.manifest);
        self.envelope(
            ScanManifestStatement {
                subject,
                manifest: self.manifest.clone(),
            }
            .to_bytes(),
        )
    }

    pub(super) fn try_build(
        &self,
        statement: &ScoreProofStatement,
        further: &[ZipEntry<'_>],
    ) -> Result<Vec<u8>, BuildError> {
        build(&BundleParts {
            manifest: &self.manifest,
            manifest_envelope: &self.manifest_envelope(),
            proof: &self.proof,
            root_envelope: &self.envelope(statement.to_bytes().unwrap()),
            scan: &self.scan,
            seal: &self.seal,
            tlog_proof: &self.tlog_proof,
            further,
        })
    }

    pub(super) fn build(
        &self,
        statement: &ScoreProofStatement,
        further: &[ZipEntry<'_>],
    ) -> Vec<u8> {
        self.try_build(statement, further).unwrap()
    }

    pub(super) fn bundle(&self) -> Vec<u8> {
        self.build(&self.score_statement(), &[])
    }

    pub(super) fn keys(&self) -> (Vec<PublicKey>, Vec<VerifierKey>) {
        (
            vec![self.signer.public_key().clone()],
            vec![self.log_signer.verifier_key().clone()],
        )
    }

    pub(super) fn verify(&self, bundle: &[u8]) -> Report {
        let (keys, log_keys) = self.keys();
        verify(bundle, &TrustInput::new(&keys, &log_keys))
    }
}

/// The same archive with one file replaced.
pub(super) fn replace(bundle: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut entries = zip::read(bundle).unwrap();
    entries
        .iter_mut()
        .filter(|entry| entry.name == name)
        .for_each(|entry| entry.content = content);
    zip::write(&entries).unwrap()
}

pub(super) fn content(bundle: &[u8], name: &str) -> Vec<u8> {
    zip::read(bundle)
        .unwrap()
        .iter()
        .find(|entry| entry.name == name)
        .unwrap()
        .content
        .to_vec()
}

/// The same archive with a text replaced in one file.
pub(super) fn edit(bundle: &[u8], name: &str, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(content(bundle, name)).unwrap();
    assert!(text.contains(from), "{name} has no {from}: {text}");
    replace(bundle, name, text.replacen(from, to, 1).as_bytes())
}

/// Outcomes in the order of a report: p, f or s.
pub(super) fn outcomes(report: &Report) -> String {
    report
        .checks()
        .iter()
        .filter_map(|check| check.outcome.as_str().chars().next())
        .collect()
}

#[track_caller]
pub(super) fn assert_fails(report: &Report, name: CheckName, message: &str) {
    let check = report
        .checks()
        .iter()
        .find(|check| check.name == name)
        .unwrap();
    assert_eq!(
        check.outcome,
        Outcome::Fail,
        "{name} did not fail: {report:#?}"
    );
    assert!(check.message.contains(message), "{name}: {}", check.message);
    assert!(check.hint.is_some());
    assert!(!report.verified());
}
