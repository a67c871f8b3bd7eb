//! Real envelopes: which signature verifies under which key, as an independent library found.
//!
//! The data is not part of this repository: the folder beside it, or `STELLA_SHARED`. Without it the
//! test says so and passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use p256::pkcs8::der::asn1::AnyRef;
use p256::pkcs8::der::{Decode as _, Encode as _, Header, Reader as _, SliceReader};
use serde_json::Value;
use std::path::{Path, PathBuf};
use stella_verify::base64;
use stella_verify::dsse::Envelope;
use stella_verify::hash::{sha256, to_hex};
use stella_verify::keys::{PublicKey, PureRust};

fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("STELLA_SHARED").map_or_else(|| beside.into(), PathBuf::from);
    Some(shared.join("data")).filter(|data| data.is_dir())
}

#[test]
fn signatures_verify_under_the_keys_that_made_them() {
    let Some(data) = data() else {
        eprintln!("skipped: no shared data (set STELLA_SHARED)");
        return;
    };
    let truth = std::fs::read(data.join("truth/dsse-signatures.json")).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let rows = truth["envelopes"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        check(&data, row);
    }
}

fn check(data: &Path, row: &Value) {
    let file = row["file"].as_str().unwrap();
    let at = row["at"].as_str().unwrap();
    let document = std::fs::read(data.join(file)).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let envelope = document.pointer(at).unwrap();
    let parsed = Envelope::parse(envelope.to_string().as_bytes()).unwrap();
    assert_eq!(
        parsed.unverified_payload_type(),
        row["payloadType"].as_str().unwrap(),
        "{file}"
    );
    let payload_hash = to_hex(&sha256(parsed.unverified_payload()));
    assert_eq!(
        payload_hash,
        row["payload_sha256"].as_str().unwrap(),
        "{file}"
    );

    let signatures = row["signatures"].as_array().unwrap();
    assert_eq!(parsed.signatures().len(), signatures.len(), "{file}");
    let mut names: Vec<&str> = row["keys_tried"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    names.dedup();
    for name in names {
        let keys = keys(data, file, name, &document);
        assert!(!keys.is_empty(), "{file}: no key {name}");
        let found = parsed.signers(&keys, &PureRust);
        for (signature, signer) in signatures.iter().zip(found) {
            let under = signature["valid_under"].as_array().unwrap();
            let expected = under.iter().any(|key| key == name);
            assert_eq!(signer.is_some(), expected, "{file}{at} under {name}");
        }
    }
}

fn keys(data: &Path, file: &str, name: &str, document: &Value) -> Vec<PublicKey> {
    if name != "embedded cert" {
        let folder = data.join(file).parent().unwrap().join(name);
        return vec![PublicKey::from_pem(&std::fs::read_to_string(folder).unwrap()).unwrap()];
    }
    let mut certificates = Vec::new();
    collect_certificates(document, &mut certificates);
    certificates
        .iter()
        .map(|der| certificate_key(der))
        .collect()
}

/// Every certificate anywhere in a Sigstore bundle.
fn collect_certificates(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_certificates(item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "rawBytes") {
                    Some(text) => found.push(base64::decode(text).unwrap()),
                    None => collect_certificates(value, found),
                }
            }
        }
        _ => {}
    }
}

/// The seventh field of a TBSCertificate (RFC 5280 4.1), counting the version.
fn certificate_key(der: &[u8]) -> PublicKey {
    let mut reader = SliceReader::new(der).unwrap();
    Header::decode(&mut reader).unwrap();
    Header::decode(&mut reader).unwrap();
    for _ in 0..6 {
        AnyRef::decode(&mut reader).unwrap();
    }
    let spki = AnyRef::decode(&mut reader).unwrap();
    assert!(!reader.is_finished());
    PublicKey::from_spki_der(&spki.to_der().unwrap()).unwrap()
}
