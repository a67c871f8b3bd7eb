//! Replaying many generated scans after an update: what is touched against all.

use crate::commands::snapshot::{Source, import};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::progress;
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use stella_proto::replay as wire;
use stella_proto::scan::SubmitScanRequest;
use stella_proto::snapshot::SnapshotKind;
use tokio_stream::StreamExt as _;

/// Packages that all scans draw from.
const POOL: usize = 2_000;

/// Every n-th package of the pool has an advisory.
const AFFECTED: usize = 10;

/// Clock ticks of a second in `/proc/self/stat`, on every Linux.
const TICKS: u64 = 100;

/// Replaying many scans after an update of the feed: what it touches against recomputing all
///
/// Makes a ledger of generated scans in a temporary folder. CPU is that of this whole process,
/// server and client.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Scans
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    scans: usize,
    /// Components of each
    #[arg(long, value_name = "N", default_value_t = 100)]
    components: usize,
    /// The update touches one in this many scans
    #[arg(long, value_name = "N", default_value_t = 100)]
    touched: usize,
    /// Replays at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    max_concurrency: u32,
}

/// What one batch took.
struct Took {
    cpu: f64,
    wall: f64,
    operation: wire::Operation,
}

impl Replay {
    pub(super) async fn run(self, format: Format) -> Result<u8, Failure> {
        let name = format!("stella-bench-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let measured = self.measure(&folder).await;
        std::fs::remove_dir_all(&folder).ok();
        output::document(format, &measured?)?;
        Ok(0)
    }

    async fn measure(&self, folder: &Path) -> Result<Value, Failure> {
        let session = Session::embedded(folder).await?;
        self.feed(&session, "1.5.0").await?;
        self.submit(&session).await?;
        // The advisory of the first group's package now covers other versions.
        self.feed(&session, "1.6.0").await?;
        let incremental = self.batch(&session, false).await?;
        let all = self.batch(&session, true).await?;
        session.close().await?;
        Ok(json!({
            "scans": self.scans,
            "components": self.components,
            "incremental": took(&incremental),
            "recomputeAll": took(&all),
            "recomputeCpuMillisPerScan": per_scan(&all),
            "cpuRatio": all.cpu / incremental.cpu.max(1.0 / 100.0),
        }))
    }

    /// Advisories of the pool, and of one package for each group of scans.
    async fn feed(&self, session: &Session, fixed: &str) -> Result<(), Failure> {
        let pool = (0..POOL)
            .step_by(AFFECTED)
            .map(|n| (format!("pool-{n}"), "2.0.0"));
        let groups = (0..self.touched).map(|n| {
            let version = if n == 0 { fixed } else { "1.5.0" };
            (format!("group-{n}"), version)
        });
        let sources = pool.chain(groups).enumerate().map(|(n, (package, fixed))| {
            let advisory = json!({
                "id": format!("RUSTSEC-2026-{n:04}"),
                "modified": "2026-01-01T00:00:00Z",
                "aliases": [format!("CVE-2026-{n:04}")],
                "summary": "generated",
                "severity": [{
                    "type": "CVSS_V3",
                    "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
                }],
                "affected": [{
                    "package": {"ecosystem": "crates.io", "name": package},
                    "ranges": [{
                        "type": "SEMVER",
                        "events": [{"introduced": "0"}, {"fixed": fixed}],
                    }],
                }],
            });
            Source::Bytes {
                name: package,
                bytes: advisory.to_string().into_bytes(),
            }
        });
        import(session, SnapshotKind::Concelier, true, sources.collect()).await?;
        Ok(())
    }

    async fn submit(&self, session: &Session) -> Result<(), Failure> {
        let bar = progress::bar("submitting");
        bar.set_length(u64::try_from(self.scans).unwrap_or(u64::MAX));
        let mut client = session.connection().scans();
        for scan in 0..self.scans {
            let request = SubmitScanRequest {
                sbom: self.bill(scan).into(),
                ..SubmitScanRequest::default()
            };
            client.submit_scan(request).await?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn bill(&self, scan: usize) -> Vec<u8> {
        // A stride that has no factor in common with the pool visits all of it.
        let drawn = (1..self.components).map(|n| (scan * 131 + n * 37) % POOL);
        let group = format!("group-{}", scan % self.touched.max(1));
        let names = drawn.map(|n| format!("pool-{n}")).chain([group]);
        let components: Vec<Value> = names
            .map(|name| {
                json!({
                    "type": "library",
                    "name": name,
                    "version": "1.0.0",
                    "purl": format!("pkg:cargo/{name}@1.0.0"),
                })
            })
            .collect();
        let bill = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {"component": {"type": "application", "name": format!("app-{scan}")}},
            "components": components,
        });
        bill.to_string().into_bytes()
    }

    async fn batch(&self, session: &Session, recompute: bool) -> Result<Took, Failure> {
        let (cpu, begun) = (cpu_seconds()?, Instant::now());
        let request = wire::StartBatchReplayRequest {
            recompute_unchanged: recompute,
            max_concurrency: self.max_concurrency,
            ..wire::StartBatchReplayRequest::default()
        };
        let mut client = session.connection().replays();
        let started = client.start_batch_replay(request).await?.into_inner();
        let name = started.operation.unwrap_or_default().name;
        let watch = wire::WatchOperationRequest { name };
        let mut answers = client.watch_operation(watch).await?.into_inner();
        let bar = progress::bar(if recompute { "all" } else { "touched" });
        let mut operation = wire::Operation::default();
        while let Some(answer) = answers.next().await {
            operation = answer?.operation.unwrap_or_default();
            let at = operation.progress.unwrap_or_default();
            bar.set_length(at.total);
            bar.set_position(at.completed);
        }
        bar.finish_and_clear();
        Ok(Took {
            cpu: cpu_seconds()? - cpu,
            wall: begun.elapsed().as_secs_f64(),
            operation,
        })
    }
}

/// What one scan costs, all that is recorded about it included.
fn per_scan(took: &Took) -> f64 {
    let done = took.operation.progress.unwrap_or_default().completed;
    took.cpu * 1_000.0 / f64::from(u32::try_from(done.max(1)).unwrap_or(u32::MAX))
}

fn took(took: &Took) -> Value {
    let at = took.operation.progress.unwrap_or_default();
    json!({
        "cpuSeconds": took.cpu,
        "seconds": took.wall,
        "computed": at.computed,
        "verified": at.verified,
        "unchanged": at.unchanged,
        "failed": at.failed,
    })
}

/// User and system time of this process, all threads.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(Failure::operational)?;
    // Behind the name, which may hold anything: state is field 3, utime 14, stime 15.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    let millis = u32::try_from(ticks * 1_000 / TICKS).unwrap_or(u32::MAX);
    Ok(f64::from(millis) / 1_000.0)
}
