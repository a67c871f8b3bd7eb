//! CVSS 4.0 (specification, sections 2-4 and 8).
//!
//! Weights are severity levels: steps of 0.1 from the most severe value of the metric, as the
//! interpolation of section 8.2 counts them. "Not defined" means the worst case (E: attacked,
//! requirements: high), modified metrics fall back to their base metric.

mod interpolate;
mod lookup;

use super::CvssScores;
use super::vector::{Grammar, Metrics, Value, mandatory, optional, v};
use interpolate::Levels;

const IMPACT: &[Value] = &[v("H", 0), v("L", 1), v("N", 2)];
const MODIFIED_IMPACT: &[Value] = &[v("X", 0), v("H", 0), v("L", 1), v("N", 2)];
const SUBSEQUENT: &[Value] = &[v("H", 1), v("L", 2), v("N", 3)];
const MODIFIED_SUBSEQUENT: &[Value] = &[v("X", 0), v("H", 1), v("L", 2), v("N", 3)];
const MODIFIED_SAFETY: &[Value] = &[v("X", 0), v("S", 0), v("H", 1), v("L", 2), v("N", 3)];
const REQUIREMENT: &[Value] = &[v("X", 0), v("H", 0), v("M", 1), v("L", 2)];

const EXPLOIT_MATURITY: usize = 11;
const REQUIREMENTS: usize = 12;
const FIRST_MODIFIED: usize = 15;
const FIRST_SUPPLEMENTAL: usize = 26;

pub(super) const GRAMMAR: Grammar = Grammar {
    metrics: &[
        mandatory("AV", &[v("N", 0), v("A", 1), v("L", 2), v("P", 3)]),
        mandatory("AC", &[v("L", 0), v("H", 1)]),
        mandatory("AT", &[v("N", 0), v("P", 1)]),
        mandatory("PR", &[v("N", 0), v("L", 1), v("H", 2)]),
        mandatory("UI", &[v("N", 0), v("P", 1), v("A", 2)]),
        mandatory("VC", IMPACT),
        mandatory("VI", IMPACT),
        mandatory("VA", IMPACT),
        mandatory("SC", SUBSEQUENT),
        mandatory("SI", SUBSEQUENT),
        mandatory("SA", SUBSEQUENT),
        optional("E", &[v("X", 0), v("A", 0), v("P", 1), v("U", 2)]),
        optional("CR", REQUIREMENT),
        optional("IR", REQUIREMENT),
        optional("AR", REQUIREMENT),
        optional(
            "MAV",
            &[v("X", 0), v("N", 0), v("A", 1), v("L", 2), v("P", 3)],
        ),
        optional("MAC", &[v("X", 0), v("L", 0), v("H", 1)]),
        optional("MAT", &[v("X", 0), v("N", 0), v("P", 1)]),
        optional("MPR", &[v("X", 0), v("N", 0), v("L", 1), v("H", 2)]),
        optional("MUI", &[v("X", 0), v("N", 0), v("P", 1), v("A", 2)]),
        optional("MVC", MODIFIED_IMPACT),
        optional("MVI", MODIFIED_IMPACT),
        optional("MVA", MODIFIED_IMPACT),
        optional("MSC", MODIFIED_SUBSEQUENT),
        optional("MSI", MODIFIED_SAFETY),
        optional("MSA", MODIFIED_SAFETY),
        optional("S", &[v("X", 0), v("N", 0), v("P", 0)]),
        optional("AU", &[v("X", 0), v("N", 0), v("Y", 0)]),
        optional("R", &[v("X", 0), v("A", 0), v("U", 0), v("I", 0)]),
        optional("V", &[v("X", 0), v("D", 0), v("C", 0)]),
        optional("RE", &[v("X", 0), v("L", 0), v("M", 0), v("H", 0)]),
        optional(
            "U",
            &[
                v("X", 0),
                v("Clear", 0),
                v("Green", 0),
                v("Amber", 0),
                v("Red", 0),
            ],
        ),
    ],
    ordered: true,
};

/// Scores of the vector with and without its threat and environmental metrics (section 1.3's
/// CVSS-B, CVSS-BT and CVSS-BTE).
pub(super) fn scores(metrics: &Metrics) -> CvssScores {
    let base = interpolate::score(&levels(metrics, false, false));
    let threat = interpolate::score(&levels(metrics, true, false));
    let all = interpolate::score(&levels(metrics, true, true));
    let overall = if metrics.any_defined(REQUIREMENTS..FIRST_SUPPLEMENTAL) {
        all
    } else if metrics.any_defined(EXPLOIT_MATURITY..REQUIREMENTS) {
        threat
    } else {
        base
    };
    CvssScores {
        base,
        temporal: threat,
        environmental: all,
        overall,
    }
}

/// The severity levels the equations read, in the order of [`Levels`].
fn levels(metrics: &Metrics, threat: bool, environmental: bool) -> Levels {
    let level = |place: usize| {
        let place = if environmental {
            metrics.effective(place, place + FIRST_MODIFIED)
        } else {
            place
        };
        metrics.weight_or(place, 0)
    };
    let when = |used: bool, place: usize| if used { metrics.weight_or(place, 0) } else { 0 };
    Levels {
        exploit: [level(0), level(3), level(4)],
        complexity: [level(1), level(2)],
        vulnerable: [level(5), level(6), level(7)],
        subsequent: [level(8), level(9), level(10)],
        maturity: when(threat, EXPLOIT_MATURITY),
        required: [
            when(environmental, REQUIREMENTS),
            when(environmental, REQUIREMENTS + 1),
            when(environmental, REQUIREMENTS + 2),
        ],
    }
}
