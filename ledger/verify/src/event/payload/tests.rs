use super::*;
use crate::hash::{
    BlobDigest, ManifestHash, PolicyHash, ProofRoot, SnapshotHash, SnapshotRoot, TouchedDigest,
};
use crate::manifest::{EngineVersion, ScanManifest, Seed};
use crate::snapshot::{SnapshotHeader, SnapshotKind};
use crate::units::{BasisPoints, LeafIndex, NodeSequence, TreeSize, UnixMillis};
use alloc::string::String;
use alloc::vec::Vec;

/// The payload reads back, and each text swap in its bytes is refused.
fn check<T: PartialEq + core::fmt::Debug>(
    payload: &T,
    bytes: &[u8],
    parse: fn(&[u8]) -> Result<T, PayloadError>,
    swaps: &[(&str, &str)],
) {
    assert_eq!(parse(bytes).as_ref(), Ok(payload));
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    for (from, to) in swaps {
        assert!(text.contains(from), "{from} is not in {text}");
        let mutant = text.replacen(from, to, 1);
        assert!(parse(mutant.as_bytes()).is_err(), "accepted {mutant}");
    }
    let extra = text.replacen('{', "{\"aaa\":1,", 1);
    assert!(parse(extra.as_bytes()).is_err(), "accepted {extra}");
    assert!(parse(text.replacen("/v1\"", "/v2\"", 1).as_bytes()).is_err());
    assert!(parse(&[bytes, b"\n"].concat()).is_err());
}

fn scan() -> ScanId {
    ScanId::of(ManifestHash::new([0xab; 32]), 0)
}

