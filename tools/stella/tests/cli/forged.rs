//! A recorded score that the engine does not make.
//!
//! No part of the program writes such a thing: its events are made here and appended to the log
//! underneath it, as a wrong engine of another time would have left them.

use crate::support::{Answer, Example, Server, run_in};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use stella_client::{ClientError, Connection};
use stella_ledger::Ledger;
use stella_ledger::blobs::BlobLimit;
use stella_ledger::log::{AppendRequest, Entries, Expected, NameRule, Named, NewEvent, Principal};
use stella_proto::reason::Reason;
use stella_proto::score::ReplayScoreRequest;
use stella_scoring::engine::{EngineInputs, Threads, compute};
use stella_scoring::inputs::sbom;
use stella_scoring::policy::Policy;
use stella_scoring::snapshot::{FeedIndex, VexIndex};
use stella_server::{App, AppOptions};
use stella_verify::event::payload::{ManifestRegistered, RootSealed, ScanId};
use stella_verify::event::{Actor, EventType, RuleApplied, StreamName};
use stella_verify::hash::{BlobDigest, ManifestHash, SnapshotHash, to_hex};
use stella_verify::manifest::ScanManifest;
use stella_verify::node::ProofNode;
use stella_verify::score_proof::ScoreProof;
use stella_verify::units::NodeSequence;

const PATIENCE: Duration = Duration::from_secs(10);

fn blob(ledger: &Ledger, digest: BlobDigest) -> Vec<u8> {
    ledger.blobs().get(&digest, BlobLimit(1 << 28)).unwrap()
}

/// The records file of a snapshot, put together from its chunks.
fn records(ledger: &Ledger, hash: SnapshotHash) -> Vec<u8> {
    let view = ledger.latest(PATIENCE).unwrap();
    let list = blob(ledger, view.snapshot(&hash).unwrap().imported.records);
    let list: Value = serde_json::from_slice(&list).unwrap();
    let chunks = list["chunks"].as_array().unwrap().iter();
    chunks
        .flat_map(|chunk| blob(ledger, chunk.as_str().unwrap().parse().unwrap()))
        .collect()
}

/// The nodes that the engine makes, the last one stating another total.
fn forged_nodes(ledger: &Ledger, manifest: &ScanManifest) -> Vec<ProofNode> {
    let view = ledger.latest(PATIENCE).unwrap();
    let policy = view
        .policy(&manifest.lattice_policy)
        .unwrap()
        .registered
        .blob;
    let inputs = EngineInputs {
        manifest,
        bom: &sbom::read(&blob(ledger, manifest.sbom_digest)).unwrap(),
        feed: &FeedIndex::load(&records(ledger, manifest.concelier_snapshot)).unwrap(),
        vex: &VexIndex::load(&records(ledger, manifest.excititor_snapshot)).unwrap(),
        reachability: None,
        policy: &Policy::from_canonical(&blob(ledger, policy)).unwrap(),
    };
    let made = compute(&inputs, Threads::new(1)).unwrap().nodes;
    let mut nodes: Vec<String> = (made.iter())
        .map(|node| String::from_utf8(node.bytes().to_vec()).unwrap())
        .collect();
    let last = nodes.last_mut().unwrap();
    let (before, _) = last.rsplit_once("\"totalBps\":").unwrap();
    *last = format!("{before}\"totalBps\":4711}}");
    (nodes.iter())
        .map(|node| ProofNode::parse(node.as_bytes()).unwrap())
        .collect()
}

/// Seals a forged computation of the inputs of a scan, under a scan of its own; answers that scan
/// and the place of the node that is not the engine's.
fn seal_forged(ledger: &Ledger, like: ManifestHash) -> (ScanId, usize) {
    let view = ledger.latest(PATIENCE).unwrap();
    let manifest = ScanManifest {
        worker_version: "another worker".to_owned(),
        ..view.manifest(&like).unwrap().registered.manifest
    };
    let hash = manifest.hash();
    let scan = ScanId::of(hash, ScanId::MIN_DIGITS);
    let stream = format!("scan/{scan}");
    let registered = ManifestRegistered {
        scan: scan.clone(),
        manifest: manifest.clone(),
    };
    append(
        ledger,
        NameRule::Introduce(Named::Manifest(hash)),
        vec![(
            stream.clone(),
            EventType::MANIFEST_REGISTERED,
            registered.to_bytes(),
        )],
    );
    let nodes = forged_nodes(ledger, &manifest);
    let sealed_nodes: Vec<_> = nodes.into_iter().map(ProofNode::seal).collect();
    let computation = format!("computation/{}", to_hex(hash.as_bytes()));
    let rules = sealed_nodes.iter().zip(0..).map(|(node, sequence)| {
        let rule = RuleApplied {
            computation: hash,
            sequence: NodeSequence::new(sequence),
            node: node.bytes(),
        };
        (
            computation.clone(),
            EventType::RULE_APPLIED,
            rule.to_bytes(),
        )
    });
    let first_leaf = append(
        ledger,
        NameRule::Require(Named::Manifest(hash)),
        rules.collect(),
    );
    let proof = ScoreProof::new(sealed_nodes).unwrap();
    let sealed = RootSealed {
        scan: scan.clone(),
        manifest: hash,
        root: proof.root(),
        nodes: proof.count(),
        score: proof.score(),
        engine_version: manifest.engine_version,
        artifact: manifest.artifact_digest,
        first_leaf,
        engine_build: "forged".to_owned(),
    };
    append(
        ledger,
        NameRule::Introduce(Named::Sealed(hash)),
        vec![(stream, EventType::ROOT_SEALED, sealed.to_bytes().unwrap())],
    );
    (scan, proof.nodes().len() - 1)
}

