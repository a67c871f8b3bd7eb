//! `stella score compute` as a user runs it, and against a ledger that is given the same inputs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests report by panicking"
)]

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use stella_verify::dsse::Envelope;
use stella_verify::keys::{EnvelopeSigner as _, SigningKey};
use tempfile::TempDir;

fn stella(home: &Path, words: &[&str]) -> Output {
    (Command::new(env!("CARGO_BIN_EXE_stella")).args(words))
        .current_dir(home)
        .env_remove("STELLA_DATA_DIR")
        .env_remove("STELLA_SERVER")
        .output()
        .unwrap()
}

#[track_caller]
fn parsed(output: &Output) -> Value {
    let problem = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{problem}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn advisory(id: &str, package: &str, aliases: &[&str], fixed: &str) -> Value {
    json!({
        "id": id, "aliases": aliases, "summary": format!("Flaw in {package}"),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "npm", "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}],
    })
}

const EPSS: &str = "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\n\
    cve,epss,percentile\nCVE-2026-1,0.94358,0.99\n";
const JOIN: &str = "cve\tcvss_version\tvector\tpublished_base\tprovider\tssvc_exploitation\t\
    ssvc_automatable\tssvc_technical_impact\tkev_date_added\n\
    CVE-2026-1\t3.1\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t9.8\tCNA:x\tactive\tyes\ttotal\t\n";

/// A folder with an SBOM of three packages and everything that is known of them.
fn inputs() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(home.path().join(name), text).unwrap();
    let component = |name: &str, purl: &str| json!({"type": "library", "name": name, "bom-ref": name, "purl": purl});
    let sbom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "name": "app", "bom-ref": "app",
            "purl": "pkg:npm/app@1.0.0"}},
        "components": [component("a", "pkg:npm/a@1.0.0"), component("b", "pkg:npm/%40x/b@1.0.0"),
            component("odd", "no purl")],
        "dependencies": [{"ref": "app", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["b"]}],
    });
    write("app.cdx.json", sbom.to_string());
    std::fs::create_dir(home.path().join("osv")).unwrap();
    write(
        "osv/1.json",
        advisory("GHSA-1", "a", &["CVE-2026-1"], "1.1.0").to_string(),
    );
    write(
        "osv/2.json",
        advisory("GHSA-2", "@x/b", &["CVE-2026-2"], "2.0.0").to_string(),
    );
    write(
        "osv/3.json",
        advisory("GHSA-3", "a", &[], "0.9.0").to_string(),
    );
    write("epss.csv", EPSS.to_owned());
    write("join.tsv", JOIN.to_owned());
    let kev = json!({"vulnerabilities": [{"cveID": "CVE-2026-1", "dateAdded": "2026-01-02",
        "knownRansomwareCampaignUse": "Unknown"}]});
    write("kev.json", kev.to_string());
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:vex", "author": "us",
        "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{"vulnerability": {"name": "CVE-2026-2"},
            "products": [{"@id": "pkg:npm/%40x/b@1.0.0"}], "status": "not_affected",
            "justification": "vulnerable_code_not_present"}],
    });
    write("vex.json", vex.to_string());
    let facts = json!({"schema": "stella.reachability/v1", "facts": []});
    write("reach.json", facts.to_string());
    home
}

const COMPUTE: [&str; 16] = [
    "score",
    "compute",
    "--sbom",
    "app.cdx.json",
    "--osv",
    "osv",
    "--epss",
    "epss.csv",
    "--kev",
    "kev.json",
    "--severity",
    "join.tsv",
    "--vex",
    "vex.json",
    "--format",
    "json",
];

fn compute(home: &Path, more: &[&str]) -> Output {
    let mut words = COMPUTE.to_vec();
    words.extend(more);
    stella(home, &words)
}

