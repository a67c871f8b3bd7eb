use super::*;
use crate::disk::{Disk as _, RealDisk};
use crate::log::block::{BlockKey, FileKind};
use crate::log::fault::StoreFault;
use crate::log::ids::{LogId, SegmentNumber};
use crate::log::record::KEY_BYTES;
use crate::log::segment::LOG_FOLDER;
use stella_verify::units::StreamPosition;

const LOG: LogId = LogId::new([5; 16]);
const SEGMENT: SegmentNumber = SegmentNumber(9);

fn hash(kind: u8, number: u64) -> [u8; KEY_BYTES] {
    let mut name = vec![kind];
    name.extend_from_slice(&number.to_le_bytes());
    *blake3::hash(&name).as_bytes()
}

fn request(number: u64) -> RequestEntry {
    RequestEntry {
        body: BodyHash(hash(9, number)),
        first: LeafIndex::new(number),
        count: EventCount(3),
        time: UnixMillis::new(number * 2),
    }
}

fn head(number: u64) -> StreamHead {
    StreamHead {
        next: StreamPosition::new(number + 1),
        last: LeafIndex::new(number),
    }
}

/// `count` entries in every table, each from a different range of numbers.
fn content(count: u64) -> RunContent {
    let numbers = 0..count;
    let mut content = RunContent {
        requests: numbers
            .clone()
            .map(|number| (RequestKey(hash(1, number)), request(number)))
            .collect(),
        streams: numbers
            .clone()
            .map(|number| (StreamKey(hash(2, number)), head(number)))
            .collect(),
        names: numbers
            .clone()
            .map(|number| (NameKey(hash(3, number)), LeafIndex::new(number)))
            .collect(),
        erased: numbers
            .map(|number| (LeafIndex::new(number * 3), LeafIndex::new(number)))
            .collect(),
        frames: vec![FrameMark {
            first: LeafIndex::new(7),
            block: BlockNumber(1),
        }],
    };
    content.requests.sort_unstable_by_key(|(key, _)| *key);
    content.streams.sort_unstable_by_key(|(key, _)| *key);
    content.names.sort_unstable_by_key(|(key, _)| *key);
    content
}

#[test]
fn what_was_put_in_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::new(folder.path());
    disk.create_dir(LOG_FOLDER).unwrap();
    for count in [0u64, 1, 48, 49, 3000] {
        let content = content(count);
        let (run, reference) = Run::create(&disk, LOG, SEGMENT, &content).unwrap();
        for number in 0..count + 50 {
            let inside = number < count;
            let found = run.request(&RequestKey(hash(1, number))).unwrap();
            assert_eq!(found, inside.then(|| request(number)));
            let found = run.stream(&StreamKey(hash(2, number))).unwrap();
            assert_eq!(found, inside.then(|| head(number)));
            let found = run.name(&NameKey(hash(3, number))).unwrap();
            assert_eq!(found, inside.then(|| LeafIndex::new(number)));
            let found = run.erased(LeafIndex::new(number * 3)).unwrap();
            assert_eq!(found, inside.then(|| LeafIndex::new(number)));
            assert_eq!(run.erased(LeafIndex::new(number * 3 + 1)).unwrap(), None);
        }
        assert_eq!(run.all_erased().unwrap(), content.erased);
        assert_eq!(run.frames(), content.frames);
        run.verify().unwrap();
        // The same content always gives the same file.
        let key = BlockKey::new(LOG, FileKind::Run, SEGMENT.0);
        assert_eq!(encode(&content, key, SEGMENT).1, reference);
    }
}

#[test]
fn every_bit_of_a_run_is_guarded() {
    let folder = tempfile::tempdir().unwrap();
    let disk = RealDisk::new(folder.path());
    disk.create_dir(LOG_FOLDER).unwrap();
    let (_, reference) = Run::create(&disk, LOG, SEGMENT, &content(60)).unwrap();
    let path = folder.path().join(run_path(SEGMENT));
    let good = std::fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(53) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        std::fs::write(&path, bad).unwrap();
        let found = Run::open(&disk, LOG, SEGMENT, &reference).and_then(|run| run.verify());
        assert!(matches!(found, Err(StoreFault::Damage(_))), "flip at {at}");
    }
}
