//! `stella score compute`: the same engine on files, without a ledger.

use super::scan::read;
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::Args;
use std::path::{Path, PathBuf};
use stella_proto::reason::Reason;
use stella_scoring::engine::{self, Computation, EngineInputs, Threads};
use stella_scoring::explain::{Outline, View, table};
use stella_scoring::inputs::{decompress, reachability, sbom};
use stella_scoring::output as outputs;
use stella_scoring::policy::{BUILT_IN, Policy};
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, ImportError, Imported, VexIndex};
use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::json::canonicalize;
use stella_verify::manifest::{EngineVersion, ScanManifest, Seed};
use stella_verify::snapshot::SnapshotKind;
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;

/// Compute a score without a ledger
///
/// The same inputs submitted to a ledger give the same manifest, nodes and root.
#[derive(Debug, Args)]
pub(crate) struct Compute {
    /// The SBOM: CycloneDX or SPDX JSON, or an attestation of either; gzip accepted
    #[arg(long, value_name = "FILE")]
    sbom: PathBuf,
    /// OSV advisories: `all.zip` exports, directories or JSON files
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    osv: Vec<PathBuf>,
    /// EPSS scores
    #[arg(long, value_name = "FILE")]
    epss: Vec<PathBuf>,
    /// Known exploited vulnerabilities
    #[arg(long, value_name = "FILE")]
    kev: Vec<PathBuf>,
    /// Severities by CVE
    #[arg(long, value_name = "PATH", num_args = 1..)]
    severity: Vec<PathBuf>,
    /// VEX documents
    #[arg(long, value_name = "PATH", num_args = 1..)]
    vex: Vec<PathBuf>,
    /// Reachability facts
    #[arg(long, value_name = "FILE")]
    reachability: Option<PathBuf>,
    /// A built-in policy's name, or a policy file
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Package URL of what was scanned
    #[arg(long, value_name = "PURL")]
    artifact_purl: Option<String>,
    /// Leave bad records of a feed out, and name them, instead of refusing
    #[arg(long)]
    skip_bad_records: bool,
    /// Print the proof nodes too (json)
    #[arg(long)]
    nodes: bool,
    /// Threads; every number gives the same bytes
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl Compute {
    pub(crate) fn run(self, format: Format) -> Result<u8, Failure> {
        let bad = |problem: String| Failure::of(Reason::BadSbom, problem);
        let sbom_bytes = read(&self.sbom)?;
        let plain = decompress(&sbom_bytes).map_err(|problem| bad(problem.to_string()))?;
        let bom = sbom::read(&plain)
            .map_err(|problem| bad(format!("{}: {problem}", self.sbom.display())))?;
        let feed = self.feed()?;
        let feed_index = FeedIndex::load(&feed.records).map_err(Failure::operational)?;
        let vex = self.snapshot(SnapshotKind::Excititor, &[&self.vex])?;
        let vex_index = VexIndex::load(&vex.records).map_err(Failure::operational)?;
        let facts = self.facts()?;
        let policy = self.policy()?;
        let digest = BlobDigest::new(sha256(&plain));
        let manifest = ScanManifest {
            artifact_digest: digest,
            artifact_purl: self.artifact_purl.clone(),
            sbom_digest: digest,
            reachability_digest: facts.as_ref().map(|facts| facts.digest),
            concelier_snapshot: feed.header.hash(),
            excititor_snapshot: vex.header.hash(),
            lattice_policy: policy.hash(),
            engine_version: EngineVersion::new(1),
            scanner_version: "unknown".to_owned(),
            worker_version: concat!("stella-", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: Seed::new([0; 32]),
            knobs: std::collections::BTreeMap::new(),
        };
        let inputs = EngineInputs {
            manifest: &manifest,
            bom: &bom,
            feed: &feed_index,
            vex: &vex_index,
            reachability: facts.as_ref(),
            policy: &policy,
        };
        let computed = engine::compute(&inputs, self.threads())
            .map_err(|problem| Failure::of(Reason::BadManifest, problem.to_string()))?;
        self.print(format, &computed, &manifest)?;
        Ok(0)
    }

    fn feed(&self) -> Result<Imported, Failure> {
        let paths = [&self.osv, &self.epss, &self.kev, &self.severity];
        self.snapshot(SnapshotKind::Concelier, &paths.map(Vec::as_slice))
    }

    fn snapshot<P: AsRef<[PathBuf]>>(
        &self,
        kind: SnapshotKind,
        paths: &[P],
    ) -> Result<Imported, Failure> {
        let mut builder = Builder::new(kind);
        for path in paths.iter().flat_map(AsRef::as_ref) {
            add(&mut builder, path)?;
        }
        let bad = if self.skip_bad_records {
            BadRecords::LeaveOut
        } else {
            BadRecords::Refuse
        };
        let imported = builder
            .finish(bad)
            .map_err(|problem| import_failure(&problem))?;
        for record in &imported.report.bad {
            output::warn(&format!("left out {record}"));
        }
        Ok(imported)
    }

    fn facts(&self) -> Result<Option<stella_scoring::model::ReachabilitySet>, Failure> {
        let Some(path) = &self.reachability else {
            return Ok(None);
        };
        let bytes = read(path)?;
        let bad = |problem: String| {
            Failure::of(Reason::BadSbom, format!("{}: {problem}", path.display()))
        };
        let plain = decompress(&bytes).map_err(|problem| bad(problem.to_string()))?;
        reachability::read(&plain)
            .map(Some)
            .map_err(|problem| bad(problem.to_string()))
    }

    fn policy(&self) -> Result<Policy, Failure> {
        let default = BUILT_IN.first().map(|policy| policy.name);
        super::policy::load(self.policy.as_deref().or(default).unwrap_or_default())
    }

    fn threads(&self) -> Threads {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Threads::new(self.threads.unwrap_or_else(cores))
    }

    fn print(
        &self,
        format: Format,
        computed: &Computation,
        manifest: &ScanManifest,
    ) -> Result<(), Failure> {
        let json = |value: &_| String::from_utf8_lossy(&canonicalize(value)).into_owned() + "\n";
        let text = match format {
            Format::Table => {
                let outline = Outline::of(&computed.nodes).map_err(Failure::operational)?;
                table(&outline, &View::default())
            }
            Format::Json | Format::Jsonl => json(&outputs::json(computed, manifest, self.nodes)),
            Format::Sarif => json(&outputs::sarif(computed, &self.context())),
            Format::Cyclonedx => json(&outputs::cyclonedx(computed, manifest, &self.context())),
            Format::Csv => outputs::csv(computed),
        };
        output::text(&text)
    }

    /// What the outputs say of the run; no part of the score.
    fn context(&self) -> outputs::RunContext {
        let elapsed = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let now = UnixMillis::new(u64::try_from(elapsed.as_millis()).unwrap_or_default());
        let now = format_time(now).unwrap_or_default();
        outputs::RunContext {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            sbom_name: self.sbom.display().to_string(),
            times: (now.clone(), now.clone()),
            feed_updated: now,
        }
    }
}

/// Adds a file, or every file below a folder.
fn add(builder: &mut Builder, path: &Path) -> Result<(), Failure> {
    let failed = |problem: std::io::Error| Failure::file(path, &problem);
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(failed)? {
            add(builder, &entry.map_err(failed)?.path())?;
        }
        return Ok(());
    }
    let bytes = read(path)?;
    builder
        .add(&path.display().to_string(), &bytes)
        .map_err(|problem| import_failure(&problem))
}

fn import_failure(problem: &ImportError) -> Failure {
    let named = match problem {
        ImportError::BadRecords(report) => {
            let bad: Vec<String> = report
                .bad
                .iter()
                .take(20)
                .map(ToString::to_string)
                .collect();
            format!("{problem}: {}", bad.join("; "))
        }
        other => other.to_string(),
    };
    Failure::of(Reason::SnapshotBadRecord, named)
}
