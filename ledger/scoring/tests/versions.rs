//! Version orders against recorded answers of the ecosystems' tools, and against other crates.

mod shared;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use stella_scoring::model::EcosystemKind;
use stella_scoring::version::compare;

#[test]
fn recorded_pairs() {
    let Some(data) = shared::data() else { return };
    let text = String::from_utf8(shared::read(&data.join("version-order/pairs.tsv"))).unwrap();
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let [ecosystem, a, b, order] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let kind = match ecosystem {
            "maven" | "maven-q" => EcosystemKind::Maven,
            "pypi" => EcosystemKind::PyPi,
            "deb" => EcosystemKind::Dpkg,
            "rpm" => EcosystemKind::Rpm,
            other => panic!("{other}"),
        };
        let expected = match order {
            "-1" => Ordering::Less,
            "0" => Ordering::Equal,
            "1" => Ordering::Greater,
            other => panic!("{other}"),
        };
        let found = compare(kind, a, b);
        let reverse = compare(kind, b, a);
        if found != Some(expected) || reverse != Some(expected.reverse()) {
            wrong.push((ecosystem, a, b, expected, found, reverse));
        }
        *counts.entry(ecosystem).or_default() += 1;
    }
    println!("{counts:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong: {:?}",
        wrong.len(),
        wrong.get(..20.min(wrong.len()))
    );
}
