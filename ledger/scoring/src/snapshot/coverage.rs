//! What a feed snapshot cannot speak of: packages of ecosystems of which it has no advisory.
//!
//! The engine finds nothing for them, rightly and without a word: to a proof, a feed without a
//! language's advisories is a feed like any other. To whoever asks for a score it makes a difference.

use std::collections::{BTreeMap, BTreeSet};

use super::feed::FeedIndex;
use super::uses::family;
use crate::matching::bom_packages;
use crate::model::Bom;

/// How many packages of a bill of materials are of an ecosystem of which the feed has no advisory, by
/// the ecosystem's name up to the first colon.
#[must_use]
pub fn uncovered(bom: &Bom, feed: &FeedIndex) -> BTreeMap<String, usize> {
    let affected = feed.advisories().iter().flat_map(|it| &it.affected);
    let covered: BTreeSet<&str> = affected
        .map(|affected| base(affected.package.ecosystem.as_str()))
        .collect();
    let mut uncovered = BTreeMap::new();
    for package in bom_packages(bom) {
        let Ok(lookup) = package.lookup else { continue };
        let name = base(family(&lookup.ecosystems));
        if !covered.contains(name) {
            *uncovered.entry(name.to_owned()).or_default() += 1;
        }
    }
    uncovered
}

/// The same as people read it, one line for each ecosystem.
#[must_use]
pub fn uncovered_lines(bom: &Bom, feed: &FeedIndex) -> Vec<String> {
    let counts = uncovered(bom, feed).into_iter();
    counts
        .map(|(name, count)| {
            format!("ecosystem-not-in-feed: {count} of {name}, which the feed snapshot has no advisory of")
        })
        .collect()
}

fn base(ecosystem: &str) -> &str {
    ecosystem.split(':').next().unwrap_or(ecosystem)
}
