//! Real VEX documents, and what they say of components.
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

use stella_scoring::inputs::vex;
use stella_scoring::model::{VexFit, VexQuery, VexSnapshot as _, VexStatus};
use stella_scoring::purl::Purl;

fn files(folder: &str) -> Vec<PathBuf> {
    let Some(data) = shared::data() else {
        return Vec::new();
    };
    let mut files: Vec<_> = std::fs::read_dir(data.join("vex").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_document_is_read_and_survives_normalisation() {
    for folder in ["openvex", "csaf", "cyclonedx", "trivy-fixtures"] {
        for path in files(folder) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let document =
                vex::read(&shared::read(&path)).unwrap_or_else(|e| panic!("{name}: {e}"));
            for statement in &document.statements {
                let again = vex::StatementRecord::parse(&statement.to_bytes());
                assert_eq!(again.as_ref(), Ok(statement), "{name}");
            }
            println!(
                "{name}: {} statements, {} notes",
                document.statements.len(),
                document.notes.len()
            );
            if !name.contains("bom") {
                assert!(!document.statements.is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn all_of_them_are_one_snapshot_in_any_order() {
    let mut all: Vec<_> = ["openvex", "csaf", "cyclonedx", "trivy-fixtures"]
        .into_iter()
        .flat_map(files)
        .collect();
    if all.is_empty() {
        return;
    }
    let one = shared::vex(&all);
    all.reverse();
    let other = shared::vex(&all);
    assert_eq!(one.hash(), other.hash());
    assert_eq!(one.statements(), other.statements());
    println!("{} statements", one.statements().len());
}

#[track_caller]
fn check(
    file: &str,
    artifact: Option<&str>,
    component: &str,
    id: &str,
    expected: &[(VexStatus, VexFit)],
) {
    let Some(data) = shared::data() else { return };
    let index = shared::vex(&[data.join("vex").join(file)]);
    let artifacts: Vec<Purl> = artifact.iter().map(|text| text.parse().unwrap()).collect();
    let component: Purl = component.parse().unwrap();
    let names: [Box<str>; 1] = [id.into()];
    let query = VexQuery {
        artifacts: &artifacts,
        component: &component,
        names: &names,
    };
    let found: Vec<_> = index
        .applications(query)
        .into_iter()
        .map(|found| (found.statement.status, found.fit))
        .collect();
    assert_eq!(found, expected, "{file}");
}

#[test]
fn statements_apply_to_what_they_name() {
    use VexFit::{ComponentInArtifact, ComponentVersion, ComponentVersionInArtifact};
    use VexStatus::{Affected, Fixed, NotAffected};
    let bash = "pkg:deb/debian/bash@5.2.15-2%2Bb2?distro=debian-12";
    let oci = "pkg:oci/debian@sha256%3Aabc?repository_url=index.docker.io/library/debian";
    let in_image = [(NotAffected, ComponentInArtifact)];
    check(
        "trivy-fixtures/openvex-oci.json",
        Some(oci),
        bash,
        "CVE-2022-3715",
        &in_image,
    );
    check(
        "trivy-fixtures/openvex-oci-mismatch.json",
        Some(oci),
        bash,
        "CVE-2022-3715",
        &[],
    );
    check(
        "trivy-fixtures/openvex-oci.json",
        None,
        bash,
        "CVE-2022-3715",
        &[],
    );

    let boot = "pkg:maven/org.springframework.boot/spring-boot@2.6.0";
    let both = [
        (Affected, ComponentVersion),
        (NotAffected, ComponentVersion),
    ];
    check(
        "trivy-fixtures/openvex-multiple.json",
        None,
        boot,
        "CVE-2021-44228",
        &both,
    );
    let one = [(NotAffected, ComponentVersion)];
    check(
        "trivy-fixtures/cyclonedx.json",
        None,
        boot,
        "CVE-2021-44228",
        &one,
    );

    let transitive = "pkg:golang/github.com/aquasecurity/go-transitive@v4.0.0";
    check(
        "trivy-fixtures/csaf.json",
        None,
        transitive,
        "CVE-2024-0001",
        &one,
    );
    let direct = Some("pkg:golang/github.com/aquasecurity/go-direct1@v2.0.0");
    let within = [(NotAffected, ComponentVersionInArtifact)];
    check(
        "trivy-fixtures/csaf-relationships.json",
        direct,
        transitive,
        "CVE-2024-0001",
        &within,
    );
    check(
        "trivy-fixtures/csaf-relationships.json",
        None,
        transitive,
        "CVE-2024-0001",
        &[],
    );

    let git = "pkg:apk/wolfi/git@2.39.0-r1?arch=x86_64";
    check(
        "openvex/go-vex-v0.0.1.json",
        None,
        git,
        "CVE-2023-12345",
        &[(Fixed, ComponentVersion)],
    );
    check(
        "openvex/go-vex-v0.0.1.json",
        None,
        "pkg:apk/wolfi/git@2.39.0-r2?arch=x86_64",
        "CVE-2023-12345",
        &[],
    );
}
