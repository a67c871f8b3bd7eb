//! The operators' commands, literally, against a real server.
//!
//! `curl` is replaced by one that answers for the runbook's example host; everything else runs as
//! written, with this machine's `bash`, `curl`, `jq` and `unzip`.

use crate::support::{Answer, Server, command};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Set where a missing tool is a failure and no reason to skip.
const REQUIRE_PEERS: &str = "STELLA_REQUIRE_PEERS";

/// What every section starts from: two snapshots, a scan, its first root, its bundle.
const BEFORE: &str = r#"
set -euo pipefail
export STELLA_TOKEN=$(cat ledger/dev-token) TOKEN=$(cat ledger/dev-token)
stella snapshot import "$FEEDS/june" --format json > imported.json
JUNE=$(jq -r .hash imported.json)
stella scan submit --sbom sbom.json --idempotent --format json > scan.json
SCAN_ID=$(jq -r .scanId scan.json)
ROOT=$(jq -r .rootHash scan.json)
stella snapshot import "$FEEDS/september" > /dev/null
fails() { local want=$1; shift; local got=0; "$@" || got=$?; [ "$got" = "$want" ] || { echo "exit $got, not $want: $*" >&2; exit 99; }; }
"#;

/// A server, a folder to work in, and the tools of the runbook.
struct Surroundings {
    folder: TempDir,
    server: Server,
}

impl Surroundings {
    /// `None`, said why, when this machine lacks a tool.
    fn new() -> Option<Self> {
        let missing = ["bash", "curl", "jq", "unzip"].into_iter().find(|tool| {
            let found = Command::new(tool)
                .arg(if *tool == "unzip" { "-v" } else { "--version" })
                .output();
            found.is_err()
        });
        if let Some(tool) = missing {
            let required = std::env::var(REQUIRE_PEERS).is_ok_and(|value| value == "1");
            assert!(!required, "{REQUIRE_PEERS}=1, and there is no {tool}");
            eprintln!("skipped: there is no {tool} here");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        tools(folder.path());
        let sbom = serde_json::json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
                {"type": "library", "name": "h2", "version": "0.4.20", "purl": "pkg:cargo/h2@0.4.20"},
                {"type": "library", "name": "tokio", "version": "1.40.0", "purl": "pkg:cargo/tokio@1.40.0"},
            ],
        });
        fs::write(folder.path().join("sbom.json"), sbom.to_string()).unwrap();
        let server = Server::start(folder.path(), "ledger");
        Some(Self { folder, server })
    }

    /// Runs a section's lines; every one must succeed unless it says how it fails.
    #[track_caller]
    fn run(&self, section: &str) -> String {
        let feeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/feeds");
        let tools = self.folder.path().join("bin");
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("FEEDS", feeds)
            .env("STELLA_SERVER", &self.server.url)
            .env_remove("STELLA_DATA_DIR")
            .args(["-c", &format!("{BEFORE}\n{section}")])
            .output()
            .unwrap();
        let answer = Answer::of(&output);
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.stdout
    }
}

