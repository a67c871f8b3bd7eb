//! `stella quickstart`: the whole system on an example, in a new directory.

use super::proof::verify::Trust;
use super::snapshot::Source;
use crate::cli::Global;
use crate::failure::Failure;
use crate::lockfile;
use crate::output::{self, Format, points};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use stella_client::{Connection, LogTrust, PinStore, VerifyingLog};
use stella_proto::admin::GetStatusRequest;
use stella_proto::proof::GetNodeRequest;
use stella_proto::reason::Reason;
use stella_proto::scan::{Scan, SubmitScanRequest};
use stella_proto::score::ReplayScoreRequest;
use stella_proto::snapshot::import_snapshot_request::Part;
use stella_proto::snapshot::{ImportHeader, ImportSnapshotRequest, SnapshotKind, SourceFile};
use stella_scoring::explain::{self, Outline, ScoreDiff, View};
use stella_server::documents;
use stella_verify::bundle::BundleFiles;
use stella_verify::checkpoint::Origin;
use stella_verify::json::canonicalize;
use stella_verify::score_proof::ScoreProof;
use stella_verify::units::LeafIndex;

/// This project's lock file: a real list of real packages.
const LOCK: &str = include_str!("../../../../Cargo.lock");

macro_rules! feed {
    ($folder:literal: $($id:literal),* $(,)?) => {
        &[$((
            concat!($id, ".json"),
            include_str!(concat!("../../../../examples/feeds/", $folder, "/", $id, ".json")),
        )),*]
    };
}

/// A feed as its files' names and contents.
type Feed = &'static [(&'static str, &'static str)];

const JUNE: Feed = feed!("june":
    "EXAMPLE-2026-0001", "EXAMPLE-2026-0002", "EXAMPLE-2026-0003", "EXAMPLE-2026-0004",
    "RUSTSEC-2024-0384", "RUSTSEC-2025-0057", "RUSTSEC-2025-0141",
);

const SEPTEMBER: Feed = feed!("september":
    "EXAMPLE-2026-0001", "EXAMPLE-2026-0002", "EXAMPLE-2026-0003", "EXAMPLE-2026-0004",
    "EXAMPLE-2026-0005", "RUSTSEC-2024-0384", "RUSTSEC-2025-0057", "RUSTSEC-2025-0141",
);

/// See the whole system work on an example, in a new directory
///
/// Makes a ledger, imports two snapshots of example advisories, scores this project's own
/// dependencies, replays the score against the second snapshot, explains the difference, downloads
/// the proof bundles, verifies them offline and proves one rule application's inclusion in the log.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {}

impl Quickstart {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let directory = global
            .data_dir
            .clone()
            .unwrap_or_else(|| PathBuf::from("stella-quickstart"));
        refuse_used(&directory)?;
        let tour = Tour {
            directory,
            format: global.format,
        };
        let session = Session::embedded(&tour.directory).await?;
        let outcome = tour.run(&session).await;
        session.close().await?;
        let summary = outcome?;
        if tour.format != Format::Table {
            output::document(tour.format, &summary)?;
        }
        Ok(0)
    }
}

/// Scores the example over a connection and keeps nothing of it beside the ledger.
pub(crate) async fn score_example(connection: &Connection) -> Result<Scan, Failure> {
    let mut parts = vec![Part::Header(ImportHeader {
        kind: SnapshotKind::Concelier.into(),
        publish: true,
        ..ImportHeader::default()
    })];
    for (name, text) in JUNE {
        parts.push(Part::File(SourceFile {
            name: (*name).to_owned(),
        }));
        parts.push(Part::Chunk(text.as_bytes().into()));
    }
    let parts = parts
        .into_iter()
        .map(|part| ImportSnapshotRequest { part: Some(part) });
    let parts = tokio_stream::iter(parts.collect::<Vec<_>>());
    connection.snapshots().import_snapshot(parts).await?;
    let request = SubmitScanRequest {
        sbom: lockfile::sbom(LOCK, "stella")
            .map_err(Failure::operational)?
            .into(),
        ..SubmitScanRequest::default()
    };
    let answer = connection.scans().submit_scan(request).await?;
    Ok(answer.into_inner().scan.unwrap_or_default())
}

fn refuse_used(directory: &Path) -> Result<(), Failure> {
    let used = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if used {
        return Err(Failure::usage(
            format!("{} is not empty", directory.display()),
            "name a new directory with --data-dir, or remove the old one",
        ));
    }
    Ok(())
}

/// The steps, told as they happen.
struct Tour {
    directory: PathBuf,
    format: Format,
}

/// A downloaded bundle that verified.
struct Verified {
    path: PathBuf,
    outline: Outline,
}

