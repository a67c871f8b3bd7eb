//! What must not verify, and which check says so.

use super::super::*;
use super::fixture::*;
use crate::checkpoint::Checkpoint;
use crate::event::{EventHeader, EventType};
use crate::hash::{sha256, to_hex};
use crate::node::SealedNode;
use crate::statement::{ArtifactSubject, ScoreProofStatement};
use crate::tlog_proof::TlogProof;
use crate::units::BasisPoints;
use alloc::format;
use alloc::vec;
use proptest::prelude::*;

/// A file, a text in it, what to put there, the check that must fail and what it says.
type Edit = (
    &'static str,
    &'static str,
    &'static str,
    CheckName,
    &'static str,
);

fn assert_edits_fail(edits: &[Edit]) {
    let fixture = fixture(3);
    let bundle = fixture.bundle();
    for (file, from, to, check, message) in edits {
        let report = fixture.verify(&edit(&bundle, file, from, to));
        assert_fails(&report, *check, message);
    }
}

#[test]
#[rustfmt::skip]
fn each_file_has_a_check_that_answers_for_it() {
    use CheckName::{IdRecomputed, SignatureValid};
    assert_edits_fail(&[
        (MANIFEST_FILE, "scanner 1", "scanner 2", IdRecomputed, "manifestHash"),
        (MANIFEST_FILE, "true", "false", IdRecomputed, "deterministic"),
        (MANIFEST_ENVELOPE_FILE, "vnd.in-toto", "vnd.in-tofo", SignatureValid, "payload type"),
        (MANIFEST_ENVELOPE_FILE, "\"keyid\":\"", "\"keyid\":\"0", SignatureValid, "keyid"),
        (ROOT_ENVELOPE_FILE, "\"sig\":\"", "\"sig\":\"AAAA", SignatureValid, "0 of 1"),
        (ROOT_ENVELOPE_FILE, "{\"payload", "{ \"payload", SignatureValid, "canonical"),
        (ROOT_ENVELOPE_FILE, "\"signatures\"", "\"signature\"", SignatureValid, "missing"),
        (SCORE_PROOF_FILE, "\"bps\":9800", "\"bps\":9801", IdRecomputed, "node 1 says its id"),
        (SCORE_PROOF_FILE, "finding", "nothing", IdRecomputed, "node 1"),
    ]);
}

#[test]
#[rustfmt::skip]
fn each_member_of_meta_has_a_check_that_answers_for_it() {
    use CheckName::{IdRecomputed, LogInclusion, TimestampValid};
    assert_edits_fail(&[
        (META_FILE, "\"scoreBps\":9800", "\"scoreBps\":9801", IdRecomputed, "scoreBps"),
        (META_FILE, "\"nodeCount\":5", "\"nodeCount\":6", IdRecomputed, "nodeCount"),
        (META_FILE, "\"engineVersion\":1", "\"engineVersion\":2", IdRecomputed, "engineVersion"),
        (META_FILE, "scan-", "scan-0", LogInclusion, "stream"),
        (META_FILE, "20.123Z", "20.124Z", TimestampValid, "124Z"),
        (META_FILE, "index 6", "index 7", LogInclusion, "another root"),
        (META_FILE, "index 6", "index 06", LogInclusion, "leading zeros"),
        (META_FILE, "proof@v1\\n", "proof@v1\\nextra AAAA\\n", LogInclusion, "extra"),
    ]);
}