/// `stella` itself, and a `curl` for which the runbook's host is the server.
fn tools(folder: &Path) {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(command().get_program(), bin.join("stella")).unwrap();
    let curl = bin.join("curl");
    let script = r#"#!/usr/bin/env bash
arguments=()
for argument in "$@"; do
    arguments+=("${argument/https:\/\/scanner.example.com/$STELLA_SERVER}")
done
PATH=${PATH#*:} exec curl "${arguments[@]}"
"#;
    fs::write(&curl, script).unwrap();
    fs::set_permissions(&curl, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn section_2_replays_over_http() {
    let Some(here) = Surroundings::new() else {
        return;
    };
    let told = here.run(
        r#"
curl -s "https://scanner.example.com/api/v1/scanner/scans/$SCAN_ID/manifest" \
  -H "Authorization: Bearer $TOKEN" | jq '.manifest' > manifest.json
jq -e '.concelierSnapshotHash == "'$JUNE'" and .deterministic' manifest.json > /dev/null

curl -s -X POST "https://scanner.example.com/api/v1/scanner/scans/$SCAN_ID/score/replay" \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{}' | jq '.scoreProof.rootHash' > root.json
jq -e '. != "'$ROOT'" and startswith("sha256:")' root.json > /dev/null

curl -s -X POST "https://scanner.example.com/api/v1/scanner/scans/$SCAN_ID/score/replay" \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "overrides": {
      "concelierSnapshotHash": "'$JUNE'"
    }
  }' | jq -e '.scoreProof.rootHash == "'$ROOT'" and .status == "verified"' > /dev/null

curl -s -X POST "https://scanner.example.com/api/v1/scanner/batch/replay" \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "scanIds": ["'$SCAN_ID'", "scan-00000000000000000002"],
    "parallel": true,
    "maxConcurrency": 10
  }' > batch.json
NAME=$(jq -r .name batch.json)
for i in $(seq 100); do
  curl -s "https://scanner.example.com/api/v1/scanner/batch/replay/$NAME" > batch.json
  jq -e .done batch.json > /dev/null && break
  sleep 0.1
done
jq -c '[.done, .progress.total, .progress.failed, (.results | length)]' batch.json
"#,
    );
    assert_eq!(told.trim(), "[true,2,1,2]");
}

#[test]
fn section_2_replays_on_the_command_line() {
    let Some(here) = Surroundings::new() else {
        return;
    };
    let told = here.run(
        r#"
stella score replay --scan-id $SCAN_ID > current.txt
grep -q computed current.txt
stella score replay --scan-id $SCAN_ID \
  --feed-snapshot $JUNE > named.txt
grep -q verified named.txt
stella score replay --scan-id $SCAN_ID --diff > diff.txt
grep -q 'score .* -> ' diff.txt

stella proof download --scan-id $SCAN_ID --root-hash $ROOT --replayable --output offline-bundle.zip > /dev/null
env -u STELLA_SERVER -u STELLA_TOKEN stella score replay --scan-id $SCAN_ID \
  --offline \
  --bundle offline-bundle.zip > offline.txt
grep -q "$ROOT" offline.txt

stella scan list --since 7d --format json > scans.json
cat scans.json | jq -r '.[].scanId' | while read SCAN_ID; do
  echo "Replaying $SCAN_ID..."
  stella score replay --scan-id "$SCAN_ID" --quiet
done
"#,
    );
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("Replaying scan-"), "{told}");
}

#[test]
fn section_3_verifies_proofs() {
    let Some(here) = Surroundings::new() else {
        return;
    };
    here.run(
        r#"
curl -s -X POST "https://scanner.example.com/api/v1/proofs/verify" \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{
    "proofBundleId": "'$ROOT'",
    "checkRekor": true,
    "anchorIds": ["anchor-001"]
  }' > verified.json
jq -e '.verified == false and .checks.signatureValid.status == "pass"' verified.json > /dev/null
jq -e '.checks.rekorInclusion.message | startswith("Rekor entry not found")' verified.json > /dev/null
fails 3 stella proof verify --bundle-id $ROOT --check-rekor

curl -s -o proof-bundle.zip \
  "https://scanner.example.com/api/v1/scanner/scans/$SCAN_ID/proofs/$ROOT"
cp ledger/keys/signing.pub.pem trust-anchor.pem
unset STELLA_SERVER STELLA_TOKEN
stella proof verify --bundle proof-bundle.zip \
  --offline \
  --trust-anchor trust-anchor.pem
stella proof verify --bundle proof-bundle.zip \
  --offline \
  --public-key trust-anchor.pem \
  --skip-rekor
"#,
    );
    here.run(
        r"
stella proof verify --bundle-id $ROOT --verbose
stella proof verify --bundle-id $ROOT --check signatureValid
stella proof verify --bundle-id $ROOT --check idRecomputed
stella proof verify --bundle-id $ROOT --check merklePathValid
stella proof download --scan-id $SCAN_ID --output proof-bundle.zip
stella proof inspect --bundle proof-bundle.zip --output-dir ./inspection/
test -s inspection/score_proof.json
",
    );
}

