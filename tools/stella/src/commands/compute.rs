//! `stella score compute`: the same engine on files, without a ledger.

mod inputs;

use super::scan::knobs;
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::Args;
use inputs::Inputs;
use serde_json::Value;
use std::path::PathBuf;
use stella_proto::reason::Reason;
use stella_scoring::engine::{self, CURRENT_ENGINE, Computation, EngineInputs, Threads};
use stella_scoring::explain::{Outline, View, table};
use stella_scoring::model::WarningCode;
use stella_scoring::output as outputs;
use stella_verify::json::canonicalize;
use stella_verify::manifest::{ScanManifest, Seed};
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;

/// Compute a score without a ledger
///
/// The same inputs submitted to a ledger give the same manifest, nodes and root. Every file may be
/// gzipped. Exits with 0 also when a gate of the policy fails: the verdict is in the output.
#[derive(Debug, Args)]
pub(crate) struct Compute {
    /// The SBOM: CycloneDX or SPDX JSON, or an attestation of either
    #[arg(long, value_name = "FILE")]
    sbom: PathBuf,
    /// Accept only an SBOM attestation that one of these public keys (PEM) signed
    #[arg(long, value_name = "FILE", num_args = 1..)]
    sbom_key: Vec<PathBuf>,
    /// OSV advisories: `all.zip` exports, directories or JSON files
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    osv: Vec<PathBuf>,
    /// EPSS scores: CSV of FIRST
    #[arg(long, value_name = "FILE", num_args = 1..)]
    epss: Vec<PathBuf>,
    /// Known exploited vulnerabilities: JSON of CISA
    #[arg(long, value_name = "FILE", num_args = 1..)]
    kev: Vec<PathBuf>,
    /// Severities by CVE: CVE records (version 5), or a join as TSV
    #[arg(long, value_name = "PATH", num_args = 1..)]
    severity: Vec<PathBuf>,
    /// VEX documents: OpenVEX, CSAF or CycloneDX
    #[arg(long, value_name = "PATH", num_args = 1..)]
    vex: Vec<PathBuf>,
    /// Reachability facts: govulncheck JSON or stella.reachability/v1
    #[arg(long, value_name = "FILE")]
    reachability: Option<PathBuf>,
    /// A built-in policy's name, or a policy file
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Digest of what was scanned (sha256:...); the SBOM's own when absent
    #[arg(long, value_name = "ID")]
    artifact_digest: Option<String>,
    /// Package URL of what was scanned
    #[arg(long, value_name = "PURL")]
    artifact_purl: Option<String>,
    /// Version of the scanner that wrote the SBOM
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    scanner_version: String,
    /// Version of the worker that ran it
    #[arg(long, value_name = "TEXT", default_value = concat!("stella-", env!("CARGO_PKG_VERSION")))]
    worker_version: String,
    /// Seed of the computation, 64 hex digits
    #[arg(long, value_name = "HEX")]
    seed: Option<String>,
    /// A setting of the policy
    #[arg(long = "knob", value_name = "NAME=VALUE")]
    knobs: Vec<String>,
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
        let started = now();
        let inputs = Inputs::read(&self)?;
        let manifest = self.manifest(&inputs)?;
        let given = EngineInputs {
            manifest: &manifest,
            bom: &inputs.bom,
            feed: &inputs.feed_index,
            vex: &inputs.vex_index,
            reachability: inputs.reachability.as_ref(),
            policy: &inputs.policy,
        };
        let computed = engine::compute(&given, self.threads())
            .map_err(|problem| Failure::of(Reason::BadManifest, problem.to_string()))?;
        let context = outputs::RunContext {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            sbom_name: self.sbom.display().to_string(),
            times: (started, now()),
            feed_updated: time_text(inputs.feed.newest),
        };
        self.print(format, &computed, &manifest, &inputs, &context)?;
        Ok(0)
    }

    /// As the server makes it of the same inputs and words.
    fn manifest(&self, inputs: &Inputs) -> Result<ScanManifest, Failure> {
        let usage = |name: &str, problem: String| {
            Failure::usage(format!("{name}: {problem}"), "see --help for its form")
        };
        let artifact_digest = match &self.artifact_digest {
            None => inputs.bom.digest,
            Some(text) => {
                (text.parse()).map_err(|problem: stella_verify::hash::HashParseError| {
                    usage("--artifact-digest", problem.to_string())
                })?
            }
        };
        let seed = match &self.seed {
            None => Seed::new([0; 32]),
            Some(text) => stella_verify::hash::from_hex(text)
                .map(Seed::new)
                .map_err(|problem| usage("--seed", problem.to_string()))?,
        };
        Ok(ScanManifest {
            artifact_digest,
            artifact_purl: self.artifact_purl.clone(),
            sbom_digest: inputs.bom.digest,
            reachability_digest: inputs.reachability.as_ref().map(|facts| facts.digest),
            concelier_snapshot: inputs.feed.header.hash(),
            excititor_snapshot: inputs.vex.header.hash(),
            lattice_policy: inputs.policy.hash(),
            engine_version: CURRENT_ENGINE,
            scanner_version: self.scanner_version.clone(),
            worker_version: self.worker_version.clone(),
            seed,
            knobs: knobs(&self.knobs)?,
        })
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
        inputs: &Inputs,
        context: &outputs::RunContext,
    ) -> Result<(), Failure> {
        let json = |value: &_| String::from_utf8_lossy(&canonicalize(value)).into_owned() + "\n";
        match format {
            Format::Table => {
                let outline = Outline::of(&computed.nodes).map_err(Failure::operational)?;
                output::text(&table(&outline, &View::default()))?;
                told(computed, inputs.verified_by.is_some());
                for line in
                    stella_scoring::snapshot::uncovered_lines(&inputs.bom, &inputs.feed_index)
                {
                    output::warn(&line);
                }
                Ok(())
            }
            Format::Json | Format::Jsonl => {
                let document = self.document(computed, manifest, inputs)?;
                output::document(format, &document)
            }
            Format::Sarif => output::text(&json(&outputs::sarif(computed, context))),
            Format::Cyclonedx => {
                output::text(&json(&outputs::cyclonedx(computed, manifest, context)))
            }
            Format::InToto => {
                let statement = outputs::vulns_statement(computed, manifest, context);
                output::text(&json(&statement))
            }
            Format::Csv => output::text(&outputs::csv(computed)),
        }
    }

    /// The result, and what was read: `{score, manifest, findings, warnings, inputs, nodes?, ...}`.
    fn document(
        &self,
        computed: &Computation,
        manifest: &ScanManifest,
        inputs: &Inputs,
    ) -> Result<Value, Failure> {
        let computed = outputs::json(computed, manifest, self.nodes);
        let mut document: Value =
            serde_json::from_slice(&canonicalize(&computed)).map_err(Failure::operational)?;
        let members = document.as_object_mut();
        if let Some(members) = members {
            members.insert("inputs".to_owned(), inputs.to_json());
            // The proof cannot vouch for a signature; here somebody just did.
            if inputs.verified_by.is_some()
                && let Some(Value::Array(warnings)) = members.get_mut("warnings")
            {
                let code = WarningCode::SignatureUnchecked.name();
                warnings
                    .retain(|warning| warning.get("code").and_then(Value::as_str) != Some(code));
            }
        }
        Ok(document)
    }
}

/// Says on stderr what was odd: a line for each kind, with the first place.
fn told(computed: &Computation, signature_checked: bool) {
    let mut lines = stella_scoring::model::told(&computed.warnings);
    if signature_checked {
        lines.remove(&WarningCode::SignatureUnchecked);
    }
    for line in lines.values() {
        output::warn(line);
    }
}

fn now() -> String {
    time_text(Some(std::time::SystemTime::now()))
}

/// A time as the ledger writes it; the epoch for none.
fn time_text(time: Option<std::time::SystemTime>) -> String {
    let elapsed = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let millis = elapsed.unwrap_or_default().as_millis();
    format_time(UnixMillis::new(u64::try_from(millis).unwrap_or_default())).unwrap_or_default()
}
