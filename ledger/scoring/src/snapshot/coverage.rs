//! What a feed snapshot cannot speak of: packages of ecosystems of which it has no advisory.
//!
//! The engine finds nothing for them, rightly and without a word: to a proof, a feed without a
//! language's advisories is a feed like any other. To whoever asks for a score it makes a difference.

use std::collections::{BTreeMap, BTreeSet};

use super::feed::FeedIndex;
use super::uses::family;
use crate::matching::bom_packages;
use crate::model::Bom;

/// One line for each ecosystem of a bill of materials of which the feed has no advisory that stands, by
/// the ecosystem's name up to the first colon: how many packages are of it.
#[must_use]
pub fn uncovered_lines(bom: &Bom, feed: &FeedIndex) -> Vec<String> {
    let ecosystems = feed.ecosystems().iter();
    let covered: BTreeSet<&str> = ecosystems.map(|name| base(name.as_str())).collect();
    let mut uncovered: BTreeMap<String, usize> = BTreeMap::new();
    for package in bom_packages(bom) {
        let Ok(lookup) = package.lookup else { continue };
        let name = base(family(&lookup.ecosystems));
        if !covered.contains(name) {
            *uncovered.entry(name.to_owned()).or_default() += 1;
        }
    }
    let line = |(name, count)| {
        format!(
            "ecosystem-not-in-feed: {count} of {name}, which the feed snapshot has no advisory of"
        )
    };
    uncovered.into_iter().map(line).collect()
}

fn base(ecosystem: &str) -> &str {
    ecosystem.split(':').next().unwrap_or(ecosystem)
}
