//! CVSS 2.0 (guide, sections 2 and 3.2).
//!
//! Weights are thousandths where the guide gives three decimals (base metrics) and hundredths
//! elsewhere; products are kept whole and rounded half up where the guide rounds.

use super::CvssScores;
use super::decimal::divide_half_up;
use super::score::clamped;
use super::vector::{Grammar, Metrics, mandatory, optional, v};

const AV: usize = 0;
const AC: usize = 1;
const AU: usize = 2;
const IMPACTS: [usize; 3] = [3, 4, 5];
const TEMPORAL: [usize; 3] = [6, 7, 8];
const CDP: usize = 9;
const TD: usize = 10;
const REQUIREMENTS: [usize; 3] = [11, 12, 13];

pub(super) const GRAMMAR: Grammar = Grammar {
    metrics: &[
        mandatory("AV", &[v("L", 395), v("A", 646), v("N", 1000)]),
        mandatory("AC", &[v("H", 350), v("M", 610), v("L", 710)]),
        mandatory("Au", &[v("M", 450), v("S", 560), v("N", 704)]),
        mandatory("C", &[v("N", 0), v("P", 275), v("C", 660)]),
        mandatory("I", &[v("N", 0), v("P", 275), v("C", 660)]),
        mandatory("A", &[v("N", 0), v("P", 275), v("C", 660)]),
        optional(
            "E",
            &[
                v("U", 85),
                v("POC", 90),
                v("F", 95),
                v("H", 100),
                v("ND", 100),
            ],
        ),
        optional(
            "RL",
            &[
                v("OF", 87),
                v("TF", 90),
                v("W", 95),
                v("U", 100),
                v("ND", 100),
            ],
        ),
        optional("RC", &[v("UC", 90), v("UR", 95), v("C", 100), v("ND", 100)]),
        optional(
            "CDP",
            &[
                v("N", 0),
                v("L", 10),
                v("LM", 30),
                v("MH", 40),
                v("H", 50),
                v("ND", 0),
            ],
        ),
        optional(
            "TD",
            &[v("N", 0), v("L", 25), v("M", 75), v("H", 100), v("ND", 100)],
        ),
        optional("CR", &[v("L", 50), v("M", 100), v("H", 151), v("ND", 100)]),
        optional("IR", &[v("L", 50), v("M", 100), v("H", 151), v("ND", 100)]),
        optional("AR", &[v("L", 50), v("M", 100), v("H", 151), v("ND", 100)]),
    ],
    ordered: false,
};

/// The three scores of a vector (guide 3.2.1-3.2.3).
pub(super) fn scores(metrics: &Metrics) -> CvssScores {
    let base = base_tenths(metrics, impact(metrics, [100; 3], IMPACT_UNIT * 100));
    let temporal = temporal_tenths(metrics, base);
    let requirements = REQUIREMENTS.map(|place| i128::from(metrics.weight_or(place, 100)));
    let adjusted = base_tenths(metrics, impact(metrics, requirements, IMPACT_UNIT * 10));
    let environmental = environmental_tenths(metrics, temporal_tenths(metrics, adjusted));
    let overall = if metrics.any_defined(CDP..14) {
        environmental
    } else if metrics.any_defined(6..CDP) {
        temporal
    } else {
        base
    };
    CvssScores {
        base: clamped(base),
        temporal: clamped(temporal),
        environmental: clamped(environmental),
        overall: clamped(overall),
    }
}

/// 10^17: 10.41 (2 decimals) times three factors of 5 decimals.
const IMPACT_UNIT: i128 = 100_000_000_000_000_000;

/// `10.41 * (1 - product of (1 - impact * requirement))`, at most `cap`.
fn impact(metrics: &Metrics, requirements: [i128; 3], cap: i128) -> i128 {
    const ONE: i128 = 100_000;
    let spared = (IMPACTS.iter().zip(requirements))
        .map(|(place, requirement)| ONE - i128::from(metrics.weight_or(*place, 0)) * requirement)
        .product::<i128>();
    (1041 * (ONE * ONE * ONE - spared)).min(cap)
}

/// `round(((0.6 * impact) + (0.4 * exploitability) - 1.5) * f(impact))`, in tenths.
fn base_tenths(metrics: &Metrics, impact: i128) -> i128 {
    if impact == 0 {
        return 0;
    }
    let weight = |place| i128::from(metrics.weight_or(place, 0));
    // Nine decimals; raised to the impact's seventeen.
    let exploitability = 20 * weight(AV) * weight(AC) * weight(AU) * (IMPACT_UNIT / 1_000_000_000);
    let sum = 6 * impact + 4 * exploitability - 15 * IMPACT_UNIT;
    // 0.6 and 0.4 are tenths, 1.176 thousandths: one tenth of the score is 10^3 units of sum.
    divide_half_up((sum * 1176).max(0), IMPACT_UNIT * 1000)
}

fn temporal_tenths(metrics: &Metrics, base: i128) -> i128 {
    let factor = (TEMPORAL.iter())
        .map(|place| i128::from(metrics.weight_or(*place, 100)))
        .product::<i128>();
    divide_half_up(base * factor, 1_000_000)
}

/// `round((adjusted + (10 - adjusted) * CDP) * TD)`.
fn environmental_tenths(metrics: &Metrics, adjusted: i128) -> i128 {
    let damage = i128::from(metrics.weight_or(CDP, 0));
    let targets = i128::from(metrics.weight_or(TD, 100));
    divide_half_up(
        (adjusted * 100 + (100 - adjusted) * damage) * targets,
        10_000,
    )
}
