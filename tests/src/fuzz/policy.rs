//! The policy language and CVSS vectors.

use std::sync::OnceLock;
use stella_scoring::cvss::CvssVector;
use stella_scoring::policy::{BUILT_IN, Policy, check, show, test};

/// A policy as people write it: what is accepted has one canonical form, which is the same policy.
pub(super) fn policy_document(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok((policy, _)) = check(text) {
        let stored = Policy::from_canonical(policy.canonical());
        assert!(stored.is_ok_and(|stored| stored == policy));
        assert!(!show(&policy).is_empty());
    }
}

/// A file of examples for a policy.
pub(super) fn policy_cases(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    for policy in policies() {
        if let Ok(report) = test(policy, text) {
            let totals = report.cases.iter().map(|case| case.total.get());
            assert!(
                totals
                    .into_iter()
                    .all(|total| (0..=10_000).contains(&total))
            );
        }
    }
}

/// The built-in policies, parsed once for a run.
fn policies() -> &'static [Policy] {
    static POLICIES: OnceLock<Vec<Policy>> = OnceLock::new();
    POLICIES.get_or_init(|| {
        BUILT_IN
            .iter()
            .filter_map(|policy| policy.policy().ok())
            .collect()
    })
}

/// A CVSS vector: what is accepted has scores in range, and its base score is at most 10.0.
pub(super) fn cvss_vector(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(vector) = text.parse::<CvssVector>() {
        let scores = vector.scores();
        for score in [
            scores.base,
            scores.temporal,
            scores.environmental,
            scores.overall,
        ] {
            assert!(score.get() <= 100);
        }
    }
}
