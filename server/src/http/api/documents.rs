//! Documents that have more than their messages: scores in points, links.

use crate::documents::points;
use crate::http::json::document;
use crate::refusal::Refusal;
use serde_json::{Map, Value, json};
use stella_proto::proof::ProofSummary;
use stella_proto::scan::Scan;

/// A scan.
pub(super) fn scan(scan: &Scan) -> Result<Map<String, Value>, Refusal> {
    let place = format!("{}/{}", super::routes::SCANS, scan.scan_id);
    let mut members = document("stella.scan.v1.Scan", scan)?;
    members.insert("score".to_owned(), points(scan.score_bps).into());
    let links = json!({
        "self": place,
        "manifest": format!("{place}/manifest"),
        "proofs": format!("{place}/proofs"),
    });
    members.insert("_links".to_owned(), links);
    Ok(members)
}

/// A sealed proof.
pub(super) fn proof(proof: &ProofSummary) -> Result<Map<String, Value>, Refusal> {
    let proofs = format!("{}/{}/proofs", super::routes::SCANS, proof.scan_id);
    let mut members = document("stella.proof.v1.ProofSummary", proof)?;
    members.insert("proofBundleId".to_owned(), json!(proof.root_hash));
    members.insert("score".to_owned(), points(proof.score_bps).into());
    let links = json!({"bundle": format!("{proofs}/{}", proof.root_hash)});
    members.insert("_links".to_owned(), links);
    Ok(members)
}

/// A page of a list under its name.
pub(super) fn page(
    name: &str,
    items: &[Map<String, Value>],
    next_page_token: &str,
) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert(name.to_owned(), json!(items));
    members.insert("next_page_token".to_owned(), json!(next_page_token));
    members
}
