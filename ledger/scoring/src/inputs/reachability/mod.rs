//! Facts about whether the artifact's code reaches vulnerabilities: the JSON of govulncheck, and a
//! simple documented JSON for every other analysis. The format is detected from the document.

mod facts;
mod govulncheck;

use std::collections::BTreeMap;

use serde::Deserialize;
use stella_verify::hash::{BlobDigest, sha256};

use super::decompress;
use super::json::{self, DocumentError, Object, Text};
use crate::limits::MAX_REACHABILITY_FACTS;
use crate::model::{JsonPointer, ReachabilityFact, ReachabilitySet};

/// Reads a document, gzipped or not.
///
/// # Errors
/// [`DocumentError`].
pub fn read(bytes: &[u8]) -> Result<ReachabilitySet, DocumentError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Probe<'a> {
        #[serde(borrow)]
        schema: Text<'a>,
    }
    let bytes = decompress(bytes)?;
    let text = json::without_mark(&bytes);
    // The first value tells: govulncheck writes many, none of which has a schema.
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Object<Probe<'_>>>();
    let is_simple = match values.next() {
        Some(Ok(Object::Is(probe))) => probe.schema.get().is_some(),
        Some(Err(error)) => return Err(json::json_error(text, &error)),
        _ => {
            let reason = "neither stella.reachability/v1 nor the JSON of govulncheck";
            return Err(DocumentError::content(JsonPointer::root(), reason));
        }
    };
    let facts = if is_simple {
        facts::read(text)?
    } else {
        govulncheck::read(text)?
    };
    Ok(ReachabilitySet {
        digest: BlobDigest::new(sha256(&bytes)),
        facts: nearest(facts)?,
        warnings: Vec::new(),
    })
}

/// Keeps the nearest fact of each package and vulnerability, sorted.
fn nearest(facts: Vec<ReachabilityFact>) -> Result<Vec<ReachabilityFact>, DocumentError> {
    if facts.len() > MAX_REACHABILITY_FACTS {
        let reason = format!("more than {MAX_REACHABILITY_FACTS} facts");
        return Err(DocumentError::content(JsonPointer::root(), reason));
    }
    let mut kept: BTreeMap<_, ReachabilityFact> = BTreeMap::new();
    for fact in facts {
        let key = (
            fact.purl.package_text().to_owned(),
            fact.purl.clone(),
            fact.vulnerability.clone(),
        );
        match kept.get_mut(&key) {
            Some(have) if rank(have) >= rank(&fact) => {}
            Some(have) => *have = fact,
            None => drop(kept.insert(key, fact)),
        }
    }
    Ok(kept.into_values().collect())
}

/// Nearer is greater; among equals the first in the document stays.
fn rank(fact: &ReachabilityFact) -> impl Ord + use<> {
    (fact.level, std::cmp::Reverse(fact.hops()))
}

#[cfg(test)]
mod tests;
