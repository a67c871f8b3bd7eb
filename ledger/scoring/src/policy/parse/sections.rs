//! The sections of a policy beside its rules.

use super::amount::literal;
use super::names::{check_name, fact_word};
use crate::model::SeverityScheme;
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::facts::{Fact, FactKind};
use crate::policy::model::{Aggregation, Knob, MAX_TOTAL};
use crate::policy::severity::{Precedence, SeverityPolicy, Trust, VectorScore, scheme_name};
use crate::policy::tree::{Members, Tree, TreeValue};
use crate::policy::vex::{VexKey, VexPolicy};
use std::collections::{BTreeMap, BTreeSet};
use stella_verify::units::BasisPoints;

/// `severity`: absent members keep their defaults.
pub(super) fn severity(tree: &Tree) -> Result<SeverityPolicy, PolicyError> {
    let members = tree.map()?;
    let members = members.only(&["score", "trust", "first", "providers", "schemes"])?;
    let mut policy = SeverityPolicy::default();
    if let Some(tree) = members.get("score") {
        policy.score = match tree.word(&["base", "overall"])? {
            "overall" => VectorScore::Overall,
            _ => VectorScore::Base,
        };
    }
    if let Some(tree) = members.get("trust") {
        policy.trust = match tree.word(&["recomputed", "published"])? {
            "published" => Trust::Published,
            _ => Trust::Recomputed,
        };
    }
    if let Some(tree) = members.get("first") {
        policy.first = match tree.word(&["scheme", "provider"])? {
            "provider" => Precedence::Provider,
            _ => Precedence::Scheme,
        };
    }
    if let Some(tree) = members.get("providers") {
        policy.providers = distinct_texts(tree)?;
    }
    if let Some(tree) = members.get("schemes") {
        policy.schemes = schemes(tree)?;
    }
    Ok(policy)
}

fn schemes(tree: &Tree) -> Result<Vec<SeverityScheme>, PolicyError> {
    let all = [
        SeverityScheme::CvssV4,
        SeverityScheme::CvssV3,
        SeverityScheme::CvssV2,
        SeverityScheme::Word,
    ];
    let names = all.map(scheme_name);
    let listed = distinct_texts(tree)?;
    for item in tree.list()? {
        item.word(&names)?;
    }
    if listed.len() != all.len() {
        return Err(tree.expected(format!("all of {}", names.join(", "))));
    }
    let scheme = |name: &String| all.into_iter().find(|scheme| scheme_name(*scheme) == name);
    Ok(listed.iter().filter_map(scheme).collect())
}

/// `vex`: absent members keep their defaults.
pub(super) fn vex(tree: &Tree) -> Result<VexPolicy, PolicyError> {
    let members = tree.map()?.only(&["precedence", "authors"])?;
    let mut policy = VexPolicy::default();
    if let Some(tree) = members.get("precedence") {
        distinct_texts(tree)?;
        policy.precedence = (tree.list()?.iter())
            .map(|item| {
                Ok(match item.word(&["fit", "author", "time"])? {
                    "fit" => VexKey::Fit,
                    "author" => VexKey::Author,
                    _ => VexKey::Time,
                })
            })
            .collect::<Result<_, PolicyError>>()?;
    }
    if let Some(tree) = members.get("authors") {
        policy.authors = distinct_texts(tree)?;
    }
    Ok(policy)
}

/// `advisories.scored`: vulnerabilities and malicious packages unless the policy says otherwise.
pub(super) fn kinds(members: Members<'_>) -> Result<BTreeSet<String>, PolicyError> {
    let Some(tree) = members.get("advisories") else {
        return Ok(["vulnerability", "malicious"].map(String::from).into());
    };
    let FactKind::Word(known) = Fact::AdvisoryKind.kind() else {
        return Ok(BTreeSet::new());
    };
    let scored = tree.map()?.only(&["scored"])?.need("scored")?;
    (scored.list()?.iter())
        .map(|item| Ok(item.word(known)?.to_owned()))
        .collect()
}