impl Tour {
    async fn run(&self, session: &Session) -> Result<Value, Failure> {
        self.say(
            "1. a ledger",
            &format!("made in {}", self.directory.display()),
        )?;
        let sbom = self.sbom()?;
        let june = self.import(session, "june", JUNE).await?;
        let scan = self.submit(session, sbom).await?;
        let first = self
            .bundle(session, &scan.scan_id, &scan.root_hash, "june")
            .await?;
        self.show("   ", &explain::table(&first.outline, &View::default()))?;
        let september = self.import(session, "september", SEPTEMBER).await?;
        let replayed = self.replay(session, &scan.scan_id).await?;
        let second = self
            .bundle(session, &scan.scan_id, &replayed, "september")
            .await?;
        let diff = ScoreDiff::between(&first.outline, &second.outline);
        self.say(
            "5. the difference",
            &format!("{}, rule by rule", explain::delta_text(diff.delta())),
        )?;
        self.show("   ", &explain::diff_table(&diff))?;
        let (leaf, proof) = self.prove(session, &second).await?;
        self.say("7. where everything lies", "")?;
        for (what, path) in self.places(&first, &second, &proof) {
            self.show("   ", &format!("{what:<28} {}", path.display()))?;
        }
        self.next(&scan)?;
        Ok(json!({
            "dataDir": self.directory.display().to_string(),
            "scanId": scan.scan_id,
            "manifestHash": scan.manifest_hash,
            "rootHash": scan.root_hash,
            "score": documents::points(scan.score_bps),
            "scoreBps": scan.score_bps,
            "bundle": first.path.display().to_string(),
            "verified": true,
            "snapshots": [june, september],
            "replay": {
                "rootHash": replayed,
                "score": documents::points(second.outline.score.get()),
                "delta": documents::points(diff.delta().get()),
                "bundle": second.path.display().to_string(),
                "diff": parsed(&explain::diff_json(&diff)),
            },
            "inclusion": {"leafIndex": leaf.get(), "proof": proof.display().to_string()},
            "publicKey": self.directory.join("keys/signing.pub.pem").display().to_string(),
            "logKey": self.directory.join("keys/log.vkey").display().to_string(),
        }))
    }

    /// The SBOM of this project, left in the directory for reading.
    fn sbom(&self) -> Result<Vec<u8>, Failure> {
        let sbom = lockfile::sbom(LOCK, "stella").map_err(Failure::operational)?;
        self.save("example/sbom.cdx.json", &sbom)?;
        Ok(sbom)
    }

    async fn import(&self, session: &Session, name: &str, feed: Feed) -> Result<String, Failure> {
        let mut sources = Vec::new();
        for (file, text) in feed {
            self.save(&format!("example/{name}/{file}"), text.as_bytes())?;
            sources.push(Source::Bytes {
                name: (*file).to_owned(),
                bytes: text.as_bytes().to_vec(),
            });
        }
        let kind = SnapshotKind::Concelier;
        let answer = super::snapshot::import(session, kind, true, sources).await?;
        let snapshot = answer.snapshot.unwrap_or_default();
        let number = if name == "june" { 2 } else { 4 };
        self.say(
            &format!("{number}. a snapshot of advisories"),
            &format!("{name}: {} rows, {}", snapshot.count, snapshot.hash),
        )?;
        Ok(snapshot.hash)
    }

    async fn submit(&self, session: &Session, sbom: Vec<u8>) -> Result<Scan, Failure> {
        let request = SubmitScanRequest {
            sbom: sbom.into(),
            artifact_purl: format!("pkg:cargo/stella@{}", env!("CARGO_PKG_VERSION")),
            scanner_version: "Cargo.lock".to_owned(),
            worker_version: concat!("stella-", env!("CARGO_PKG_VERSION")).to_owned(),
            ..SubmitScanRequest::default()
        };
        let answer = super::scan::submit(session, request).await?;
        let scan = answer.scan.unwrap_or_default();
        self.say(
            "3. a score",
            &format!(
                "{} of 100, {} proof nodes, {}",
                points(scan.score_bps),
                scan.node_count,
                scan.scan_id
            ),
        )?;
        Ok(scan)
    }

    async fn replay(&self, session: &Session, scan_id: &str) -> Result<String, Failure> {
        let request = ReplayScoreRequest {
            scan_id: scan_id.to_owned(),
            ..ReplayScoreRequest::default()
        };
        Ok(super::score::replay(session, request)
            .await?
            .replayed_root_hash)
    }

