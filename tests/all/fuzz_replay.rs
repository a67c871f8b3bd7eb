//! The fuzz targets' bodies over seeds, mutants of seeds and noise, in every ordinary run.

use std::fs;
use std::path::Path;
use stella_tests::fuzz::{TARGETS, run};

/// Mutants of each seed.
const MUTANTS: u64 = 64;

/// xorshift64*: the same mutants in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// One of the ways in which bytes go wrong.
    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        let at = self.below(bytes.len());
        match self.next() % 6 {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 => bytes.truncate(at),
            2 => bytes.insert(at.min(bytes.len()), self.next().to_le_bytes()[0]),
            3 if !bytes.is_empty() => drop(bytes.remove(at)),
            4 => bytes.extend_from_slice(&seed[at.min(seed.len())..]),
            _ => {
                let to = self.below(bytes.len());
                if !bytes.is_empty() {
                    bytes.swap(at, to);
                }
            }
        }
        bytes
    }
}

/// Every string of the vectors is a seed: as text, and decoded where it is base64 or hex.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new(), b"{}".to_vec(), b"[]".to_vec(), vec![0; 64]];
    collect(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors")),
        &mut seeds,
    );
    seeds.sort();
    seeds.dedup();
    seeds
}

fn collect(folder: &Path, seeds: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, seeds);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            for line in fs::read_to_string(&path).unwrap().lines() {
                if let Ok(value) = serde_json::from_str(line) {
                    strings(&value, seeds);
                }
            }
        }
    }
}

fn strings(value: &serde_json::Value, seeds: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::String(text) if text.len() <= 64 * 1024 => {
            seeds.push(text.as_bytes().to_vec());
            if let Ok(bytes) = stella_verify::base64::decode(text) {
                seeds.push(bytes);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, seeds)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|member| strings(member, seeds));
        }
        _ => (),
    }
}

#[test]
fn bodies_hold_over_seeds_and_mutants() {
    let seeds = seeds();
    for (name, _) in TARGETS {
        let mut noise = Noise(0x5eed_0000_0000_0001);
        // Large seeds are few kinds of the same; a sample of all is enough for every run.
        let step = (seeds.len() / 400).max(1);
        for seed in seeds.iter().step_by(step) {
            run(name, seed);
            for _ in 0..MUTANTS
                .min(4_000_000 / u64::try_from(seed.len() + 1).unwrap())
                .max(4)
            {
                run(name, &noise.mutate(seed));
            }
        }
    }
}

#[test]
fn every_target_has_its_file() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets"));
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
}
