//! Programs of others that tests talk to.

use std::process::Command;

/// Whether a program is there. Where its absence counts as a failure, it is one.
pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    if found.is_ok_and(|ran| ran.status.success()) {
        return true;
    }
    let required = std::env::var_os("STELLA_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "{program} is needed");
    println!("skipped: no {program}");
    false
}
