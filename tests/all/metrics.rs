//! `/metrics`: every series of the table, in both formats, as Prometheus itself reads them.

use crate::http::{Answer, call, get};
use crate::support::peers::has;
use crate::support::{TOKEN, TestServer, scored};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use stella_proto::ledger::GetInclusionProofRequest;
use stella_proto::proof::VerifyProofRequest;
use stella_proto::score::ReplayScoreRequest;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names in the table of `docs/metrics.md`.
fn documented() -> BTreeSet<String> {
    let page = std::fs::read_to_string(repository().join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

/// A server on which everything that is measured happened.
async fn used() -> TestServer {
    let server = TestServer::start().await;
    let connection = server.connect().await;
    let scan = scored(&connection, "1.0.0").await;
    let replay = ReplayScoreRequest {
        scan_id: scan.scan_id.clone(),
        ..ReplayScoreRequest::default()
    };
    let replayed = connection.scores().replay_score(replay).await.unwrap();
    let root = replayed.into_inner().replayed_root_hash;
    let verify = VerifyProofRequest {
        proof_bundle_id: root,
        ..VerifyProofRequest::default()
    };
    let verified = connection
        .proofs()
        .verify_proof(verify.clone())
        .await
        .unwrap();
    assert!(verified.into_inner().verified);
    // What cannot be had without a witness of Rekor does not verify.
    let rekor = VerifyProofRequest {
        check_rekor: true,
        ..verify
    };
    let failed = connection.proofs().verify_proof(rekor).await.unwrap();
    assert!(!failed.into_inner().verified);
    let beyond = GetInclusionProofRequest {
        leaf_index: 1_000_000,
        tree_size: None,
    };
    connection
        .ledger()
        .get_inclusion_proof(beyond)
        .await
        .unwrap_err();
    server
}

fn value(page: &str, series: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{page}"))
        .parse()
        .unwrap()
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_series_is_there_and_counts() {
    let server = used().await;
    let answer = get(&server.url, "/metrics");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let page = text(&answer);
    let described = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let described: BTreeSet<_> = described
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(described, documented());
    for (series, expected) in [
        ("score_replays_total{outcome=\"verified\"}", 1.0),
        ("score_replay_duration_seconds_count", 1.0),
        ("replay_queue_depth", 0.0),
        ("proof_verifications_total{result=\"verified\"}", 1.0),
        ("proof_verification_failures_total", 1.0),
        ("proof_verification_success_rate", 0.5),
        (
            "attestor_verification_failures_total{check=\"rekorInclusion\"}",
            1.0,
        ),
        ("proof_bundle_size_bytes_count", 2.0),
        ("proof_generation_failures", 0.0),
        ("stella_log_poisoned", 0.0),
        ("stella_ready", 1.0),
        (
            "stella_requests_total{method=\"stella.ledger.v1.LedgerService/GetInclusionProof\",code=\"OUT_OF_RANGE\"}",
            1.0,
        ),
        (
            "stella_request_duration_seconds_count{method=\"stella.proof.v1.ProofService/VerifyProof\"}",
            2.0,
        ),
    ] {
        let found = value(&page, series);
        assert!((found - expected).abs() < 1e-9, "{series} is {found}");
    }
    let size = f64::from(u32::try_from(server.app().ledger().published().size.get()).unwrap());
    assert!((value(&page, "stella_log_events") - size).abs() < 1e-9);
    assert!((value(&page, "stella_log_commit_events_sum") - size).abs() < 1e-9);
    for positive in [
        "stella_log_append_duration_seconds_count",
        "stella_log_fsync_duration_seconds_count",
        "proof_bundle_storage_bytes{part=\"log\"}",
        "process_resident_memory_bytes",
        "process_open_fds",
        "stella_connections_total",
    ] {
        assert!(value(&page, positive) > 0.0, "{positive}");
    }
    let later = text(&get(&server.url, "/metrics"));
    assert!(
        value(
            &later,
            "stella_requests_total{method=\"GET /metrics\",code=\"200\"}"
        ) > 0.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_has_nothing_to_say_against_it() {
    if !has("promtool") {
        return;
    }
    let server = used().await;
    let page = get(&server.url, "/metrics").body;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(&page).unwrap();
    let said = promtool.wait_with_output().unwrap();
    assert!(
        said.status.success() && said.stderr.is_empty() && said.stdout.is_empty(),
        "{said:?}"
    );
}

#[test]
fn the_alert_rules_hold() {
    if !has("promtool") {
        return;
    }
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        let said = Command::new("promtool")
            .args(arguments)
            .current_dir(repository().join("docs/monitoring"))
            .output()
            .unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

/// The series that expressions in a file name, without the endings of histograms.
fn named_in(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository().join(file)).unwrap();
    let prefixes = ["score_", "proof_", "replay_", "attestor_", "stella_"];
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
        .map(|word| word.trim_end_matches("_bucket").to_owned())
        .collect()
}

#[test]
fn alerts_and_dashboard_name_series_that_exist() {
    let known = documented();
    for file in [
        "docs/monitoring/alerts.yml",
        "docs/monitoring/dashboard.json",
    ] {
        let named = named_in(file);
        assert!(named.len() > 4, "{file}: {named:?}");
        assert!(named.is_subset(&known), "{file}: {:?}", &named - &known);
    }
    let page = repository().join("docs/monitoring/dashboard.json");
    let page: serde_json::Value = serde_json::from_slice(&std::fs::read(page).unwrap()).unwrap();
    assert_eq!(page["panels"].as_array().unwrap().len(), 5);
}

/// A Prometheus that scrapes a server, in a directory of its own.
struct Prometheus {
    child: Child,
    url: String,
    _directory: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Prometheus {
    fn scraping(target: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("prometheus.yml");
        let target = target.trim_start_matches("http://");
        let text = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: stella\n    \
             authorization: {{credentials: {TOKEN}}}\n    static_configs: [{{targets: ['{target}']}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=native-histograms")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            url: format!("http://{address}"),
            _directory: directory,
        }
    }

    /// The one number that an expression gives, once there is one.
    fn eventually(&self, expression: &str) -> f64 {
        let path = format!("/api/v1/query?query={}", encoded(expression));
        let until = Instant::now() + Duration::from_mins(1);
        while Instant::now() < until {
            std::thread::sleep(Duration::from_millis(300));
            if std::net::TcpStream::connect(self.url.trim_start_matches("http://")).is_err() {
                continue;
            }
            let answer = call(&self.url, "GET", &path, &[], &[]);
            if answer.status != 200 {
                continue;
            }
            let found = &answer.json()["data"]["result"][0]["value"][1];
            if let Some(number) = found.as_str() {
                return number.parse().unwrap();
            }
        }
        panic!("{expression} has no value");
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

/// The literal expression of an operator's runbook needs native histograms; graphs made for
/// classic ones need those. Prometheus asks for the protobuf exposition and keeps the native ones.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_native_histograms() {
    if !has("prometheus") {
        return;
    }
    let server = used().await;
    let prometheus = Prometheus::scraping(&server.url);
    tokio::task::spawn_blocking(move || {
        let count = prometheus.eventually("histogram_count(score_replay_duration_seconds)");
        assert!((count - 1.0).abs() < 1e-9, "{count}");
        let slow = prometheus.eventually("histogram_quantile(0.95, score_replay_duration_seconds)");
        let all = prometheus.eventually("histogram_sum(score_replay_duration_seconds)");
        // One observation: the quantile is in its bucket, which is 9 % wide.
        assert!(slow > all / 1.1 && slow < all * 1.1, "{slow} of {all}");
        let bundles = prometheus.eventually("histogram_count(proof_bundle_size_bytes)");
        assert!((bundles - 2.0).abs() < 1e-9, "{bundles}");
        let ready = prometheus.eventually("stella_ready");
        assert!((ready - 1.0).abs() < 1e-9);
    })
    .await
    .unwrap();
    drop(server);
}
