use super::*;
use crate::merkle::MemoryTree;
use crate::snapshot::{RowKey, SnapshotKind, Table};
use crate::units::TreeSize;
use alloc::format;
use alloc::vec;

/// A snapshot of `count` rows, packages p00, p01, ... with two advisories each.
fn world(count: usize) -> (SnapshotHeader, Vec<Row<'static>>, MemoryTree<SnapshotRoot>) {
    let rows: Vec<Row<'static>> = (0..count)
        .map(|n| Row {
            key: RowKey {
                table: Table::Advisory,
                ecosystem: "crates.io".into(),
                package: format!("p{:02}", n / 2).into(),
                source: "osv".into(),
                id: format!("A-{n:02}").into(),
            },
            record: BlobDigest::new(sha256(format!("record {n}").as_bytes())),
        })
        .collect();
    let tree: MemoryTree<SnapshotRoot> = rows.iter().map(Row::leaf_hash).collect();
    let size = TreeSize::new(u64::try_from(count).unwrap());
    let header = SnapshotHeader::new(
        SnapshotKind::Concelier,
        vec!["osv".into()],
        size,
        tree.head().root,
    )
    .unwrap();
    (header, rows, tree)
}

fn package(name: &str) -> Question {
    let columns = ["advisory", "crates.io", name].map(String::from);
    Question::new(columns.to_vec(), None).unwrap()
}

fn proved(count: usize, question: Question) -> (SnapshotHeader, Vec<u8>) {
    let (header, rows, tree) = world(count);
    let answer = answer(question, &rows, &tree).unwrap();
    let bytes = write_snapshot_proof(&header, &[answer], &BTreeMap::new());
    (header, bytes)
}

#[test]
fn every_package_and_every_gap_is_proved_in_trees_of_every_size() {
    for count in 0..20 {
        for package_number in 0..12 {
            for (name, there) in [
                (format!("p{package_number:02}"), true),
                (format!("p{package_number:02}x"), false),
            ] {
                let (header, bytes) = proved(count, package(&name));
                let verified = verify_snapshot_proof(&bytes, &header.hash()).unwrap();
                let expected = if there {
                    count.saturating_sub(2 * package_number).min(2)
                } else {
                    0
                };
                assert_eq!(
                    verified.answers()[0].rows.len(),
                    expected,
                    "{name} of {count}"
                );
            }
        }
    }
}

#[test]
fn a_column_may_be_asked_for_by_its_beginning() {
    let columns = ["advisory", "crates.io"].map(String::from);
    let question = Question::new(columns.to_vec(), Some("p0".into())).unwrap();
    let (header, bytes) = proved(40, question);
    let verified = verify_snapshot_proof(&bytes, &header.hash()).unwrap();
    assert_eq!(verified.answers()[0].rows.len(), 20, "p00 to p09");
    assert!(Question::new(Vec::new(), None).is_err());
    assert!(Question::new(vec![String::new(); 5], Some(String::new())).is_err());
}

#[test]
fn nothing_can_be_left_out_added_or_moved() {
    let (header, rows, tree) = world(17);
    let honest = answer(package("p03"), &rows, &tree).unwrap();
    let judge = |answer: &Answer| {
        let bytes = write_snapshot_proof(&header, core::slice::from_ref(answer), &BTreeMap::new());
        verify_snapshot_proof(&bytes, &header.hash())
    };
    assert!(judge(&honest).is_ok());
    let mut without_row = honest.clone();
    without_row.rows.pop();
    let mut without_neighbour = honest.clone();
    without_neighbour.before = None;
    let mut moved = honest.clone();
    moved.start = LeafIndex::new(moved.start.get() + 1);
    let mut other = honest.clone();
    other.question = package("p04");
    // A true run of the snapshot that stops before the package's last row.
    let range = LeafRange {
        start: honest.start,
        end: LeafIndex::new(honest.start.get() + 2),
    };
    let short = Answer {
        rows: honest.rows[..1].to_vec(),
        after: None,
        proof: prove_range(range, header.rows(), &tree).unwrap(),
        ..honest.clone()
    };
    for (mutant, name) in [
        (without_row, "row"),
        (without_neighbour, "neighbour"),
        (moved, "moved"),
        (other, "question"),
        (short, "short"),
    ] {
        assert!(judge(&mutant).is_err(), "{name}");
    }
    let other = SnapshotHash::new([1; 32]);
    let bytes = write_snapshot_proof(&header, &[honest], &BTreeMap::new());
    assert!(matches!(
        verify_snapshot_proof(&bytes, &other),
        Err(SnapshotProofError::OtherSnapshot { .. })
    ));
}

#[test]
fn records_are_those_of_the_rows() {
    let (header, rows, tree) = world(9);
    let answer = answer(package("p02"), &rows, &tree).unwrap();
    let with = |texts: &[&'static str]| {
        let records: BTreeMap<_, &[u8]> = texts
            .iter()
            .map(|text| (BlobDigest::new(sha256(text.as_bytes())), text.as_bytes()))
            .collect();
        let bytes = write_snapshot_proof(&header, core::slice::from_ref(&answer), &records);
        verify_snapshot_proof(&bytes, &header.hash())
    };
    assert_eq!(with(&["record 4", "record 5"]).unwrap().records().len(), 2);
    assert_eq!(with(&["record 6"]), Err(SnapshotProofError::Record));
}