#[test]
fn inputs() {
    let sources = Vec::from([String::from("osv:npm")]);
    let root = SnapshotRoot::new([1; 32]);
    let header =
        SnapshotHeader::new(SnapshotKind::Concelier, sources, TreeSize::new(3), root).unwrap();
    let imported = SnapshotImported {
        header,
        records: BlobDigest::new([2; 32]),
    };
    check(
        &imported,
        &imported.to_bytes(),
        SnapshotImported::parse,
        &[
            ("\"count\":3", "\"count\":4"),
            ("concelier", "excititor"),
            ("osv:npm", "osv:go"),
        ],
    );
    let removed = SnapshotRemoved {
        snapshot: SnapshotHash::new([4; 32]),
        kind: SnapshotKind::Concelier,
    };
    check(
        &removed,
        &removed.to_bytes(),
        SnapshotRemoved::parse,
        &[
            ("concelier", "policy"),
            ("\"snapshot\":\"sha256:", "\"snapshot\":\"sha512:"),
        ],
    );
    let published = SnapshotPublished {
        snapshot: SnapshotHash::new([3; 32]),
        kind: SnapshotKind::Excititor,
    };
    check(
        &published,
        &published.to_bytes(),
        SnapshotPublished::parse,
        &[("excititor", "other"), ("sha256:", "sha256-")],
    );
    let policy = PolicyRegistered {
        policy: PolicyHash::new([4; 32]),
        blob: BlobDigest::new([5; 32]),
    };
    check(
        &policy,
        &policy.to_bytes(),
        PolicyRegistered::parse,
        &[("sha256:04", "sha256:0x")],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one payload after the other")]
fn scans() {
    let manifest = ScanManifest {
        artifact_digest: BlobDigest::new([1; 32]),
        artifact_purl: None,
        sbom_digest: BlobDigest::new([2; 32]),
        reachability_digest: None,
        concelier_snapshot: SnapshotHash::new([4; 32]),
        excititor_snapshot: SnapshotHash::new([5; 32]),
        lattice_policy: PolicyHash::new([6; 32]),
        engine_version: EngineVersion::new(1),
        scanner_version: "s".into(),
        worker_version: "w".into(),
        seed: Seed::default(),
        knobs: [].into(),
    };
    let hash = manifest.hash();
    let registered = ManifestRegistered {
        scan: scan(),
        manifest,
    };
    check(
        &registered,
        &registered.to_bytes(),
        ManifestRegistered::parse,
        &[
            ("\"scannerVersion\":\"s\"", "\"scannerVersion\":\"t\""),
            ("scan-", "scan_"),
        ],
    );
    let requested = ScanRequested {
        scan: scan(),
        manifest: hash,
        existing: true,
    };
    check(
        &requested,
        &requested.to_bytes(),
        ScanRequested::parse,
        &[
            ("true", "1"),
            ("scan-abababababababababab", "scan-ababababababababab"),
        ],
    );
    let sealed = RootSealed {
        scan: scan(),
        manifest: hash,
        root: ProofRoot::new([7; 32]),
        nodes: NodeSequence::new(12),
        score: BasisPoints::new(7500),
        engine_version: EngineVersion::new(1),
        artifact: BlobDigest::new([1; 32]),
        first_leaf: LeafIndex::new(4),
        engine_build: "0.1.0".into(),
    };
    check(
        &sealed,
        &sealed.to_bytes().unwrap(),
        RootSealed::parse,
        &[
            ("\"firstLeaf\":4", "\"firstLeaf\":-4"),
            ("\"nodeCount\":12", "\"nodeCount\":4294967296"),
        ],
    );
    let far = RootSealed {
        first_leaf: LeafIndex::new(1 << 53),
        ..sealed
    };
    assert!(far.to_bytes().is_err());
    let replayed = ScoreReplayed {
        scan: scan(),
        manifest: hash,
        root: ProofRoot::new([7; 32]),
        equal: false,
        first_difference: Some(NodeSequence::new(3)),
        snapshots: Some(ReplayedSnapshots {
            concelier: SnapshotHash::new([4; 32]),
            excititor: SnapshotHash::new([5; 32]),
            touched: TouchedDigest::new([6; 32]),
        }),
    };
    check(
        &replayed,
        &replayed.to_bytes(),
        ScoreReplayed::parse,
        &[
            ("\"concelier\"", "\"celier\""),
            ("false", "null"),
            (":3,", ":3.0,"),
        ],
    );
    let equal = ScoreReplayed {
        equal: true,
        first_difference: None,
        snapshots: None,
        ..replayed
    };
    check(
        &equal,
        &equal.to_bytes(),
        ScoreReplayed::parse,
        &[("true", "null")],
    );
}

#[test]
fn erasures() {
    let leaves = [9, 4, 9].map(LeafIndex::new).into();
    let erased = PayloadErased::new(leaves, "asked to".into()).unwrap();
    check(
        &erased,
        &erased.to_bytes(),
        PayloadErased::parse,
        &[
            ("[4,9]", "[9,4]"),
            ("[4,9]", "[4,4]"),
            ("[4,9]", "[]"),
            ("[4,9]", "[-4,9]"),
        ],
    );
}

#[test]
fn scan_ids_grow_when_taken() {
    let manifest = ManifestHash::new([0xcd; 32]);
    assert_eq!(
        ScanId::of(manifest, 0).as_str(),
        "scan-cdcdcdcdcdcdcdcdcdcd"
    );
    assert_eq!(ScanId::of(manifest, 22).as_str().len(), 27);
    assert_eq!(ScanId::of(manifest, 99).as_str().len(), 69);
    for name in [
        "scan-",
        "scan-CDCDCDCDCDCDCDCDCDCD",
        "cdcdcdcdcdcdcdcdcdcd",
        "",
    ] {
        assert_eq!(name.parse::<ScanId>(), Err(ScanIdError));
    }
    let longest = ScanId::of(manifest, 64);
    assert_eq!(longest.as_str().parse(), Ok(longest));
}

#[test]
fn signatures_of_a_sealed_proof() {
    use crate::dsse::Envelope;
    use crate::keys::{EnvelopeSigner as _, SigningKey};
    let keys = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).unwrap());
    let sign = |body: &[u8]| {
        let envelope = Envelope::sign("type", body.to_vec(), &keys[0], &[&keys[1]]).unwrap();
        envelope.signatures().to_vec()
    };
    let mut public_keys: Vec<_> = keys.iter().map(|key| key.public_key().clone()).collect();
    public_keys.sort_by_key(crate::keys::PublicKey::id);
    let signed = ProofSigned {
        scan: scan(),
        manifest: ManifestHash::new([1; 32]),
        root: ProofRoot::new([2; 32]),
        manifest_signatures: sign(b"manifest"),
        root_signatures: sign(b"root"),
        public_keys,
    };
    check(
        &signed,
        &signed.to_bytes(),
        ProofSigned::parse,
        &[
            ("\"keyid\":\"", "\"keyid\":\"0"),
            ("\"sig\":\"", "\"sig\":\"!"),
            ("\"publicKeys\":[\"M", "\"publicKeys\":[\"N"),
            ("scan-", "scan_"),
        ],
    );
    let with = |change: fn(&mut ProofSigned)| {
        let mut other = signed.clone();
        change(&mut other);
        ProofSigned::parse(&other.to_bytes())
    };
    assert!(with(|other| other.public_keys.reverse()).is_err());
    assert!(with(|other| other.public_keys.clear()).is_err());
    assert!(with(|other| other.root_signatures.reverse()).is_err());
    assert!(with(|other| drop(other.manifest_signatures.pop())).is_err());
}

