//! Version orders against recorded answers of the ecosystems' tools, and against other crates.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking, and say what they skip or measure"
)]

mod shared;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::*;
use stella_scoring::model::EcosystemKind;
use stella_scoring::version::{Parsed, compare};

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

/// A text that is more likely a version than noise is.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => (0..30u32).prop_map(|number| number.to_string()),
        1 => Just("007".to_owned()),
        1 => Just("18446744073709551616".to_owned()),
        3 => prop::sample::select(vec![
            "alpha", "beta", "rc", "a", "b", "m", "snapshot", "final", "ga", "sp", "dev", "post",
            "pre", "git", "p", "r", "x", "el9", "ubuntu", "v",
        ])
        .prop_map(str::to_owned),
    ];
    let separator = prop::sample::select(vec!["", ".", "-", "_", "~", "^", "+", ":"]);
    (prop::collection::vec((part, separator), 1..7)).prop_map(|parts| {
        let mut text: String = parts.iter().flat_map(|(a, b)| [a.as_str(), b]).collect();
        while text.ends_with(|last: char| !last.is_ascii_alphanumeric()) {
            text.pop();
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_is_an_order(a in text(), b in text(), c in text()) {
        for kind in EcosystemKind::ALL {
            let parse = |text: &str| Parsed::new(*kind, text);
            let (Some(x), Some(y), Some(z)) = (parse(&a), parse(&b), parse(&c)) else { continue };
            prop_assert_eq!(x.partial_cmp(&x), Some(Ordering::Equal));
            let order = x.partial_cmp(&y);
            prop_assert!(order.is_some());
            prop_assert_eq!(y.partial_cmp(&x), order.map(Ordering::reverse), "{:?} {} {}", kind, a, b);
            if x <= y && y <= z {
                prop_assert!(x <= z, "{:?}: {} <= {} <= {}", kind, a, b, c);
            }
        }
    }

    #[test]
    fn semver_is_ordered_as_the_semver_crate_does(a in semver_text(), b in semver_text()) {
        let parse = |text: &str| text.parse::<semver::Version>().unwrap();
        let expected = parse(&a).cmp_precedence(&parse(&b));
        prop_assert_eq!(compare(EcosystemKind::CratesIo, &a, &b), Some(expected));
    }

    #[test]
    fn debian_is_ordered_as_the_debversion_crate_does(a in text(), b in text()) {
        let parse = |text: &str| text.parse::<debversion::Version>().ok();
        if let (Some(x), Some(y)) = (parse(&a), parse(&b))
            && let Some(found) = compare(EcosystemKind::Dpkg, &a, &b)
        {
            prop_assert_eq!(found, x.cmp(&y), "{} {}", a, b);
        }
    }

    #[test]
    fn rpm_is_ordered_as_the_rpm_version_crate_does(a in text(), b in text()) {
        // A version or release has no dash of its own; how to split a text with two is not stated.
        let one_dash = |text: &str| text.matches('-').count() <= 1;
        prop_assume!(one_dash(&a) && one_dash(&b));
        if let Some(found) = compare(EcosystemKind::Rpm, &a, &b) {
            prop_assert_eq!(found, rpm_version::rpm_evr_compare(&a, &b), "{} {}", a, b);
        }
    }
}

fn semver_text() -> impl Strategy<Value = String> {
    let pre = prop_oneof![
        2 => Just(String::new()),
        1 => "-(0|[1-9][0-9]?|[a-z][a-z0-9-]{0,2})(\\.(0|[1-9][0-9]?|[a-z]{1,2})){0,2}",
    ];
    (
        0..4u8,
        0..12u8,
        0..4u8,
        pre,
        prop::sample::select(vec!["", "+b", "+1"]),
    )
        .prop_map(|(a, b, c, pre, build)| format!("{a}.{b}.{c}{pre}{build}"))
}
