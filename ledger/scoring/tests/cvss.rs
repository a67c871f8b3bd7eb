//! CVSS against the recorded vectors, an independent implementation and the specifications' edges.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "tests report by panicking, and say what they skipped"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use stella_scoring::cvss::{CvssScores, CvssVector, CvssVersion, VectorError};

fn scores(vector: &str) -> CvssScores {
    vector
        .parse::<CvssVector>()
        .unwrap_or_else(|e| panic!("{vector}: {e}"))
        .scores()
}

/// The shared data, or `None` with a printed note.
fn shared(file: &str) -> Option<String> {
    let root = std::env::var_os("STELLA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("data/cvss").join(file);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is absent", path.display());
    }
    text
}

#[test]
fn every_generated_vector_is_reproduced() {
    let Some(table) = shared("generated-vectors.tsv") else {
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in table.lines().skip(1) {
        let [version, kind, base, middle, last, vector] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let got = scores(vector);
        let texts = [got.base, got.temporal, got.environmental, got.overall].map(|s| s.to_string());
        let [b, t, e, o] = texts.each_ref().map(String::as_str);
        // The reference leaves the cell of a v2 group empty when all its metrics are "ND".
        let same = |score: &str, cell: &str| score == cell || (version == "2.0" && cell.is_empty());
        let right = match (version, kind) {
            ("4.0", _) => o == middle,
            (_, "full") => b == base && same(t, middle) && same(e, last),
            _ => b == base,
        };
        if !right {
            wrong.push(format!("{line}\n    got {b} {t} {e}"));
        }
        count += 1;
    }
    assert!(count > 3000, "{count}");
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_published_vector_is_reproduced() {
    let Some(table) = shared("published-vectors.tsv") else {
        return;
    };
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let [_, _, calculated, _, vector] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let got = scores(vector);
        if got.base.to_string() != calculated && got.overall.to_string() != calculated {
            wrong.push(format!("{line}\n    got {} {}", got.base, got.overall));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// Scores in these cases were computed by an unrelated implementation in another language.
#[test]
fn the_repositorys_vectors_hold() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/cvss/vectors.jsonl");
    let cases = std::fs::read_to_string(path).unwrap();
    assert!(cases.lines().count() > 200);
    for line in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let parsed = case["vector"].as_str().unwrap().parse::<CvssVector>();
        if case["ok"] == false {
            let error = parsed.unwrap_err().to_string();
            assert!(
                error.contains(case["error"].as_str().unwrap()),
                "{line}: {error}"
            );
            continue;
        }
        let got = parsed.unwrap_or_else(|e| panic!("{line}: {e}")).scores();
        for (member, score) in [
            ("base", got.base),
            ("temporal", got.temporal),
            ("environmental", got.environmental),
            ("overall", got.overall),
        ] {
            if let Some(expected) = case[member].as_u64() {
                assert_eq!(u64::from(score.get()), expected, "{member} of {line}");
            }
        }
    }
}

/// All vectors whose metrics take all of the given values.
fn space(prefix: &str, metrics: &[(&str, &[&str])]) -> Vec<String> {
    let mut vectors = vec![prefix.to_owned()];
    for (name, values) in metrics {
        vectors = (vectors.iter())
            .flat_map(|vector| {
                values.iter().map(move |value| {
                    let slash = if vector.is_empty() || vector.ends_with('/') {
                        ""
                    } else {
                        "/"
                    };
                    format!("{vector}{slash}{name}:{value}")
                })
            })
            .collect();
    }
    vectors
}

const V3_BASE: &[(&str, &[&str])] = &[
    ("AV", &["N", "A", "L", "P"]),
    ("AC", &["L", "H"]),
    ("PR", &["N", "L", "H"]),
    ("UI", &["N", "R"]),
    ("S", &["U", "C"]),
    ("C", &["H", "L", "N"]),
    ("I", &["H", "L", "N"]),
    ("A", &["H", "L", "N"]),
];

fn tenths(score: f64) -> String {
    format!("{score:.1}")
}

#[test]
fn the_whole_v3_base_space_agrees_with_the_oracle() {
    for prefix in ["CVSS:3.0/", "CVSS:3.1/"] {
        let vectors = space(prefix, V3_BASE);
        assert_eq!(vectors.len(), 2592);
        for vector in vectors {
            let oracle: cvss::v3::Vector = vector.parse().unwrap();
            assert_eq!(
                scores(&vector).base.to_string(),
                tenths(oracle.base_score().value()),
                "{vector}"
            );
        }
    }
}

#[test]
fn the_whole_v2_base_space_agrees_with_the_oracle() {
    let vectors = space(
        "",
        &[
            ("AV", &["L", "A", "N"]),
            ("AC", &["H", "M", "L"]),
            ("Au", &["M", "S", "N"]),
            ("C", &["N", "P", "C"]),
            ("I", &["N", "P", "C"]),
            ("A", &["N", "P", "C"]),
        ],
    );
    assert_eq!(vectors.len(), 729);
    for vector in vectors {
        let oracle: cvss::v2::Vector = vector.parse().unwrap();
        assert_eq!(
            scores(&vector).base.to_string(),
            tenths(oracle.score().value()),
            "{vector}"
        );
    }
}

/// CVSS 4.0 has 104,976 base vectors; every seventh keeps the oracle's time in bounds and, 7 being
/// prime to every metric's number of values, meets every value in every combination of neighbours.
#[test]
fn a_seventh_of_the_v4_base_space_agrees_with_the_oracle() {
    let vectors = space(
        "CVSS:4.0/",
        &[
            ("AV", &["N", "A", "L", "P"]),
            ("AC", &["L", "H"]),
            ("AT", &["N", "P"]),
            ("PR", &["N", "L", "H"]),
            ("UI", &["N", "P", "A"]),
            ("VC", &["H", "L", "N"]),
            ("VI", &["H", "L", "N"]),
            ("VA", &["H", "L", "N"]),
            ("SC", &["H", "L", "N"]),
            ("SI", &["H", "L", "N"]),
            ("SA", &["H", "L", "N"]),
        ],
    );
    assert_eq!(vectors.len(), 104_976);
    for vector in vectors.iter().step_by(7) {
        let oracle: cvss::v4::Vector = vector.parse().unwrap();
        assert_eq!(
            scores(vector).base.to_string(),
            tenths(oracle.score().value()),
            "{vector}"
        );
    }
}

/// Worked examples of the specifications' own documents (facts: vector and score).
#[test]
fn the_specifications_examples_hold() {
    let v2 = scores("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H");
    assert_eq!(v2.base.to_string(), "7.8");
    assert_eq!(v2.temporal.to_string(), "6.4");
    assert_eq!(v2.environmental.to_string(), "9.2");
    assert_eq!(
        scores("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N")
            .base
            .to_string(),
        "6.1"
    );
    assert_eq!(
        scores("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N")
            .overall
            .get(),
        0
    );
}

#[test]
fn the_overall_score_is_that_of_the_narrowest_group_present() {
    let base = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    assert_eq!(scores(base).overall.get(), 98);
    let temporal = scores(&format!("{base}/E:U"));
    assert_eq!(temporal.overall, temporal.temporal);
    assert!(temporal.overall < temporal.base);
    let undefined = scores(&format!("{base}/E:X/MAV:X/CR:X"));
    assert_eq!(undefined.overall.get(), 98);
    let environmental = scores(&format!("{base}/MAV:P"));
    assert_eq!(environmental.overall, environmental.environmental);
}

#[test]
fn a_vector_is_as_specified_or_refused_by_name() {
    let error = |text: &str| text.parse::<CvssVector>().unwrap_err();
    let base = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    assert_eq!(error("CVSS:3.2/AV:N"), VectorError::Version("3.2".into()));
    assert_eq!(error("CVSS:3.1"), VectorError::Pair(String::new()));
    assert_eq!(error(&format!("{base}/")), VectorError::Pair(String::new()));
    assert_eq!(error(&format!("{base}/AV:N")), VectorError::Duplicate("AV"));
    assert_eq!(
        error(&format!("{base}/ZZ:N")),
        VectorError::UnknownMetric("ZZ".into())
    );
    assert_eq!(error(&base.replace("/A:H", "")), VectorError::Missing("A"));
    assert_eq!(
        error(&base.replace("AV:N", "AV:n")),
        VectorError::UnknownValue {
            metric: "AV",
            value: "n".into()
        }
    );
    assert_eq!(error(&"A".repeat(600)), VectorError::TooLong);
    let v4 = "CVSS:4.0/AC:L/AV:N/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    assert_eq!(error(v4), VectorError::Order("AV"));
    assert_eq!(
        "AV:N/AC:L/Au:N/C:P/I:P/A:P"
            .parse::<CvssVector>()
            .unwrap()
            .version(),
        CvssVersion::V2
    );
}

/// Modified and temporal metrics are drawn at random and compared where the oracle implements the
/// specification's text; its 3.1 `Roundup` truncates at 10^-5 where appendix A rounds, which the
/// recorded vectors above settle.
mod random {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn v4_with_all_groups_agrees(picks in proptest::collection::vec(0usize..5, 26)) {
            let metrics: [(&str, &[&str]); 26] = [
                ("AV", &["N", "A", "L", "P"]), ("AC", &["L", "H"]), ("AT", &["N", "P"]),
                ("PR", &["N", "L", "H"]), ("UI", &["N", "P", "A"]), ("VC", &["H", "L", "N"]),
                ("VI", &["H", "L", "N"]), ("VA", &["H", "L", "N"]), ("SC", &["H", "L", "N"]),
                ("SI", &["H", "L", "N"]), ("SA", &["H", "L", "N"]), ("E", &["X", "A", "P", "U"]),
                ("CR", &["X", "H", "M", "L"]), ("IR", &["X", "H", "M", "L"]), ("AR", &["X", "H", "M", "L"]),
                ("MAV", &["X", "N", "A", "L", "P"]), ("MAC", &["X", "L", "H"]), ("MAT", &["X", "N", "P"]),
                ("MPR", &["X", "N", "L", "H"]), ("MUI", &["X", "N", "P", "A"]), ("MVC", &["X", "H", "L", "N"]),
                ("MVI", &["X", "H", "L", "N"]), ("MVA", &["X", "H", "L", "N"]), ("MSC", &["X", "H", "L", "N"]),
                ("MSI", &["X", "S", "H", "L", "N"]), ("MSA", &["X", "S", "H", "L", "N"]),
            ];
            let mut vector = String::from("CVSS:4.0");
            for ((name, values), pick) in metrics.iter().zip(&picks) {
                write!(vector, "/{name}:{}", values[pick % values.len()]).unwrap();
            }
            let oracle: cvss::v4::Vector = vector.parse().unwrap();
            prop_assert_eq!(scores(&vector).environmental.to_string(), tenths(oracle.score().value()), "{}", vector);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "(CVSS:[34].[01]/)?([A-Z]{1,3}:[A-Z]{1,2}/?){0,20}|.{0,80}") {
            if let Ok(vector) = text.parse::<CvssVector>() {
                prop_assert!(vector.scores().overall.get() <= 100);
            }
        }
    }
}