/// `knobs`: name to `{values, default}`.
pub(super) fn knobs(members: Members<'_>) -> Result<BTreeMap<String, Knob>, PolicyError> {
    let Some(tree) = members.get("knobs") else {
        return Ok(BTreeMap::new());
    };
    (tree.map()?.iter())
        .map(|(name, tree)| {
            check_name(tree, name)?;
            let members = tree.map()?.only(&["description", "values", "default"])?;
            let values = distinct_texts(members.need("values")?)?;
            let default = fact_word(members.need("default")?, &values)?;
            Ok((name.to_owned(), Knob { values, default }))
        })
        .collect()
}

/// `weights`: name to basis points; they add up to 10000.
pub(super) fn weights(members: Members<'_>) -> Result<BTreeMap<String, BasisPoints>, PolicyError> {
    let Some(tree) = members.get("weights") else {
        return Ok(BTreeMap::new());
    };
    let mut sum = 0;
    let mut weights = BTreeMap::new();
    for (name, tree) in tree.map()?.iter() {
        check_name(tree, name)?;
        let weight = tree.integer(0, MAX_TOTAL.get())?;
        sum += weight;
        weights.insert(name.to_owned(), BasisPoints::new(weight));
    }
    if sum != MAX_TOTAL.get() {
        return Err(tree.error(PolicyProblem::Weights(sum)));
    }
    Ok(weights)
}

/// `aggregate`: to the component, and to the scan; the maximum where it says nothing.
pub(super) fn aggregate(members: Members<'_>) -> Result<(Aggregation, Aggregation), PolicyError> {
    let Some(tree) = members.get("aggregate") else {
        return Ok((Aggregation::Max, Aggregation::Max));
    };
    let members = tree.map()?.only(&["component", "scan"])?;
    let one = |name| match members.get(name) {
        Some(tree) => aggregation(tree),
        None => Ok(Aggregation::Max),
    };
    Ok((one("component")?, one("scan")?))
}

/// `max`, `{weighted-sum: {bands: [[from, weight]...], cap}}` or `{spread: {share}}`.
fn aggregation(tree: &Tree) -> Result<Aggregation, PolicyError> {
    if let TreeValue::Text(_) = tree.value {
        tree.word(&["max"])?;
        return Ok(Aggregation::Max);
    }
    let members = tree.map()?.only(&["weighted-sum", "spread"])?;
    let mut given = members.iter();
    match (given.next(), given.next()) {
        (Some(("spread", tree)), None) => {
            let share = tree.map()?.only(&["share"])?.need("share")?;
            Ok(Aggregation::Spread {
                share: BasisPoints::new(share.integer(0, MAX_TOTAL.get())?),
            })
        }
        (Some((_, tree)), None) => weighted_sum(tree),
        _ => Err(tree.expected("max, weighted-sum or spread")),
    }
}

fn weighted_sum(tree: &Tree) -> Result<Aggregation, PolicyError> {
    let members = tree.map()?.only(&["bands", "cap"])?;
    let mut bands: Vec<(BasisPoints, BasisPoints)> = Vec::new();
    for band in members.need("bands")?.list()? {
        let [from, weight] = band.list()? else {
            return Err(band.expected("a pair [from, weight]"));
        };
        let from = BasisPoints::new(from.integer(0, MAX_TOTAL.get())?);
        if bands.last().is_some_and(|(last, _)| *last <= from) {
            return Err(band.error(PolicyProblem::Order("bands descend")));
        }
        let weight = literal(weight)?;
        if weight.get() < 0 {
            return Err(band.expected("a weight that is not negative"));
        }
        bands.push((from, weight));
    }
    let cap = match members.get("cap") {
        Some(cap) => BasisPoints::new(cap.integer(0, MAX_TOTAL.get())?),
        None => MAX_TOTAL,
    };
    Ok(Aggregation::WeightedSum { bands, cap })
}

fn distinct_texts(tree: &Tree) -> Result<Vec<String>, PolicyError> {
    let mut texts: Vec<String> = Vec::new();
    for item in tree.list()? {
        let text = item.text()?.to_owned();
        if texts.contains(&text) {
            return Err(item.error(PolicyProblem::Redefined(text)));
        }
        texts.push(text);
    }
    if texts.is_empty() {
        return Err(tree.expected("at least one text"));
    }
    Ok(texts)
}
