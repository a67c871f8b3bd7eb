use super::*;
use alloc::vec;
use proptest::prelude::*;

fn sample() -> Vec<u8> {
    let entry = |name, content| ZipEntry { name, content };
    write(&[
        entry("b.json", b"{}"),
        entry("a.json", b""),
        entry("inputs/x", b"abc"),
    ])
    .unwrap()
}

#[test]
fn entries_are_sorted_and_read_back() {
    let archive = sample();
    let names: Vec<_> = read(&archive)
        .unwrap()
        .iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["a.json", "b.json", "inputs/x"]);
    let empty = write(&[]).unwrap();
    assert_eq!(read(&empty), Ok(vec![]));
}

#[test]
fn names_are_plain_paths() {
    let long = "x".repeat(256);
    let names = [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "a/../b",
        "a\\b",
        "a b",
        "a\n",
        "é",
        long.as_str(),
    ];
    for name in names {
        let refused = write(&[ZipEntry { name, content: b"" }]);
        assert!(matches!(refused, Err(ZipError::Name { .. })), "{name:?}");
    }
    let twice = [
        ZipEntry {
            name: "a",
            content: b"1",
        },
        ZipEntry {
            name: "a",
            content: b"2",
        },
    ];
    assert_eq!(write(&twice), Err(ZipError::Order { name: "a".into() }));
}

#[test]
fn sizes_are_not_believed() {
    let mut archive = sample();
    // Compressed and uncompressed size of the first entry: 4 GiB - 1.
    archive[18..26].fill(0xff);
    let end = archive.len();
    assert_eq!(read(&archive), Err(ZipError::Truncated { offset: end }));
}

#[test]
fn every_changed_byte_and_every_truncation_is_refused() {
    let archive = sample();
    for at in 0..archive.len() {
        for bit in 0..8 {
            let mut mutant = archive.clone();
            mutant[at] ^= 1 << bit;
            assert!(read(&mutant).is_err(), "byte {at}, bit {bit}");
        }
        assert!(read(&archive[..at]).is_err(), "cut at {at}");
    }
    assert!(read(&[archive.as_slice(), b"\0"].concat()).is_err());
    assert!(read(&[b"\0", archive.as_slice()].concat()).is_err());
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        entries in prop::collection::btree_map("[a-z]{1,4}(/[a-z0-9._-]{0,3}[a-z])?", ".{0,20}", 0..6),
    ) {
        let given: Vec<_> = entries.iter()
            .map(|(name, content)| ZipEntry { name, content: content.as_bytes() }).collect();
        let archive = write(&given).unwrap();
        let read = read(&archive).unwrap();
        prop_assert_eq!(&read, &given);
        let mut backwards = given.clone();
        backwards.reverse();
        prop_assert_eq!(write(&backwards).unwrap(), archive.clone());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = read(&bytes);
        let _ = read(&[b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0".as_slice(), &bytes].concat());
    }
}
