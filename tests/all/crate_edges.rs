//! The architecture as a table: which crate of ours may depend on which.
//!
//! Arrows point toward `stella-verify`. An edge that is missing here is a decision to be argued in
//! ARCHITECTURE.md first.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Crate, and what of ours it may link into what it ships (not its tests).
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "stella",
        &[
            "stella-client",
            "stella-proto",
            "stella-scoring",
            "stella-server",
            "stella-verify",
        ],
    ),
    ("stella-bare-log", &["stella-ledger", "stella-verify"]),
    ("stella-client", &["stella-proto", "stella-verify"]),
    ("stella-ledger", &["stella-verify"]),
    ("stella-proto", &[]),
    ("stella-scoring", &["stella-verify"]),
    (
        "stella-server",
        &[
            "stella-ledger",
            "stella-proto",
            "stella-scoring",
            "stella-verify",
        ],
    ),
    ("stella-testkit", &["stella-ledger", "stella-verify"]),
    (
        "stella-tests",
        &[
            "stella-ledger",
            "stella-scoring",
            "stella-server",
            "stella-verify",
        ],
    ),
    ("stella-verify", &[]),
    ("xtask", &[]),
];

/// Crates from outside that must never reach the verifier or the client through any path.
const NEVER_BELOW: &[(&str, &[&str])] = &[
    (
        "stella-verify",
        &["tokio", "sled", "getrandom", "tonic", "prost"],
    ),
    ("stella-client", &["sled", "stella-ledger"]),
    ("stella-ledger", &["tokio", "tonic", "prost"]),
    ("stella-scoring", &["tokio", "tonic", "sled"]),
];

/// The kind of machine that this runs on: packages for others need not be there.
fn host() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Package id to the ids it links normally (neither dev- nor build-dependencies).
fn normal_edges(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let on: BTreeSet<String> = node["deps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dep| {
                dep["dep_kinds"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|k| k["kind"].is_null())
            })
            .map(|dep| dep["pkg"].as_str().unwrap().to_owned())
            .collect();
        edges.insert(node["id"].as_str().unwrap().to_owned(), on);
    }
    edges
}

fn names(metadata: &Value) -> BTreeMap<String, String> {
    let packages = metadata["packages"].as_array().unwrap();
    let pair = |p: &Value| {
        (
            p["id"].as_str().unwrap().to_owned(),
            p["name"].as_str().unwrap().to_owned(),
        )
    };
    packages.iter().map(pair).collect()
}

#[test]
fn crates_depend_only_as_the_table_allows() {
    let metadata = metadata();
    let (edges, names) = (normal_edges(&metadata), names(&metadata));
    let members = metadata["workspace_members"].as_array().unwrap();
    let members: BTreeSet<&str> = members.iter().map(|id| id.as_str().unwrap()).collect();
    let mut seen = BTreeSet::new();
    for id in &members {
        let name = names[*id].as_str();
        let row = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{name} has no row"));
        seen.insert(name);
        for on in edges[*id].iter().filter(|on| members.contains(on.as_str())) {
            let on = names[on].as_str();
            assert!(allowed.contains(&on), "{name} -> {on} is not allowed");
        }
    }
    let rows: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(seen, rows, "every row is a crate");
}

#[test]
fn some_things_are_out_of_reach() {
    let metadata = metadata();
    let (edges, names) = (normal_edges(&metadata), names(&metadata));
    for (start, forbidden) in NEVER_BELOW {
        let id = names
            .iter()
            .find(|(_, name)| name == start)
            .unwrap()
            .0
            .clone();
        let (mut todo, mut below) = (vec![id], BTreeSet::new());
        while let Some(next) = todo.pop() {
            if below.insert(next.clone()) {
                todo.extend(edges[&next].iter().cloned());
            }
        }
        let below: BTreeSet<&str> = below.iter().map(|id| names[id].as_str()).collect();
        for name in *forbidden {
            assert!(!below.contains(name), "{start} links {name}");
        }
    }
}

#[test]
fn one_file_names_sled() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = Command::new("git")
        .args(["grep", "-lE", r"\bsled::", "--", "*.rs"])
        .current_dir(root)
        .output()
        .unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    let files: Vec<&str> = files.lines().filter(|f| !f.starts_with("tests/")).collect();
    assert!(files.len() <= 1, "sled is named in {files:?}");
}