#[test]
fn a_signed_lie_is_still_a_lie() {
    use CheckName::{IdRecomputed, MerklePathValid};
    let fixture = fixture(3);
    let truth = fixture.score_statement();
    let lies = [
        (
            ScoreProofStatement {
                score: BasisPoints::new(1),
                ..truth.clone()
            },
            IdRecomputed,
        ),
        (
            ScoreProofStatement {
                nodes: crate::units::NodeSequence::new(9),
                ..truth.clone()
            },
            IdRecomputed,
        ),
        (
            ScoreProofStatement {
                log_origin: "log.example/b".into(),
                ..truth.clone()
            },
            IdRecomputed,
        ),
        (
            ScoreProofStatement {
                manifest: crate::hash::ManifestHash::new([0; 32]),
                ..truth.clone()
            },
            IdRecomputed,
        ),
        (
            ScoreProofStatement {
                root: crate::hash::ProofRoot::new([0; 32]),
                ..truth.clone()
            },
            MerklePathValid,
        ),
        (
            ScoreProofStatement {
                subject: ArtifactSubject {
                    name: "other".into(),
                    ..truth.subject.clone()
                },
                ..truth
            },
            IdRecomputed,
        ),
    ];
    for (lie, check) in lies {
        let report = fixture.verify(&fixture.build(&lie, &[]));
        assert_fails(&report, check, "");
        assert_eq!(report.outcome(CheckName::SignatureValid), Outcome::Pass);
    }
}

#[test]
fn nodes_left_out_or_exchanged_break_the_merkle_path() {
    let fixture = fixture(3);
    let bundle = fixture.bundle();
    let with = |nodes: Vec<SealedNode>| {
        let proof = ScoreProof::new(nodes).unwrap().to_bytes();
        fixture.verify(&replace(&bundle, SCORE_PROOF_FILE, &proof))
    };
    let nodes = fixture.proof.nodes();
    let mut fewer = nodes.to_vec();
    fewer.remove(2);
    assert_fails(&with(fewer), CheckName::MerklePathValid, "the signed root");
    let mut exchanged = nodes.to_vec();
    exchanged.swap(1, 2);
    assert_fails(
        &with(exchanged),
        CheckName::MerklePathValid,
        "the signed root",
    );
    assert_fails(&with(vec![]), CheckName::MerklePathValid, "the signed root");

    // Signed in a wrong order: the root fits, the order does not.
    let mut swapped = fixture_of(&fixture, |nodes| nodes.swap(1, 2));
    assert_fails(
        &swapped.verify(&swapped.bundle()),
        CheckName::MerklePathValid,
        "stands before",
    );
    swapped = fixture_of(&fixture, |nodes| nodes.truncate(0));
    assert_fails(
        &swapped.verify(&swapped.bundle()),
        CheckName::MerklePathValid,
        "node 0",
    );
}

fn fixture_of(good: &Fixture, change: impl FnOnce(&mut Vec<SealedNode>)) -> Fixture {
    let mut nodes = good.proof.nodes().to_vec();
    change(&mut nodes);
    Fixture {
        proof: ScoreProof::new(nodes).unwrap(),
        ..fixture(3)
    }
}

#[test]
fn one_protocol_is_not_taken_for_another() {
    let fixture = fixture(3);
    // A proof node as the log's leaf, truly included and truly signed.
    let node = fixture.proof.nodes()[1].bytes().to_vec();
    let tlog_proof = tlog_proof(&node, 6, ORIGIN, &fixture.log_signer);
    let (from, to) = (&fixture.seal.header, &node);
    let bundle = edit(
        &fixture.bundle(),
        META_FILE,
        &crate::base64::encode(from),
        &crate::base64::encode(to),
    );
    let quoted = |text: &str| text.replace('\n', "\\n");
    let bundle = edit(
        &bundle,
        META_FILE,
        &quoted(&fixture.tlog_proof),
        &quoted(&tlog_proof),
    );
    assert_fails(
        &fixture.verify(&bundle),
        CheckName::LogInclusion,
        "no event",
    );

    // The log's root as the proof root, truly signed.
    let proof = TlogProof::parse(fixture.tlog_proof.as_bytes()).unwrap();
    let head = Checkpoint::parse(proof.checkpoint.unverified_text())
        .unwrap()
        .head;
    let root = crate::hash::ProofRoot::new(*head.root.as_bytes());
    let statement = ScoreProofStatement {
        root,
        ..fixture.score_statement()
    };
    let report = fixture.verify(&fixture.build(&statement, &[]));
    assert_fails(&report, CheckName::MerklePathValid, "the signed root");

    // Another event of the same log, truly included and truly signed.
    let header = EventHeader::decode(&fixture.seal.header).unwrap();
    let other = EventHeader {
        event_type: EventType::SCORE_REPLAYED,
        ..header
    }
    .to_bytes();
    let tlog_proof = self::tlog_proof(&other, 6, ORIGIN, &fixture.log_signer);
    let seal = SealEvent {
        header: other,
        ..fixture.seal.clone()
    };
    let replayed = Fixture {
        seal,
        tlog_proof,
        ..self::fixture(3)
    };
    let report = replayed.verify(&replayed.bundle());
    assert_fails(&report, CheckName::LogInclusion, "not a root.sealed");

    // The envelopes exchanged: each is well signed, neither says what it should.
    let bundle = fixture.bundle();
    let (left, right) = (
        content(&bundle, MANIFEST_ENVELOPE_FILE),
        content(&bundle, ROOT_ENVELOPE_FILE),
    );
    let bundle = replace(&bundle, MANIFEST_ENVELOPE_FILE, &right);
    let report = fixture.verify(&replace(&bundle, ROOT_ENVELOPE_FILE, &left));
    assert_fails(&report, CheckName::IdRecomputed, "predicateType");
}

