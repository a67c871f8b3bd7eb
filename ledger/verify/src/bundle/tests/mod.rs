mod chain;
mod fixture;
mod mutants;

use super::*;
use crate::checkpoint::Origin;
use crate::keys::{EnvelopeSigner, SigningKey};
use crate::note::{Ed25519Signer, KeyName, NoteSigner};
use crate::units::{BasisPoints, UnixMillis};
use fixture::*;

#[test]
fn a_good_bundle_passes_every_check_that_can_be_asked() {
    let fixture = fixture(3);
    let report = fixture.verify(&fixture.bundle());
    assert_eq!(outcomes(&report), "pppppss", "{report:#?}");
    assert!(report.verified());
    assert_eq!(report.claims().unwrap().score, BasisPoints::new(9800));
    assert_eq!(
        fixture.bundle(),
        fixture.bundle(),
        "the same parts give the same bytes"
    );
    let json = String::from_utf8(report.to_json()).unwrap();
    assert!(json.contains(r#""verified":true"#) && json.contains(r#""status":"skipped""#));
}

#[test]
fn without_a_log_key_nothing_of_the_log_passes() {
    let fixture = fixture(3);
    let (keys, _) = fixture.keys();
    let report = verify(&fixture.bundle(), &TrustInput::new(&keys, &[]));
    assert_eq!(outcomes(&report), "pppssss");
    assert!(report.verified());
}

#[test]
fn other_keys_do_not_verify() {
    let fixture = fixture(1);
    let (keys, log_keys) = fixture.keys();
    let bundle = fixture.bundle();
    let stranger = [SigningKey::from_seed(&[66; 32])
        .unwrap()
        .public_key()
        .clone()];
    let report = verify(&bundle, &TrustInput::new(&stranger, &log_keys));
    assert_fails(
        &report,
        CheckName::SignatureValid,
        "0 of 1 required trusted keys signed",
    );
    let report = verify(&bundle, &TrustInput::new(&[], &log_keys));
    assert_fails(&report, CheckName::SignatureValid, "no trusted public key");
    let two = crate::dsse::Threshold::new(2).unwrap();
    let report = verify(
        &bundle,
        &TrustInput {
            threshold: two,
            ..TrustInput::new(&keys, &[])
        },
    );
    assert_fails(&report, CheckName::SignatureValid, "1 of 2");

    let name = KeyName::new(ORIGIN).unwrap();
    let other = Ed25519Signer::from_seed(name, &[67; 32]);
    let other = [other.verifier_key().clone()];
    let report = verify(&bundle, &TrustInput::new(&keys, &other));
    assert_fails(
        &report,
        CheckName::LogInclusion,
        "no signature of a trusted key",
    );
    assert_eq!(report.outcome(CheckName::TimestampValid), Outcome::Skipped);
    let elsewhere = Origin::new("log.example/b").unwrap();
    let trust = TrustInput {
        log_origin: Some(&elsewhere),
        ..TrustInput::new(&keys, &log_keys)
    };
    assert_fails(
        &verify(&bundle, &trust),
        CheckName::LogInclusion,
        "not the one expected",
    );
}

#[test]
fn the_future_is_refused() {
    let fixture = fixture(1);
    let (keys, log_keys) = fixture.keys();
    let at = |now: u64| {
        let now = Some(UnixMillis::new(now));
        verify(
            &fixture.bundle(),
            &TrustInput {
                now,
                ..TrustInput::new(&keys, &log_keys)
            },
        )
    };
    let earliest = SEALED_AT.get() - MAX_CLOCK_SKEW.get();
    assert!(at(earliest).verified());
    assert_fails(
        &at(earliest - 1),
        CheckName::TimestampValid,
        "after the present",
    );
    assert!(at(u64::MAX).verified());
}

#[test]
fn an_entry_in_rekor_is_demanded_or_not() {
    let fixture = fixture(1);
    let (keys, log_keys) = fixture.keys();
    let demanded = TrustInput {
        require_rekor: true,
        ..TrustInput::new(&keys, &log_keys)
    };
    let report = verify(&fixture.bundle(), &demanded);
    assert_fails(&report, CheckName::RekorInclusion, "Rekor entry not found");
    let report = fixture.verify(&fixture.bundle());
    assert_eq!(report.outcome(CheckName::RekorInclusion), Outcome::Skipped);
}
