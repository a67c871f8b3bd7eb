//! Real bills of materials, whole folders of them.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking, and say what they skip or measure"
)]

mod shared;

use std::path::PathBuf;

use stella_scoring::inputs::sbom::{self, SbomError, Signed};
use stella_scoring::model::WarningCode;
use stella_verify::keys::PublicKey;

fn files(folder: &str) -> Vec<PathBuf> {
    let Some(data) = shared::data() else {
        return Vec::new();
    };
    let mut files: Vec<_> = std::fs::read_dir(data.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

#[test]
fn every_document_is_read() {
    for folder in ["sbom/cyclonedx", "sbom/spdx", "sbom/derived"] {
        for path in files(folder) {
            let bom = sbom::read(&shared::read(&path))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!bom.components.is_empty(), "{}", path.display());
            println!(
                "{}: {}, {} components, {} warnings",
                path.file_name().unwrap().display(),
                bom.format,
                bom.components.len(),
                bom.warnings.len()
            );
        }
    }
}

#[test]
fn odd_documents_are_accepted_with_warnings_or_refused_with_a_reason() {
    use WarningCode::{DependencyLoop, MemberInvalid, PurlInvalid, ReferenceBroken};
    for path in files("sbom/edge") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let result = sbom::read(&shared::read(&path));
        let codes = |code| {
            result
                .as_ref()
                .unwrap()
                .warnings
                .iter()
                .any(|warning| warning.code == code)
        };
        match &*name {
            "trustify-indigestable.json" => assert!(result.is_err(), "{name}"),
            "trivy-cyclonedx-invalid-serial.json" => assert!(codes(MemberInvalid), "{name}"),
            "trustify-invalid-purl.json" | "trivy-cyclonedx-invalid-purl.json" => {
                assert!(codes(PurlInvalid), "{name}");
            }
            "trustify-broken-refs.json" => assert!(codes(ReferenceBroken), "{name}"),
            "trivy-cyclonedx-infinite-loop-bom.json" => assert!(codes(DependencyLoop), "{name}"),
            _ => assert!(result.is_ok(), "{name}: {result:?}"),
        }
    }
}

/// Cut anywhere, a document is refused, never half read.
#[test]
fn cut_documents_are_refused() {
    for path in files("sbom/edge") {
        let bytes = shared::read(&path);
        let end = bytes.trim_ascii_end().len();
        for cut in (0..end).step_by(7) {
            assert!(
                sbom::read(&bytes[..cut]).is_err(),
                "{} cut at {cut}",
                path.display()
            );
        }
    }
}

#[test]
fn attestations_are_opened_and_their_signature_checked() {
    let Some(data) = shared::data() else { return };
    let folder = data.join("attest/grype-sbom-attestations");
    let file = |name: &str| shared::read(&folder.join(name));
    let key = |name: &str| PublicKey::from_pem(&String::from_utf8(file(name)).unwrap()).unwrap();
    let (good, tampered) = (
        file("alpine.cdx.att.json"),
        file("alpine-tampered.cdx.att.json"),
    );
    let bom = sbom::read(&good).unwrap();
    assert!(
        bom.warnings
            .iter()
            .any(|warning| warning.code == WarningCode::SignatureUnchecked)
    );
    assert!(
        bom.components[0]
            .pointer
            .as_str()
            .starts_with("/predicate/components/")
    );

    let trusted = [key("cosign.pub")];
    let other = [key("another_cosign.pub")];
    let signed = sbom::read_signed(&good, Signed::By(&trusted)).unwrap();
    assert_eq!(signed, bom, "what is read does not depend on the key");
    for (bytes, keys) in [(&tampered, &trusted), (&good, &other)] {
        let error = sbom::read_signed(bytes, Signed::By(keys)).unwrap_err();
        assert!(matches!(error, SbomError::Signature(_)), "{error}");
    }
    assert!(sbom::read_signed(&good, Signed::By(&[])).is_err());
}
