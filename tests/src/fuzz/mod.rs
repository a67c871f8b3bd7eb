//! One body for each parser of bytes from outside. It must not panic, and what it accepts must be
//! written again byte for byte wherever the format has one spelling.

mod access;
mod bundle;
mod policy;
mod scoring;
mod verify;

/// A fuzz target: its name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its file in `tests/fuzz/fuzz_targets`.
pub const TARGETS: &[Target] = &[
    ("access_token", access::access_token),
    ("audit_export", bundle::audit_export),
    ("canonical_json", verify::canonical_json),
    ("chain_seal", bundle::chain_seal),
    ("check_line", verify::check_line),
    ("checkpoint", verify::checkpoint),
    ("cvss_vector", policy::cvss_vector),
    ("entry_bundle", verify::entry_bundle),
    ("event_header", verify::event_header),
    ("json_members", scoring::json_members),
    ("key_set", access::key_set),
    ("manifest", verify::manifest),
    ("note", verify::note),
    ("osv_record", scoring::osv_record),
    ("payloads", verify::payloads),
    ("policy_cases", policy::policy_cases),
    ("policy_document", policy::policy_document),
    ("proof_bundle", bundle::proof_bundle),
    ("proof_node", verify::proof_node),
    ("purl", scoring::purl),
    ("reachability", scoring::reachability),
    ("rule_applied", verify::rule_applied),
    ("sbom", scoring::sbom),
    ("score_proof", verify::score_proof),
    ("snapshot_header", verify::snapshot_header),
    ("snapshot_import", scoring::snapshot_import),
    ("snapshot_proof", verify::snapshot_proof),
    ("snapshot_records", scoring::snapshot_records),
    ("snapshot_row", verify::snapshot_row),
    ("strict_json", verify::strict_json),
    ("tile_path", verify::tile_path),
    ("tlog_proof", verify::tlog_proof),
    ("verifier_key", verify::verifier_key),
    ("version_order", scoring::version_order),
    ("vex_document", scoring::vex_document),
    ("vex_statement", scoring::vex_statement),
];

/// Runs the body of a target.
///
/// # Panics
/// When there is no such target, and when the body finds a fault.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    assert!(found.is_some(), "no fuzz target {name}");
    if let Some((_, body)) = found {
        body(data);
    }
}