#[test]
fn folders_are_named_and_inputs_are_hashed() {
    let fixture = fixture(1);
    let statement = fixture.score_statement();
    let bundle = with_inputs(&fixture, &inputs());
    let report = fixture.verify(&bundle);
    assert!(report.verified());
    assert!(report.unchecked().is_empty());
    let name = format!("inputs/{}", to_hex(&sha256(b"sbom")));
    let report = fixture.verify(&replace(&bundle, &name, b"sbon"));
    assert_fails(&report, CheckName::IdRecomputed, "an input's name");

    for name in [
        "extra.json",
        "chain/x",
        "chain/seals/x.json",
        "inputs/sbom",
        "anchors/key.pem",
        "meta.json/x",
    ] {
        let refused = fixture.try_build(&statement, &[ZipEntry { name, content: b"" }]);
        assert_eq!(refused, Err(BuildError::Further { name: name.into() }));
    }
    let elsewhere = [ZipEntry {
        name: "extra.json",
        content: b"",
    }];
    let mut entries = zip::read(&bundle).unwrap();
    entries.extend_from_slice(&elsewhere);
    let report = fixture.verify(&zip::write(&entries).unwrap());
    assert_fails(&report, CheckName::IdRecomputed, "not part of a bundle");
    let fewer: Vec<_> = entries
        .into_iter()
        .filter(|entry| entry.name != META_FILE)
        .collect();
    let report = fixture.verify(&zip::write(&fewer).unwrap());
    assert_fails(&report, CheckName::IdRecomputed, "has no meta.json");
}

#[test]
fn every_changed_byte_of_the_archive_is_refused() {
    let fixture = fixture(1);
    let bundle = fixture.bundle();
    for at in 0..bundle.len() {
        let mut mutant = bundle.clone();
        mutant[at] ^= 1 << (at % 8);
        assert_fails(
            &fixture.verify(&mutant),
            CheckName::IdRecomputed,
            "ID recomputation failed",
        );
    }
    for at in 0..bundle.len() {
        assert_fails(
            &fixture.verify(&bundle[..at]),
            CheckName::IdRecomputed,
            "archive",
        );
    }
}

/// Whoever changes a byte can fix the checksum too; then a check that knows the content must fail.
#[test]
fn every_changed_byte_of_a_file_is_refused() {
    let fixture = fixture(1);
    let bundle = fixture.bundle();
    for entry in zip::read(&bundle).unwrap() {
        for at in 0..entry.content.len() {
            let mut content = entry.content.to_vec();
            content[at] ^= 1 << (at % 7);
            let report = fixture.verify(&replace(&bundle, entry.name, &content));
            assert!(!report.verified(), "{} byte {at}: {report:#?}", entry.name);
            let expected: &[CheckName] = match entry.name {
                MANIFEST_FILE | SCORE_PROOF_FILE => &[CheckName::IdRecomputed],
                MANIFEST_ENVELOPE_FILE | ROOT_ENVELOPE_FILE => &[CheckName::SignatureValid],
                _ => &[
                    CheckName::IdRecomputed,
                    CheckName::LogInclusion,
                    CheckName::TimestampValid,
                ],
            };
            let failed = |name: &CheckName| report.outcome(*name) == Outcome::Fail;
            assert!(
                expected.iter().any(failed),
                "{} byte {at}: {report:#?}",
                entry.name
            );
        }
    }
}