    /// Downloads a bundle and verifies it as a stranger would: from the file and the two keys.
    async fn bundle(
        &self,
        session: &Session,
        scan_id: &str,
        root: &str,
        name: &str,
    ) -> Result<Verified, Failure> {
        let bundle = super::proof::fetch(session, scan_id, root, None).await?;
        let path = self.save(&format!("proofs/{name}.zip"), &bundle)?;
        let report = Trust::of_directory(&self.directory)?.judge(&bundle);
        if !report.verified() {
            let report = String::from_utf8_lossy(&report.to_json()).into_owned();
            return Err(Failure::of(Reason::VerificationFailed, report));
        }
        let files = BundleFiles::open(&bundle).map_err(Failure::operational)?;
        let proof = ScoreProof::parse(files.score_proof).map_err(Failure::operational)?;
        let outline = Outline::of(proof.nodes()).map_err(Failure::operational)?;
        self.show(
            "   ",
            &format!("bundle {} verified offline", path.display()),
        )?;
        Ok(Verified { path, outline })
    }

    /// Proves that one rule application of the replay is a leaf of the log.
    async fn prove(
        &self,
        session: &Session,
        replayed: &Verified,
    ) -> Result<(LeafIndex, PathBuf), Failure> {
        let mut rules = replayed
            .outline
            .findings()
            .flat_map(|finding| &finding.rules);
        let rule = rules
            .find(|rule| rule.delta.get() != 0)
            .ok_or_else(|| Failure::operational("no rule of the example moved anything"))?;
        let request = GetNodeRequest {
            node_id: rule.node.to_string(),
            tree_size: None,
        };
        let node = session
            .connection()
            .proofs()
            .get_node(request)
            .await?
            .into_inner();
        let first = node
            .occurrences
            .first()
            .ok_or_else(|| Failure::operational("the node is in no leaf"))?;
        let index = LeafIndex::new(first.leaf_index);
        let status = session
            .connection()
            .admin()
            .get_status(GetStatusRequest {})
            .await?;
        let status = status.into_inner();
        let trust = LogTrust {
            keys: vec![status.vkey.parse().map_err(Failure::operational)?],
            origin: Origin::new(&status.origin).map_err(Failure::operational)?,
        };
        let pins = PinStore::new(self.directory.join("pins"));
        let mut log = VerifyingLog::new(session.connection(), trust, Some(pins));
        let proved = log.prove(index).await?;
        let proof = super::ledger::tlog_proof(&proved);
        let path = self.save("proofs/rule.tlog-proof", proof.as_bytes())?;
        self.say(
            "6. one rule application in the log",
            &format!(
                "rule {} is leaf {index} of {}, under a signed checkpoint",
                rule.rule,
                proved.checkpoint.head().size
            ),
        )?;
        Ok((index, path))
    }

    fn places(
        &self,
        first: &Verified,
        second: &Verified,
        proof: &Path,
    ) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("the log", self.directory.join("log")),
            ("projections (can go)", self.directory.join("index")),
            ("inputs by content", self.directory.join("blobs")),
            (
                "key for bundles",
                self.directory.join("keys/signing.pub.pem"),
            ),
            ("key for checkpoints", self.directory.join("keys/log.vkey")),
            ("the SBOM", self.directory.join("example/sbom.cdx.json")),
            ("bundle of the score", first.path.clone()),
            ("bundle of the replay", second.path.clone()),
            ("proof of one rule", proof.to_owned()),
        ]
    }

    fn next(&self, scan: &Scan) -> Result<(), Failure> {
        let dir = self.directory.display();
        self.show("\n", "Try next:")?;
        for line in [
            format!(
                "stella --data-dir {dir} score explain --scan-id {}",
                scan.scan_id
            ),
            format!(
                "stella --data-dir {dir} proof verify --bundle {dir}/proofs/june.zip --verbose"
            ),
            format!("stella --data-dir {dir} ledger fsck"),
            format!("stella --data-dir {dir} serve --dev"),
        ] {
            self.show("   ", &line)?;
        }
        Ok(())
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.directory.join(name);
        let failed = |problem: std::io::Error| Failure::file(&path, &problem);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(&path, bytes).map_err(failed)?;
        Ok(path)
    }

    /// A step, for people.
    fn say(&self, step: &str, what: &str) -> Result<(), Failure> {
        if self.format == Format::Table {
            output::text(&format!("\n{step}: {what}\n"))?;
        }
        Ok(())
    }

    /// Details of a step, for people.
    fn show(&self, indent: &str, text: &str) -> Result<(), Failure> {
        if self.format == Format::Table {
            for line in text.lines() {
                output::text(&format!("{indent}{line}\n"))?;
            }
        }
        Ok(())
    }
}

/// The verifier's JSON as the printer's.
fn parsed(value: &stella_verify::json::Value) -> Value {
    serde_json::from_slice(&canonicalize(value)).unwrap_or_default()
}
