//! The description of the HTTP API against a server that has something to show: schemathesis makes
//! calls from it and holds each answer against it.

use crate::scoring::{feed, import, sbom, submit};
use crate::support::{TOKEN, TestServer};
use std::path::PathBuf;
use std::process::Command;

/// Answers of each operation that are looked at; all together take about a minute.
const EXAMPLES: &str = "5";

/// What no answer may do: fail, or differ from the description.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";

fn schemathesis() -> Option<PathBuf> {
    let own = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/schemathesis/bin/schemathesis"
    ));
    let named = std::env::var_os("STELLA_SCHEMATHESIS").map(PathBuf::from);
    let found = named.unwrap_or(own);
    found.is_file().then_some(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_what_the_description_says() {
    let Some(program) = schemathesis() else {
        let required = std::env::var_os("STELLA_REQUIRE_PEERS").is_some();
        assert!(
            !required,
            "schemathesis is missing: .ci/run installs it under target/"
        );
        eprintln!("skipped: schemathesis is not under target/schemathesis");
        return;
    };
    let server = TestServer::start().await;
    let connection = server.connect().await;
    import(&connection, feed("june")).await.unwrap();
    submit(&connection, sbom(&["h2@0.4.20"])).await.unwrap();
    import(&connection, feed("september")).await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut run = Command::new(program);
    run.current_dir(scratch.path())
        .arg("run")
        .arg(format!("{}/openapi.json", server.url))
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .args(["--checks", CHECKS, "--max-examples", EXAMPLES])
        .args([
            "--phases",
            "fuzzing",
            "--max-time",
            "60",
            "--seed",
            "20261122",
            "--no-color",
        ]);
    let output = tokio::task::spawn_blocking(move || run.output().unwrap())
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