#[test]
fn keys_for_information_are_keys_under_their_own_names() {
    let fixture = fixture(1);
    let statement = fixture.score_statement();
    let (keys, log_keys) = fixture.keys();
    let name = format!("{ANCHORS_FOLDER}{}.pem", keys[0].id());
    let (pem, vkey) = (keys[0].to_pem(), format!("{}\n", log_keys[0]));
    let with = |name: &str, pem: &str, vkey: &str| {
        let further = [
            ZipEntry {
                name,
                content: pem.as_bytes(),
            },
            ZipEntry {
                name: ANCHOR_LOG_FILE,
                content: vkey.as_bytes(),
            },
        ];
        fixture.verify(&fixture.build(&statement, &further))
    };
    let report = with(&name, &pem, &vkey);
    assert!(report.verified());
    assert_eq!(report.unchecked(), [name.as_str(), ANCHOR_LOG_FILE]);
    let other = format!("{ANCHORS_FOLDER}{}.pem", "0".repeat(64));
    for report in [
        with(&other, &pem, &vkey),
        with(&name, &pem.replace('\n', "\r\n"), &vkey),
        with(&name, "no key", &vkey),
        with(&name, &pem, vkey.trim_end()),
        with(&name, &pem, "no key\n"),
    ] {
        assert_fails(&report, CheckName::IdRecomputed, "anchors/");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let fixture = fixture(0);
        prop_assert!(!fixture.verify(&bytes).verified());
        let bundle = fixture.bundle();
        for entry in zip::read(&bundle).unwrap() {
            prop_assert!(!fixture.verify(&replace(&bundle, entry.name, &bytes)).verified());
        }
    }
}

fn with_inputs(fixture: &Fixture, contents: &[Vec<u8>]) -> Vec<u8> {
    let mut named: Vec<(String, &[u8])> = contents
        .iter()
        .map(|content| (format!("inputs/{}", to_hex(&sha256(content))), &content[..]))
        .collect();
    named.sort();
    let entries: Vec<ZipEntry<'_>> = named
        .iter()
        .map(|(name, content)| ZipEntry { name, content })
        .collect();
    fixture.build(&fixture.score_statement(), &entries)
}

#[test]
fn inputs_are_the_manifests_and_all_of_them() {
    let fixture = fixture(1);
    let all = inputs();
    for (missing, what) in ["the SBOM", "the policy", "the feed", "the VEX"]
        .into_iter()
        .enumerate()
    {
        let mut some = all.to_vec();
        some.remove(missing);
        let report = fixture.verify(&with_inputs(&fixture, &some));
        assert_fails(&report, CheckName::IdRecomputed, what);
    }
    let more = [&all[..], &[b"whatever".to_vec()]].concat();
    let report = fixture.verify(&with_inputs(&fixture, &more));
    assert_fails(
        &report,
        CheckName::IdRecomputed,
        "none that the manifest names",
    );

    // A records file with the right header, and something else behind it.
    let whole = &all[2];
    let mutants: [(&str, Vec<u8>); 4] = [
        ("cut short", whole[..whole.len() - 1].to_vec()),
        ("cut short", [whole, &b"x"[..]].concat()),
        ("another hash", [&whole[..whole.len() - 2], b"[]"].concat()),
        ("root", {
            let id = whole.windows(5).position(|part| part == b"\"A-1\"");
            let mut other = whole.clone();
            other[id.unwrap() + 3] = b'2';
            other
        }),
    ];
    for (why, mutant) in mutants {
        let mut others = all.to_vec();
        others[2] = mutant;
        let report = fixture.verify(&with_inputs(&fixture, &others));
        assert_fails(&report, CheckName::IdRecomputed, why);
    }
}