#[test]
fn section_4_manages_bundles() {
    let Some(here) = Surroundings::new() else {
        return;
    };
    let told = here.run(
        r#"
stella proof download --scan-id $SCAN_ID --output proof.zip > /dev/null
stella proof download --scan-id $SCAN_ID \
  --root-hash $ROOT \
  --output proof.zip > /dev/null
stella proof download --scan-id $SCAN_ID --all --output-dir ./proofs/ > /dev/null

unzip -l proof.zip > names.txt
for name in manifest.json manifest.dsse.json score_proof.json proof_root.dsse.json meta.json; do
  grep -q " $name\$" names.txt
done
unzip -q proof.zip -d ./proof-contents/
cat ./proof-contents/manifest.json | jq . > /dev/null
cat ./proof-contents/score_proof.json | jq -e '.nodes | length > 0' > /dev/null

fails 5 stella proof retrieve --scan-id $SCAN_ID --root-hash $ROOT
fails 5 stella proof retrieve-status --request-id req-001

stella proof export --scan-id $SCAN_ID \
  --include-chain \
  --include-anchors \
  --output audit-bundle.zip > /dev/null
stella proof verify --bundle audit-bundle.zip --offline \
  --public-key ledger/keys/signing.pub.pem --log-key ledger/keys/log.vkey > /dev/null
stella proof export-batch \
  --from 2025-01-01 \
  --to 2025-01-31 \
  --output-dir ./audit-jan-2025/ > /dev/null
stella proof export-batch --from 2025-01-01 --to 2125-01-01 --output-dir ./audit-all/ > /dev/null
test "$(ls audit-all/*.zip | wc -l)" -ge 1

stella proof status --scan-id $SCAN_ID
"#,
    );
    assert!(told.starts_with("tier=hot, expires="), "{told}");
    assert!(told.trim_end().ends_with("retrievable=true"), "{told}");
}

#[test]
fn section_5_finds_out_why() {
    let Some(here) = Surroundings::new() else {
        return;
    };
    let told = here.run(
        r#"
stella score replay --scan-id $SCAN_ID > /dev/null
stella score diff --scan-id $SCAN_ID --original --replayed > diff.txt
grep -q 'input feed' diff.txt
stella score manifest --scan-id $SCAN_ID | jq -e '.concelierSnapshotHash == "'$JUNE'"' > /dev/null
stella score inputs --scan-id $SCAN_ID --hash > inputs.txt
grep -q "$JUNE" inputs.txt
stella score replay --scan-id $SCAN_ID --use-original-snapshots > original.txt
grep -q "$ROOT" original.txt
stella proof verify --bundle-id $ROOT --verbose 2>&1 | head -50 > /dev/null
stella scan status --scan-id $SCAN_ID > /dev/null
stella proof status --scan-id $SCAN_ID > /dev/null
stella proof list --scan-id $SCAN_ID > /dev/null
stella score replay --scan-id $SCAN_ID --skip-unchanged --format json | jq -r .status
"#,
    );
    assert!(["unchanged", "verified"].contains(&told.trim()), "{told}");
}

#[test]
fn a_refused_download_is_told_from_a_bundle() {
    let Some(here) = Surroundings::new() else {
        return;
    };
    here.run(
        r#"
curl -s -o proof-bundle.zip -H "Authorization: Bearer not-the-token" \
  "https://scanner.example.com/api/v1/scanner/scans/$SCAN_ID/proofs/$ROOT"
unset STELLA_SERVER STELLA_TOKEN
fails 4 stella proof verify --bundle proof-bundle.zip --offline --public-key ledger/keys/signing.pub.pem 2> told.txt
grep -q UNAUTHENTICATED told.txt
"#,
    );
}