fn append(
    ledger: &Ledger,
    name: NameRule,
    events: Vec<(String, EventType<&'static str>, Vec<u8>)>,
) -> stella_verify::units::LeafIndex {
    let events = events
        .into_iter()
        .map(|(stream, event_type, payload)| NewEvent {
            stream: StreamName::new(Arc::from(stream.as_str())).unwrap(),
            event_type: EventType::new(Arc::from(event_type.as_str())).unwrap(),
            actor: Actor::new(Arc::from("forger")).unwrap(),
            payload: payload.into(),
            expected: Expected::Any,
        });
    let request = AppendRequest {
        principal: Principal::new(Arc::from("forger")).unwrap(),
        request_id: None,
        entries: Entries::Events(events.collect()),
        names: vec![name],
    };
    ledger.append(request).unwrap().first
}

/// The newest event of a scan, which must be the replay's.
fn last_replay(example: &Example, scan: &str) -> Value {
    let stream = format!("scan/{scan}");
    let events = example.run(&["ledger", "events", "--stream", &stream, "--format", "json"]);
    let events = events.json();
    let last = events.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["type"], "score.replayed");
    last["payload"].clone()
}

fn check(answer: &Answer, place: usize) {
    answer.refused(6, "REPLAY_DIFFERS");
    let told = format!("the first node that differs is at place {place}:");
    assert!(answer.stderr.contains(&told), "{answer:?}");
    assert!(answer.stderr.contains("score.scan"), "{answer:?}");
}

#[test]
fn a_replay_that_differs_names_the_node_is_recorded_and_exits_with_6() {
    let example = Example::new();
    let manifest = example.text("manifestHash").parse().unwrap();
    let app = App::open(AppOptions::new(&example.ledger()), &|_, _| ()).unwrap();
    let (scan, place) = seal_forged(app.ledger(), manifest);
    app.close().unwrap();
    let scan = scan.to_string();

    // What is recorded is consistent in itself: only computing again tells.
    example.run(&["ledger", "fsck"]).good();
    let replay = [
        "score",
        "replay",
        "--scan-id",
        &scan,
        "--use-original-snapshots",
    ];
    check(&example.run(&replay), place);
    let recorded = last_replay(&example, &scan);
    assert_eq!(recorded["equal"], false);
    assert_eq!(recorded["firstDifference"], place);

    // A dry run says so too, and records nothing.
    let events = |example: &Example| {
        let stream = format!("scan/{scan}");
        let listed = example.run(&["ledger", "events", "--stream", &stream, "--format", "json"]);
        listed.json().as_array().unwrap().len()
    };
    let before = events(&example);
    let mut dry = replay.to_vec();
    dry.push("--dry-run");
    check(&example.run(&dry), place);
    assert_eq!(events(&example), before);

    // The same over a connection: the command against a server, and any other client.
    let server = Server::start(example.path(), example.text("dataDir"));
    let token = std::fs::read_to_string(example.ledger().join("dev-token")).unwrap();
    let mut remote = vec!["--server", &server.url, "--token", token.trim()];
    remote.extend(replay);
    check(&run_in(example.path(), &remote), place);
    assert_eq!(
        over_grpc(&server.url, token.trim(), &scan),
        Reason::ReplayDiffers
    );
    drop(server);
    assert_eq!(last_replay(&example, &scan)["equal"], false);
    assert_eq!(events(&example), before + 2);
}

fn over_grpc(url: &str, token: &str, scan: &str) -> Reason {
    let request = ReplayScoreRequest {
        scan_id: scan.to_owned(),
        use_original_snapshots: true,
        ..ReplayScoreRequest::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let connection = Connection::to(url, Some(token)).await.unwrap();
        let refused = connection.scores().replay_score(request).await.unwrap_err();
        ClientError::from(refused).reason()
    })
}
