//! Imports: what decides a snapshot's hash, and what bad input gets.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking, and say what they skip or measure"
)]

mod shared;

use std::io::Write as _;

use stella_scoring::model::{EpssScore, FeedSnapshot as _, Table};
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, ImportError, Imported, VexIndex};
use stella_verify::snapshot::SnapshotKind;

fn osv(id: &str, package: &str, fixed: &str) -> Vec<u8> {
    format!(
        r#"{{"id": "{id}", "affected": [{{"package": {{"ecosystem": "npm", "name": "{package}"}},
        "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
    )
    .into_bytes()
}

const EPSS: &[u8] = b"#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\n\
    cve,epss,percentile\nCVE-1-1,0.00043,0.09\nCVE-1-2,0.5,0.9\n";
const KEV: &[u8] = br#"{"catalogVersion": "1", "vulnerabilities": [
    {"cveID": "CVE-1-2", "dateAdded": "2024-01-02", "knownRansomwareCampaignUse": "Known"}]}"#;
const JOIN: &[u8] = b"cve\tcvss_version\tvector\tpublished_base\tprovider\tssvc_exploitation\t\
    ssvc_automatable\tssvc_technical_impact\tkev_date_added\n\
    CVE-1-1\t3.1\tCVSS:3.1/AV:N\t7.5\tCNA:x\tpoc\tno\ttotal\t\n";

