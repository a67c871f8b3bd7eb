use super::*;
use crate::hash::{BlobDigest, ManifestHash, PolicyHash, ProofRoot, SnapshotHash};
use crate::manifest::{EngineVersion, ScanManifest, Seed};
use crate::units::{BasisPoints, NodeSequence};

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
        scanner_version: "s".into(),
        worker_version: "w".into(),
        seed: Seed::default(),
        knobs: [].into(),
    }
}

fn score() -> ScoreProofStatement {
    ScoreProofStatement {
        subject: ArtifactSubject::of(&manifest()),
        engine_version: EngineVersion::new(1),
        log_origin: "log.example/a".into(),
        manifest: ManifestHash::new([8; 32]),
        nodes: NodeSequence::new(3),
        root: ProofRoot::new([9; 32]),
        score: BasisPoints::new(7500),
    }
}

#[test]
fn ours_read_back_and_are_in_toto_statements() {
    let statement = score();
    let bytes = statement.to_bytes().unwrap();
    assert_eq!(ScoreProofStatement::parse(&bytes), Ok(statement));
    let read = Statement::parse(&bytes).unwrap();
    assert_eq!(read.predicate_type, SCORE_PROOF_PREDICATE);
    assert_eq!(read.subject[0].name.as_deref(), Some("pkg:oci/app@1"));
    assert_eq!(read.subject[0].digest["sha256"], "01".repeat(32));

    let statement = ScanManifestStatement {
        subject: ArtifactSubject::of(&manifest()),
        manifest: manifest(),
    };
    let bytes = statement.to_bytes();
    assert_eq!(ScanManifestStatement::parse(&bytes), Ok(statement));
    assert!(
        ScoreProofStatement::parse(&bytes).is_err(),
        "one predicate is not the other"
    );
}

#[test]
fn an_artifact_without_purl_is_called_artifact() {
    let unnamed = ScanManifest {
        artifact_purl: None,
        ..manifest()
    };
    assert_eq!(ArtifactSubject::of(&unnamed).name, "artifact");
}

#[test]
fn ours_have_exactly_their_members() {
    let text = String::from_utf8(score().to_bytes().unwrap()).unwrap();
    for (from, to) in [
        ("Statement/v1", "Statement/v0.1"),
        ("score-proof.stella/v1", "score-proof.stella/v2"),
        ("{\"_type\"", "{\"$extra\":1,\"_type\""),
        ("\"digest\":{", "\"digest\":{\"md5\":\"00\","),
        (
            "\"name\":\"pkg:oci/app@1\"}]",
            "\"name\":\"pkg:oci/app@1\"},{}]",
        ),
        ("\"engineVersion\":1", "\"engineVersion\":-1"),
        ("\"engineVersion\":1", "\"aaa\":1,\"engineVersion\":1"),
        ("\"nodeCount\":3", "\"nodeCount\":3.0"),
    ] {
        let mutant = text.replacen(from, to, 1);
        assert_ne!(mutant, text, "{from}");
        assert!(
            ScoreProofStatement::parse(mutant.as_bytes()).is_err(),
            "accepted {mutant}"
        );
    }
}

#[test]
fn statements_of_others_may_say_more() {
    let text = r#"{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "x", "extra": null,
        "subject": [{"uri": "u", "digest": {"sha256": "11"}}, {"name": "n", "digest": {"sha1": "00"}}], "predicate": {"f": 1.5}}"#;
    let read = Statement::parse(text.as_bytes()).unwrap();
    assert_eq!(read.statement_type, STATEMENT_TYPE_V0_1);
    assert_eq!(read.subject.len(), 2);
    assert!(read.predicate.is_some());
    for (from, to) in [
        ("v0.1", "v9"),
        ("\"subject\"", "\"subjects\""),
        ("{\"sha256\": \"11\"}", "{}"),
        ("{\"sha256\": \"11\"}", "5"),
        ("{\"sha256\": \"11\"}", "null"),
        (", \"digest\": {\"sha256\": \"11\"}", ""),
        ("{\"f\": 1.5}", "5"),
        ("\"x\"", "\"\""),
    ] {
        assert!(
            Statement::parse(text.replacen(from, to, 1).as_bytes()).is_err(),
            "{from}"
        );
    }
    let none = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[]}"#;
    assert!(Statement::parse(none.as_bytes()).is_err());
}