#[test]
fn the_document_has_the_score_its_reasons_and_what_was_read() {
    let home = inputs();
    let got = parsed(&compute(home.path(), &["--nodes"]));
    assert_eq!(got["score"], 100, "exploited, and CVSS 9.8");
    assert_eq!(got["manifest"]["schema"], "stella.scan-manifest/v1");
    let findings = got["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "GHSA-3 is fixed in this version");
    let first = findings
        .iter()
        .find(|f| f["advisoryId"] == "GHSA-1")
        .unwrap();
    assert!(first["id"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(first["purl"], "pkg:npm/a@1.0.0");
    assert_eq!(first["aliases"], json!(["CVE-2026-1"]));
    assert_eq!(
        (&first["epss"], &first["knownExploited"]),
        (&"0.94358".into(), &true.into())
    );
    let ssvc = json!({"automatable": "yes", "exploitation": "active", "technicalImpact": "total"});
    assert_eq!(first["ssvc"], ssvc);
    assert_eq!(
        (&first["depth"], &first["scope"]),
        (&1.into(), &"unspecified".into())
    );
    assert_eq!(
        (&first["fixAvailable"], &first["fixed"]),
        (&true.into(), &json!(["1.1.0"]))
    );
    let second = findings
        .iter()
        .find(|f| f["advisoryId"] == "GHSA-2")
        .unwrap();
    assert_eq!(
        (&second["vex"]["status"], &second["score"]),
        (&"not_affected".into(), &0.into())
    );
    assert_eq!(second["depth"], 2);
    assert_eq!(got["warnings"][0]["code"], "purl-invalid");
    assert_eq!(
        got["inputs"]["feed"]["read"],
        json!({"advisory": 3, "epss": 1, "kev": 1, "severity": 1})
    );
    assert_eq!(got["inputs"]["vex"]["read"], json!({"vex": 1}));
    assert_eq!(
        got["nodes"].as_array().unwrap().len(),
        usize::try_from(got["nodeCount"].as_u64().unwrap()).unwrap()
    );
    // A warning is in the proof, too.
    let warned =
        |node: &&Value| node["ruleId"] == "warning" && node["in"]["code"] == "purl-invalid";
    assert_eq!(
        got["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(warned)
            .count(),
        1
    );
}

#[test]
fn a_ledger_gives_the_same_manifest_and_root() {
    let home = inputs();
    let ledger = ["--data-dir", "ledger"];
    let in_ledger = |words: &[&str]| {
        let words: Vec<&str> = ledger.iter().chain(words).copied().collect();
        stella(home.path(), &words)
    };
    parsed(&in_ledger(&[
        "snapshot",
        "import",
        "osv",
        "--epss",
        "epss.csv",
        "--kev",
        "kev.json",
        "--severity",
        "join.tsv",
        "--format",
        "json",
    ]));
    parsed(&in_ledger(&[
        "snapshot", "import", "--vex", "vex.json", "--format", "json",
    ]));
    for more in [
        &[][..],
        &["--policy", "risk-v1", "--knob", "provenance=signed"],
        &[
            "--policy",
            "ssvc-coordinator",
            "--reachability",
            "reach.json",
        ],
        &[
            "--artifact-purl",
            "pkg:npm/app@1.0.0",
            "--scanner-version",
            "syft-1",
        ],
    ] {
        let mut words = vec![
            "scan",
            "submit",
            "--sbom",
            "app.cdx.json",
            "--format",
            "json",
        ];
        words.extend(more);
        let scan = parsed(&in_ledger(&words));
        let computed = parsed(&compute(home.path(), more));
        for member in ["manifestHash", "rootHash", "nodeCount", "scoreBps"] {
            assert_eq!(scan[member], computed[member], "{member} with {more:?}");
        }
        let id = scan["scanId"].as_str().unwrap();
        let manifest = in_ledger(&["score", "manifest", "--scan-id", id, "--format", "json"]);
        assert_eq!(parsed(&manifest), computed["manifest"]);
    }
}

#[test]
fn every_format_is_printed_and_threads_change_nothing() {
    let home = inputs();
    for (format, sign) in [
        ("sarif", "2.1.0"),
        ("cyclonedx", "\"specVersion\":\"1.6\""),
        ("csv", "finding,purl,advisory"),
        ("in-toto", "https://in-toto.io/attestation/vulns/v0.2"),
        ("table", "GHSA-1"),
    ] {
        let words: Vec<&str> = (COMPUTE.iter().take(14).copied())
            .chain(["--format", format])
            .collect();
        let output = stella(home.path(), &words);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(sign), "{format}: {text}");
    }
    let one = compute(home.path(), &["--nodes", "--threads", "1"]).stdout;
    for threads in ["4", "16"] {
        assert_eq!(
            compute(home.path(), &["--nodes", "--threads", threads]).stdout,
            one
        );
    }
}

#[test]
fn bad_records_refuse_the_import_or_are_named_in_the_output() {
    let home = inputs();
    std::fs::write(
        home.path().join("osv/bad.json"),
        r#"{"id": "X", "affected": 7}"#,
    )
    .unwrap();
    let refused = compute(home.path(), &[]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("SNAPSHOT_BAD_RECORD") && said.contains("bad.json"),
        "{said}"
    );
    let got = parsed(&compute(home.path(), &["--skip-bad-records"]));
    let feed = &got["inputs"]["feed"];
    assert_eq!(feed["badCount"], 1);
    assert!(
        feed["bad"][0]["place"]
            .as_str()
            .unwrap()
            .ends_with("bad.json")
    );
    assert!(
        feed["bad"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("/affected")
    );
    assert_eq!(got["findings"].as_array().unwrap().len(), 2);
}

#[test]
fn an_attestation_is_accepted_from_a_given_key_only() {
    let home = inputs();
    let sbom = std::fs::read_to_string(home.path().join("app.cdx.json")).unwrap();
    let predicate: Value = serde_json::from_str(&sbom).unwrap();
    let statement = json!({"_type": "https://in-toto.io/Statement/v1", "subject": [],
        "predicateType": "https://cyclonedx.org/bom", "predicate": predicate});
    let [key, other] = [1_u8, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).unwrap());
    let bytes = statement.to_string().into_bytes();
    let signed = Envelope::sign("application/vnd.in-toto+json", bytes, &key, &[]).unwrap();
    std::fs::write(home.path().join("app.att.json"), signed.to_bytes()).unwrap();
    std::fs::write(home.path().join("key.pem"), key.public_key().to_pem()).unwrap();
    std::fs::write(home.path().join("other.pem"), other.public_key().to_pem()).unwrap();
    let with = |sbom: &str, more: &[&str]| {
        let mut words = vec![
            "score", "compute", "--sbom", sbom, "--osv", "osv", "--format", "json",
        ];
        words.extend(more);
        stella(home.path(), &words)
    };
    let codes = |got: &Value| -> Vec<String> {
        let all = got["warnings"].as_array().unwrap().iter();
        all.map(|warning| warning["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let unchecked = parsed(&with("app.att.json", &[]));
    assert_eq!(codes(&unchecked), ["signature-unchecked", "purl-invalid"]);
    assert_eq!(unchecked["inputs"]["sbom"]["signature"]["verified"], false);
    let checked = parsed(&with(
        "app.att.json",
        &["--sbom-key", "other.pem", "key.pem"],
    ));
    assert_eq!(codes(&checked), ["purl-invalid"]);
    assert_eq!(checked["inputs"]["sbom"]["signature"]["verified"], true);
    assert_eq!(
        checked["rootHash"], unchecked["rootHash"],
        "no manifest names a key"
    );
    // Another key, and a document without signature.
    assert_eq!(
        with("app.att.json", &["--sbom-key", "other.pem"])
            .status
            .code(),
        Some(3)
    );
    assert_eq!(
        with("app.cdx.json", &["--sbom-key", "key.pem"])
            .status
            .code(),
        Some(3)
    );
}
