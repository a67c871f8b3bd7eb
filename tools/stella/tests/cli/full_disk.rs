//! A disk that fills up under the whole system.

use crate::support::{Answer, Example, command};
use std::path::Path;
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

/// The same, and a scan is registered that cannot be computed for want of room.
const SCAN_SCRIPT: &str = r#"
mount -t tmpfs -o size=218m none "$1" || exit 77
program="$2"; ledger="$1/ledger"
"$program" --data-dir "$ledger" snapshot import "$3/feed" || exit 78
head -c 80000000 /dev/zero > "$1/filler"
"$program" --data-dir "$ledger" --format json bench append --clients 1 --batch 500 --payload 2000 --seconds 120
"$program" --data-dir "$ledger" scan submit --sbom "$3/sbom.json"
echo "refused with $?"
"$program" --data-dir "$ledger" ledger checkpoint || exit 79
"$program" --data-dir "$ledger" scan list || exit 80
rm "$1/filler"
"$program" --data-dir "$ledger" scan list --format json || exit 81
"$program" --data-dir "$ledger" ledger fsck || exit 82
"#;

/// Runs a script on a file system of its own; `None`, said aloud, where none may be mounted.
fn run(script: &str, inputs: &Path) -> Option<Answer> {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(command().get_program())
        .arg(inputs)
        .output();
    let answer = match output {
        Ok(output) => Answer::of(&output),
        Err(problem) => {
            eprintln!("skipped: no unshare here ({problem})");
            return None;
        }
    };
    if answer.code == 77 || answer.stderr.contains("unshare failed") {
        let why = &answer.stderr;
        eprintln!("skipped: no file system may be mounted here ({why})");
        return None;
    }
    Some(answer)
}

#[test]
fn a_scan_without_room_waits_and_the_log_can_be_read() {
    let example = Example::new();
    let inputs = tempfile::tempdir().unwrap();
    let june = example.ledger().join("example/june");
    std::fs::rename(june, inputs.path().join("feed")).unwrap();
    std::fs::write(inputs.path().join("sbom.json"), large_sbom()).unwrap();
    let Some(answer) = run(SCAN_SCRIPT, inputs.path()) else {
        return;
    };
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("refused with 1"), "{answer:?}");
    assert!(answer.stderr.contains("STORAGE"), "{answer:?}");
    let listed: Vec<_> = answer.stdout.matches("scan-").collect();
    assert_eq!(listed.len(), 2, "listed while full and after: {answer:?}");
    // With room again the next open completes it.
    let sealed = "\"status\": \"sealed\"";
    assert!(answer.stdout.contains(sealed), "{answer:?}");
    assert!(answer.stdout.contains("all is well"), "{answer:?}");
}

/// Components enough for more events than the room that filling leaves.
fn large_sbom() -> String {
    let component = |number: u32| {
        format!(
            r#"{{"type":"library","name":"h2","version":"0.4.20","bom-ref":"h2-{number}","purl":"pkg:cargo/h2@0.4.20?n={number}"}}"#
        )
    };
    let components: Vec<String> = (0..1_500).map(component).collect();
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{{"component":{{"type":"application","name":"app","version":"1"}}}},"components":[{}]}}"#,
        components.join(",")
    )
}

#[test]
fn appends_fail_and_what_was_acknowledged_stays() {
    let inputs = tempfile::tempdir().unwrap();
    let Some(answer) = run(SCRIPT, inputs.path()) else {
        return;
    };
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
