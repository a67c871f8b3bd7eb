//! Two servers under one key and two histories: the command notices and says so by its exit code.

use crate::support::{Answer, Example, Server, run_in};

#[test]
fn another_history_under_the_same_key_exits_with_20() {
    let example = Example::new();
    example.copy("forked");
    // Each goes its own way: one replay here, two there.
    let replay = [
        "score",
        "replay",
        "--scan-id",
        example.text("scanId"),
        "--use-original-snapshots",
    ];
    example.run(&replay).good();
    for _ in 0..2 {
        let mut elsewhere = vec!["--data-dir", "forked"];
        elsewhere.extend(replay);
        run_in(example.path(), &elsewhere).good();
    }
    let ask = |ledger: &str, what: &[&str]| -> Answer {
        let server = Server::start(example.path(), ledger);
        let mut all = vec!["--server", &server.url, "ledger"];
        all.extend(what);
        all.extend(["--log-key", example.text("logKey"), "--pins", "pins"]);
        run_in(example.path(), &all)
    };
    let ledger = example.text("dataDir");
    let remembered = ask(ledger, &["checkpoint"]).good();
    for what in [&["checkpoint"][..], &["prove", "--index", "3"]] {
        ask("forked", what).refused(20, "FORK_DETECTED");
    }
    // What was remembered is kept, and the first history still continues it.
    assert_eq!(
        ask(ledger, &["checkpoint"]).good().stdout,
        remembered.stdout
    );
}
