//! A small world to score: advisories, statements and bills of materials, made here.

use serde_json::{Value, json};
use stella_client::Connection;
use stella_proto::scan::{Scan, SubmitScanRequest};
use stella_proto::snapshot as wire;
use wire::import_snapshot_request::Part;

pub(crate) const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
pub(crate) const LOW: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

/// An advisory for versions of a crate before `fixed`.
pub(crate) fn advisory(id: &str, package: &str, fixed: &str, vector: &str) -> Value {
    json!({
        "id": id,
        "modified": "2026-01-01T00:00:00Z",
        "aliases": [id.replace("RUSTSEC", "CVE")],
        "summary": format!("a flaw of {package}"),
        "severity": [{"type": "CVSS_V3", "score": vector}],
        "affected": [{
            "package": {"ecosystem": "crates.io", "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
}

/// An EPSS file with these probabilities.
pub(crate) fn epss(rows: &[(&str, &str)]) -> String {
    let mut text =
        String::from("#model_version:v2026.01,score_date:2026-01-01\ncve,epss,percentile\n");
    for (cve, probability) in rows {
        let row = format!("{cve},{probability},0.50000\n");
        text.push_str(&row);
    }
    text
}

/// A bill of crates at 1.0.0.
pub(crate) fn bill(name: &str, packages: &[&str]) -> String {
    let component = |package: &&str| {
        json!({
            "type": "library",
            "bom-ref": package,
            "name": package,
            "version": "1.0.0",
            "purl": format!("pkg:cargo/{package}@1.0.0"),
        })
    };
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": name, "version": "1"}},
        "components": packages.iter().map(component).collect::<Vec<_>>(),
    })
    .to_string()
}

/// Imports files as a feed snapshot and publishes it; answers its hash.
pub(crate) async fn import(connection: &Connection, files: Vec<(String, Vec<u8>)>) -> String {
    import_as(connection, wire::SnapshotKind::Concelier, files).await
}

/// Imports files as a snapshot of a kind and publishes it.
pub(crate) async fn import_as(
    connection: &Connection,
    kind: wire::SnapshotKind,
    files: Vec<(String, Vec<u8>)>,
) -> String {
    let header = wire::ImportHeader {
        kind: kind.into(),
        publish: true,
        ..wire::ImportHeader::default()
    };
    let mut parts = vec![Part::Header(header)];
    for (name, bytes) in files {
        parts.push(Part::File(wire::SourceFile { name }));
        for chunk in bytes.chunks(1 << 20) {
            parts.push(Part::Chunk(chunk.to_vec().into()));
        }
    }
    let messages: Vec<_> = (parts.into_iter())
        .map(|part| wire::ImportSnapshotRequest { part: Some(part) })
        .collect();
    let answer = connection
        .snapshots()
        .import_snapshot(tokio_stream::iter(messages))
        .await;
    answer.unwrap().into_inner().snapshot.unwrap().hash
}

/// Advisories, one file each.
pub(crate) fn files(advisories: &[Value]) -> Vec<(String, Vec<u8>)> {
    (advisories.iter())
        .map(|advisory| {
            let name = advisory["id"].as_str().unwrap().to_owned();
            (name, advisory.to_string().into_bytes())
        })
        .collect()
}

/// Submits a bill.
pub(crate) async fn submit(connection: &Connection, sbom: &str) -> Scan {
    let request = SubmitScanRequest {
        sbom: sbom.to_owned().into(),
        ..SubmitScanRequest::default()
    };
    let answer = connection.scans().submit_scan(request).await.unwrap();
    answer.into_inner().scan.unwrap()
}