#[test]
fn refused_calls() {
    let denied = AccessDenied {
        count: 3,
        first: UnixMillis::new(1_700_000_000_000),
        last: UnixMillis::new(1_700_000_000_500),
        method: "stella.scan.v1.ScanService/SubmitScan".into(),
        principal: EventPrincipal::new(PrincipalKind::ApiKey, "ci"),
        reason: "PERMISSION_DENIED".into(),
        request_id: "r-1".into(),
        scope: Some("scanner.scans".into()),
        tenant: None,
        why: None,
    };
    // As FORMATS.md shows it.
    let shown = concat!(
        r#"{"count":3,"first":"2023-11-14T22:13:20.000Z","last":"2023-11-14T22:13:20.500Z","#,
        r#""method":"stella.scan.v1.ScanService/SubmitScan","#,
        r#""principal":{"kind":"api-key","subject":"ci"},"reason":"PERMISSION_DENIED","#,
        r#""requestId":"r-1","schema":"stella.access-denied/v1","scope":"scanner.scans"}"#,
    );
    assert_eq!(denied.to_bytes(), shown.as_bytes());
    check(
        &denied,
        shown.as_bytes(),
        AccessDenied::parse,
        &[
            ("\"count\":3", "\"count\":0"),
            ("\"count\":3", "\"count\":-1"),
            ("api-key", "key"),
            ("api-key", "unknown"),
            (",\"subject\":\"ci\"", ""),
            ("20.000Z", "20.501Z"),
            ("20.500Z", "20.5Z"),
        ],
    );
    let refused = AccessDenied {
        principal: EventPrincipal::UNKNOWN,
        reason: "UNAUTHENTICATED".into(),
        scope: None,
        tenant: Some("gamma".into()),
        why: Some("the token has expired".into()),
        ..denied
    };
    check(
        &refused,
        &refused.to_bytes(),
        AccessDenied::parse,
        &[("unknown", "jwt"), ("the token has expired\"", "\"1")],
    );
    // A time that cannot be written is written as the last one.
    let late = AccessDenied {
        last: UnixMillis::new(u64::MAX),
        ..refused
    };
    assert!(AccessDenied::parse(&late.to_bytes()).is_ok());
}

#[test]
fn privileged_acts() {
    let act = AdminAct {
        method: "stella.admin.v1.AdminService/Rebuild".into(),
        principal: EventPrincipal::new(PrincipalKind::Certificate, "operator"),
        request_id: "r-2".into(),
        scope: "scheduler.admin".into(),
        target: "rebuild-0123".into(),
    };
    let shown = concat!(
        r#"{"method":"stella.admin.v1.AdminService/Rebuild","#,
        r#""principal":{"kind":"certificate","subject":"operator"},"requestId":"r-2","#,
        r#""schema":"stella.admin-act/v1","scope":"scheduler.admin","target":"rebuild-0123"}"#,
    );
    assert_eq!(act.to_bytes(), shown.as_bytes());
    check(
        &act,
        shown.as_bytes(),
        AdminAct::parse,
        &[
            ("certificate", "somebody"),
            (",\"target\":\"rebuild-0123\"", ""),
        ],
    );
}
