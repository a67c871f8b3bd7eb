//! `stella scan`: submitting SBOMs and finding scans.

use crate::at::At;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use stella_proto::reason::Reason;
use stella_proto::scan as wire;
use stella_server::documents;

/// Submit and find scans
#[derive(Debug, Subcommand)]
pub(crate) enum Scan {
    /// Score an SBOM
    Submit(Submit),
    /// List scans, newest first
    List(List),
    /// Show one scan
    Status(Status),
}

/// Score an SBOM
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The SBOM: CycloneDX or SPDX JSON, gzip accepted
    #[arg(long, value_name = "FILE")]
    sbom: PathBuf,
    /// Digest of what was scanned (sha256:...); the SBOM's own when absent
    #[arg(long, value_name = "ID", default_value = "")]
    artifact_digest: String,
    /// Package URL of what was scanned
    #[arg(long, value_name = "PURL", default_value = "")]
    artifact_purl: String,
    /// Feed snapshot; the current one when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    feed_snapshot: String,
    /// VEX snapshot; the current one when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    vex_snapshot: String,
    /// Registered policy, or a policy file; the built-in default when absent
    #[arg(long, value_name = "HASH|FILE", default_value = "")]
    policy: String,
    /// Reachability facts: govulncheck JSON or stella.reachability/v1
    #[arg(long, value_name = "FILE")]
    reachability: Option<PathBuf>,
    /// Version of the scanner that wrote the SBOM
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    scanner_version: String,
    /// Version of the worker that ran it
    #[arg(long, value_name = "TEXT", default_value = concat!("stella-", env!("CARGO_PKG_VERSION")))]
    worker_version: String,
    /// Seed of the computation, 64 hex digits
    #[arg(long, value_name = "HEX", default_value = "")]
    seed: String,
    /// A setting of the engine
    #[arg(long = "knob", value_name = "NAME=VALUE")]
    knobs: Vec<String>,
    /// Answer the existing scan when the same inputs were submitted before, instead of failing
    #[arg(long)]
    idempotent: bool,
}

/// List scans, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only scans of the last: 30m, 12h, 7d
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// Only scans of this artifact
    #[arg(long, value_name = "ID", default_value = "")]
    artifact_digest: String,
    /// Only scans whose SBOM has this package, whatever its version
    #[arg(long, value_name = "PURL", default_value = "")]
    package: String,
    /// At most this many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    at: At,
}

/// Show one scan
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The scan
    #[arg(long, value_name = "ID")]
    scan_id: String,
    #[command(flatten)]
    at: At,
}

impl Scan {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::Submit(verb) => verb.run(&session, global.format).await,
            Self::List(verb) => verb.run(&session, global.format).await,
            Self::Status(verb) => verb.run(&session, global.format).await,
        };
        session.close().await?;
        outcome
    }
}

impl Submit {
    async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let idempotent = self.idempotent;
        let policy = super::snapshot::policy_hash(session, &self.policy).await?;
        let answer = submit(session, self.request(policy)?).await?;
        for warning in &answer.warnings {
            output::warn(warning);
        }
        let scan = answer.scan.unwrap_or_default();
        output::document(format, &documents::scan(&scan))?;
        if answer.existing && !idempotent {
            return Err(Failure::of(
                Reason::ScanExists,
                format!("these inputs were submitted before, as {}", scan.scan_id),
            ));
        }
        Ok(0)
    }

    fn request(self, policy: String) -> Result<wire::SubmitScanRequest, Failure> {
        let sbom = read(&self.sbom)?;
        let reachability = match &self.reachability {
            Some(path) => read(path)?,
            None => Vec::new(),
        };
        Ok(wire::SubmitScanRequest {
            sbom: sbom.into(),
            artifact_digest: self.artifact_digest,
            artifact_purl: self.artifact_purl,
            concelier_snapshot_hash: self.feed_snapshot,
            excititor_snapshot_hash: self.vex_snapshot,
            lattice_policy_hash: policy,
            scanner_version: self.scanner_version,
            worker_version: self.worker_version,
            seed: self.seed,
            knobs: knobs(&self.knobs)?.into_iter().collect(),
            reachability: reachability.into(),
            ..wire::SubmitScanRequest::default()
        })
    }
}

impl List {
    async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let since_unix_ms = match &self.since {
            Some(text) => now_ms().saturating_sub(duration_ms(text)?),
            None => 0,
        };
        let tree_size = self.at.tree_size(session).await?;
        let most = self.limit.unwrap_or(usize::MAX);
        let mut client = session.connection().scans();
        let mut scans = Vec::new();
        let mut page_token = String::new();
        while scans.len() < most {
            let page = wire::ListScansRequest {
                page_size: 500,
                page_token,
                since_unix_ms,
                artifact_digest: self.artifact_digest.clone(),
                tree_size,
                package: self.package.clone(),
            };
            let answer = client.list_scans(page).await?.into_inner();
            scans.extend(answer.scans.iter().map(documents::scan));
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        scans.truncate(most);
        output::documents(
            format,
            &scans,
            &["scanId", "createdAt", "status", "score", "rootHash"],
        )?;
        Ok(0)
    }
}

impl Status {
    async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let request = wire::GetScanRequest {
            tree_size: self.at.tree_size(session).await?,
            scan_id: self.scan_id,
        };
        let answer = session
            .connection()
            .scans()
            .get_scan(request)
            .await?
            .into_inner();
        output::document(format, &documents::scan(&answer.scan.unwrap_or_default()))?;
        Ok(0)
    }
}

/// Submits over the wire.
pub(crate) async fn submit(
    session: &Session,
    request: wire::SubmitScanRequest,
) -> Result<wire::SubmitScanResponse, Failure> {
    Ok(session
        .connection()
        .scans()
        .submit_scan(request)
        .await?
        .into_inner())
}

/// Reads a file that the user named.
pub(crate) fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|problem| Failure::file(path, &problem))
}

/// The settings that `--knob NAME=VALUE` names.
pub(crate) fn knobs(pairs: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    pairs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(Failure::usage(
                format!("--knob {pair}: no `=`"),
                "write NAME=VALUE",
            )),
        })
        .collect()
}

/// Milliseconds in a duration such as `30m`, `12h`, `7d`, `2w`, `45s`.
pub(crate) fn duration_ms(text: &str) -> Result<u64, Failure> {
    let bad = || {
        Failure::usage(
            format!("{text} is no duration"),
            "write for example 30m, 12h or 7d",
        )
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("s") => 1_000,
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        Some("d") => 86_400_000,
        Some("w") => 604_800_000,
        _ => return Err(bad()),
    };
    let count: u64 = digits.parse().map_err(|_| bad())?;
    count.checked_mul(unit).ok_or_else(bad)
}

/// The time, Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration_ms("7d").unwrap(), 604_800_000);
        assert_eq!(duration_ms("90s").unwrap(), 90_000);
        for bad in ["7", "d", "", "-1d", "1.5h", "99999999999999999w", "7 d"] {
            assert!(duration_ms(bad).is_err(), "{bad}");
        }
    }
}
