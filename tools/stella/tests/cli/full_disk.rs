//! A disk that fills up under the whole system.

use crate::support::{Answer, command};
use std::process::Command;

/// Mounts a small file system, fills it by appending, frees room, and goes on.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=210m none "$1" || exit 77
head -c 80000000 /dev/zero > "$1/filler"
"$2" --data-dir "$1/ledger" --format json bench append --clients 4 --batch 500 --payload 2000 --seconds 120
echo "filled with $?"
"$2" --data-dir "$1/ledger" ledger checkpoint || exit 78
rm "$1/filler"
"$2" --data-dir "$1/ledger" ledger fsck || exit 79
"$2" --data-dir "$1/ledger" --format json bench append --clients 1 --batch 1 --seconds 1 || exit 80
"$2" --data-dir "$1/ledger" ledger fsck || exit 81
"#;

#[test]
fn appends_fail_and_what_was_acknowledged_stays() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", SCRIPT, "sh"])
        .arg(folder.path())
        .arg(command().get_program())
        .output();
    let answer = match output {
        Ok(output) => Answer::of(&output),
        Err(problem) => {
            eprintln!("skipped: no unshare here ({problem})");
            return;
        }
    };
    if answer.code == 77 || answer.stderr.contains("unshare failed") {
        eprintln!(
            "skipped: no file system may be mounted here ({})",
            answer.stderr
        );
        return;
    }
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("filled with 1"), "{answer:?}");
    assert!(
        answer.stderr.contains("No space left on device"),
        "{answer:?}"
    );
    assert_eq!(
        answer.stdout.matches("all is well").count(),
        2,
        "{answer:?}"
    );
}
