//! Roots and ids that never move.

use super::check;
use super::support::{World, policy, world};
use std::collections::BTreeSet;
use stella_scoring::engine::Computation;
use stella_scoring::policy::{BUILT_IN, Policy};

/// Roots of engine 1 over the fixture. One that moves is another engine: register it under the next
/// version and leave this file alone.
#[test]
fn golden_roots_of_engine_1_never_move() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/engine/v1-roots.jsonl");
    let mut lines = String::new();
    for built_in in BUILT_IN {
        let world = world().with_policy(policy(built_in.name));
        lines += &golden_line(built_in.name, &world.compute());
    }
    let aggregated = "  component: {weighted-sum: {bands: [[9000, 5000], [4000, 1000]]}}\n  scan: {weighted-sum: {bands: [[0, 2500]], cap: 9000}}";
    let text = BUILT_IN[0].text.replace(
        "  component: max\n  scan: {spread: {share: 200}}",
        aggregated,
    );
    assert!(text.contains("weighted-sum"));
    let world = world().with_policy(Policy::parse(&text).unwrap());
    let computation = world.compute();
    check(&computation);
    lines += &golden_line("stella-default, weighted sums", &computation);
    if std::env::var_os("STELLA_BLESS").is_some() {
        std::fs::write(&path, &lines).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        lines, golden,
        "an engine's golden roots are frozen; see engine/mod.rs"
    );
}

fn golden_line(name: &str, computation: &Computation) -> String {
    format!(
        "{{\"name\":\"{name}\",\"engineVersion\":1,\"manifestHash\":\"{}\",\"nodes\":{},\"root\":\"{}\",\"scoreBps\":{}}}\n",
        computation.manifest,
        computation.nodes.len(),
        computation.root,
        computation.score
    )
}

#[test]
fn finding_ids_do_not_depend_on_anything_but_package_and_advisory() {
    let ids = |world: &World| {
        let computation = world.compute();
        computation
            .findings
            .iter()
            .map(|f| f.id)
            .collect::<BTreeSet<_>>()
    };
    let world = world();
    let other = world.clone().with_policy(policy("risk-v1"));
    assert_eq!(ids(&world), ids(&other));
    assert_eq!(ids(&world).len(), world.feed.matches.matches.len());
}
