//! What a server writes of its requests, and what it never writes.

use crate::support::{command, run_in};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

#[test]
fn a_line_for_each_request_and_no_token_in_any() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = command()
        .args([
            "--data-dir",
            "ledger",
            "serve",
            "--dev",
            "--listen",
            "127.0.0.1:0",
        ])
        .args(["--log-format", "json", "--log-level", "info"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
    let url = said.next().unwrap().unwrap();
    let url = url.rsplit(' ').next().unwrap().to_owned();
    let token = std::fs::read_to_string(folder.path().join("ledger/dev-token")).unwrap();
    let token = token.trim();
    let asking = ["--server", &url, "--token", token, "scan", "list"];
    run_in(folder.path(), &asking).good();
    let asking = [
        "--server",
        &url,
        "--token",
        token,
        "scan",
        "status",
        "--scan-id",
        "no-such",
    ];
    assert_ne!(run_in(folder.path(), &asking).code, 0);
    server.kill().unwrap();
    let mut log = String::new();
    server
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    server.wait().unwrap();
    assert!(!log.contains(token), "{log}");
    let lines: Vec<Value> = (log.lines())
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["target"] == "stella::request")
        .collect();
    let of = |method: &str| {
        let found = lines.iter().find(|line| line["method"] == method);
        found.unwrap_or_else(|| panic!("no {method} in {log}"))
    };
    let listed = of("stella.scan.v1.ScanService/ListScans");
    assert_eq!(
        (&listed["code"], &listed["caller"]),
        (&"OK".into(), &"dev".into())
    );
    assert_eq!(listed["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(listed["span_id"].as_str().unwrap().len(), 16);
    assert!(listed["duration_us"].as_u64().unwrap() > 0);
    assert_eq!(listed["request_id"], listed["span_id"]);
    assert_ne!(of("stella.scan.v1.ScanService/GetScan")["code"], "OK");
}