fn zip(files: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn import(files: &[(&str, &[u8])], bad: BadRecords) -> Result<Imported, ImportError> {
    let mut builder = Builder::new(SnapshotKind::Concelier);
    for (name, bytes) in files {
        builder.add(name, bytes)?;
    }
    builder.finish(bad)
}

fn imported(files: &[(&str, &[u8])]) -> Imported {
    import(files, BadRecords::Refuse).unwrap()
}

#[test]
fn the_hash_depends_on_the_records_only() {
    let (a, b) = (osv("A-1", "x", "1.0.0"), osv("A-2", "y", "2.0.0"));
    let plain = imported(&[
        ("a.json", &a),
        ("b.json", &b),
        ("e.csv", EPSS),
        ("k.json", KEV),
        ("j.tsv", JOIN),
    ]);
    let stored = zip(
        &[("B.json", &b), ("A.json", &a)],
        zip::CompressionMethod::Stored,
    );
    let deflated = zip(
        &[("x/A.json", &a), ("x/B.json", &b)],
        zip::CompressionMethod::Deflated,
    );
    let spaced = String::from_utf8(KEV.to_vec()).unwrap().replace(' ', "  ");
    for files in [
        vec![
            ("j.tsv", JOIN),
            ("k.json", KEV),
            ("all.zip", &*stored),
            ("e.csv.gz", &*gzip(EPSS)),
        ],
        vec![
            ("e.csv", EPSS),
            ("all.zip", &*deflated),
            ("k.json", spaced.as_bytes()),
            ("j.tsv", JOIN),
        ],
        vec![
            ("all.zip", &*deflated),
            ("again.json", &*a),
            ("k.json", KEV),
            ("j.tsv", JOIN),
            ("e.csv", EPSS),
        ],
    ] {
        let other = imported(&files);
        assert_eq!(other.header, plain.header);
        assert_eq!(other.records, plain.records, "byte for byte");
    }
    let changed = imported(&[("a.json", &osv("A-1", "x", "1.0.1"))]);
    assert_ne!(
        changed.header.hash(),
        imported(&[("a.json", &a)]).header.hash()
    );
}

#[test]
fn facts_are_found_by_id() {
    let all = imported(&[
        ("a.json", &osv("A-1", "x", "1")),
        ("e.csv", EPSS),
        ("k.json", KEV),
        ("j.tsv", JOIN),
    ]);
    assert_eq!(
        all.header.sources(),
        ["cisa-kev", "cve-join", "epss:v2025.03.14", "osv"]
    );
    assert_eq!(all.report.read[&Table::Epss], 2);
    let feed = FeedIndex::load(&all.records).unwrap();
    assert_eq!(feed.hash(), all.header.hash());
    assert_eq!(
        feed.epss("CVE-1-2").unwrap().score,
        EpssScore::new(50_000).unwrap()
    );
    assert!(feed.epss("CVE-1-3").is_none());
    assert!(feed.kev("CVE-1-2").unwrap().ransomware);
    assert!(feed.kev("CVE-1-1").is_none());
    assert_eq!(feed.severities("CVE-1-1").len(), 1);
    assert_eq!(
        feed.ssvc("CVE-1-1").unwrap().exploitation.as_deref(),
        Some("poc")
    );
}

#[test]
fn bad_records_are_all_named_and_nothing_is_imported() {
    let good = osv("A-1", "x", "1.0.0");
    let archive = zip(
        &[
            ("good.json", &good),
            ("bad.json", b"{"),
            ("LICENSE", b"words"),
            ("worse.json", br#"{"id": 7}"#),
        ],
        zip::CompressionMethod::Deflated,
    );
    let epss = b"cve,epss,percentile\nCVE-1-1,0.1,0.2\nCVE-1-2,2,0.2\n";
    let files: [(&str, &[u8]); 4] = [
        ("all.zip", &archive),
        ("e.csv", epss),
        ("x.csv", b"a,b"),
        ("c.gz", b"\x1f\x8b\x08"),
    ];
    let Err(ImportError::BadRecords(report)) = import(&files, BadRecords::Refuse) else {
        panic!("refused");
    };
    let named: Vec<_> = report.bad.iter().map(|bad| &*bad.place).collect();
    assert_eq!(
        named,
        [
            "all.zip!bad.json",
            "all.zip!worse.json",
            "c.gz",
            "e.csv:3",
            "x.csv"
        ]
    );
    assert!(report.bad[1].reason.contains("/id"), "{}", report.bad[1]);
    assert_eq!(report.skipped, ["all.zip!LICENSE".into()]);

    let rest = import(&files, BadRecords::LeaveOut).unwrap();
    assert_eq!(rest.report, *report, "the same report");
    assert_eq!(rest.header.rows().get(), 2);
    assert_eq!(rest.header.sources(), ["epss:unknown", "osv"]);
}

#[test]
fn one_row_is_one_record() {
    let (a, b) = (osv("A-1", "x", "1.0.0"), osv("A-1", "x", "2.0.0"));
    let days = [("e.csv", EPSS), ("f.csv", b"CVE-1-1,0.1,0.2\n".as_slice())];
    for files in [
        [("a.json", &*a), ("b.json", &*b)],
        [("b.json", &*b), ("a.json", &*a)],
    ] {
        for mode in [BadRecords::Refuse, BadRecords::LeaveOut] {
            let error = import(&files, mode).unwrap_err();
            let ImportError::Conflict { first, second, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!((&**first, &**second), ("a.json", "b.json"));
        }
    }
    let error = import(&days, BadRecords::Refuse).unwrap_err();
    assert!(matches!(error, ImportError::Conflict { .. }), "{error}");
    // Under another package the id may have another record.
    let elsewhere = osv("A-1", "y", "2.0.0");
    let both = imported(&[("a.json", &a), ("b.json", &elsewhere)]);
    assert_eq!(
        FeedIndex::load(&both.records).unwrap().advisories().len(),
        2
    );
}

#[test]
fn archives_are_bounded() {
    let bomb = zip(
        &[("bomb.json", &vec![b' '; 8 << 20])],
        zip::CompressionMethod::Deflated,
    );
    let Err(ImportError::BadRecords(report)) = import(&[("z.zip", &bomb)], BadRecords::Refuse)
    else {
        panic!("refused");
    };
    assert_eq!(&*report.bad[0].place, "z.zip!bomb.json");
    assert!(report.bad[0].reason.contains("to one"), "{}", report.bad[0]);

    let whole = zip(
        &[("a.json", &osv("A-1", "x", "1"))],
        zip::CompressionMethod::Deflated,
    );
    for cut in [4, 20, whole.len() - 1] {
        let error = import(&[("z.zip", &whole[..cut])], BadRecords::LeaveOut).unwrap_err();
        assert!(
            matches!(error, ImportError::Archive { .. }),
            "{cut}: {error}"
        );
    }
}

/// Any changed bit of a records file is found: by the header's own form, a row's order or form, a
/// record's hash, or the root. What loads is the snapshot that the file's own header names.
#[test]
fn a_changed_bit_never_loads_as_the_same_snapshot() {
    let all = imported(&[
        ("a.json", &osv("A-1", "x", "1.0.0")),
        ("k.json", KEV),
        ("j.tsv", JOIN),
    ]);
    let hash = all.header.hash();
    for place in 0..all.records.len() {
        for bit in [0, 3, 7] {
            let mut bytes = all.records.clone();
            bytes[place] ^= 1 << bit;
            if let Ok(feed) = FeedIndex::load(&bytes) {
                assert_ne!(feed.hash(), hash, "byte {place}, bit {bit}");
            }
        }
    }
    for cut in 0..all.records.len() {
        assert!(
            FeedIndex::load(&all.records[..cut]).is_err(),
            "cut at {cut}"
        );
    }
    let longer = [&*all.records, b"\0"].concat();
    assert!(FeedIndex::load(&longer).is_err());
    assert!(VexIndex::load(&all.records).is_err(), "the other kind");
}

#[test]
fn the_empty_snapshot_is_one() {
    for kind in [SnapshotKind::Concelier, SnapshotKind::Excititor] {
        let empty = Builder::new(kind).finish(BadRecords::Refuse).unwrap();
        assert_eq!(empty.header.rows().get(), 0);
        match kind {
            SnapshotKind::Concelier => drop(FeedIndex::load(&empty.records).unwrap()),
            SnapshotKind::Excititor => drop(VexIndex::load(&empty.records).unwrap()),
        }
    }
}

#[test]
fn real_feeds_are_imported_whole() {
    let Some(data) = shared::data() else { return };
    let mut builder = Builder::new(SnapshotKind::Concelier);
    let mut add = |path: &str| builder.add(path, &shared::read(&data.join(path))).unwrap();
    for ecosystem in ["crates.io", "Go", "PyPI"] {
        add(&format!("feeds/osv/2026-07-23/{ecosystem}/all.zip"));
    }
    add("feeds/osv/ghsa-slice/all.zip");
    add("feeds/epss/epss_scores-2026-07-31.slice.csv");
    add("feeds/kev/2025-08-25/known_exploited_vulnerabilities.json");
    add("feeds/cve-join/vulnrichment-2024-10-24.tsv");
    for entry in std::fs::read_dir(data.join("feeds/vulnrichment")).unwrap() {
        let path = entry.unwrap().path();
        builder
            .add(&path.display().to_string(), &shared::read(&path))
            .unwrap();
    }
    let all = builder.finish(BadRecords::Refuse).unwrap();
    println!("{:?}, {} rows", all.report.read, all.header.rows());
    for note in &all.report.notes {
        println!("{}: {}", note.place, note.text);
    }
    assert_eq!(
        all.report.read[&Table::Advisory],
        1_150 + 4_042 + 7_080 + 455
    );
    assert_eq!(all.report.read[&Table::Epss], 585);
    assert_eq!(all.report.read[&Table::Kev], 1_404);
    let feed = FeedIndex::load(&all.records).unwrap();
    assert!(feed.ssvc("CVE-2024-3094").is_some());
}

#[test]
fn malformed_epss_files_are_named() {
    let Some(data) = shared::data() else { return };
    for (file, good) in [
        ("vunnel-example-1.csv", true),
        ("vunnel-invalid-header.csv", false),
        ("vunnel-missing-date.csv", true),
    ] {
        let bytes = shared::read(&data.join("feeds/epss").join(file));
        let result = import(&[(file, &bytes)], BadRecords::Refuse);
        assert_eq!(result.is_ok(), good, "{file}: {result:?}");
    }
}
