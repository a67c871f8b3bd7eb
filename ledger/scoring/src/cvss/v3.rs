//! CVSS 3.0 and 3.1 (specification documents, sections 7 and 8; 3.1 appendix A).
//!
//! Weights are hundredths, as printed.

use super::CvssScores;
use super::decimal::{Ceiling, UNIT, divide_half_up, divide_up, scaled_power};
use super::score::clamped;
use super::vector::{Grammar, Metrics, mandatory, optional, v};

/// 3.0 and 3.1 differ in rounding and in the modified impact's power term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    V3_0,
    V3_1,
}

const AV: usize = 0;
const AC: usize = 1;
const PR: usize = 2;
const UI: usize = 3;
const S: usize = 4;
const IMPACTS: [usize; 3] = [5, 6, 7];
const TEMPORAL: [usize; 3] = [8, 9, 10];
const REQUIREMENTS: [usize; 3] = [11, 12, 13];
const MAV: usize = 14;
const MAC: usize = 15;
const MPR: usize = 16;
const MUI: usize = 17;
const MS: usize = 18;
const MODIFIED_IMPACTS: [usize; 3] = [19, 20, 21];

pub(super) const GRAMMAR: Grammar = Grammar {
    metrics: &[
        mandatory("AV", &[v("N", 85), v("A", 62), v("L", 55), v("P", 20)]),
        mandatory("AC", &[v("L", 77), v("H", 44)]),
        mandatory("PR", &[v("N", 85), v("L", 62), v("H", 27)]),
        mandatory("UI", &[v("N", 85), v("R", 62)]),
        mandatory("S", &[v("U", 0), v("C", 0)]),
        mandatory("C", &[v("H", 56), v("L", 22), v("N", 0)]),
        mandatory("I", &[v("H", 56), v("L", 22), v("N", 0)]),
        mandatory("A", &[v("H", 56), v("L", 22), v("N", 0)]),
        optional(
            "E",
            &[v("X", 100), v("H", 100), v("F", 97), v("P", 94), v("U", 91)],
        ),
        optional(
            "RL",
            &[v("X", 100), v("U", 100), v("W", 97), v("T", 96), v("O", 95)],
        ),
        optional("RC", &[v("X", 100), v("C", 100), v("R", 96), v("U", 92)]),
        optional("CR", &[v("X", 100), v("H", 150), v("M", 100), v("L", 50)]),
        optional("IR", &[v("X", 100), v("H", 150), v("M", 100), v("L", 50)]),
        optional("AR", &[v("X", 100), v("H", 150), v("M", 100), v("L", 50)]),
        optional(
            "MAV",
            &[v("X", 0), v("N", 85), v("A", 62), v("L", 55), v("P", 20)],
        ),
        optional("MAC", &[v("X", 0), v("L", 77), v("H", 44)]),
        optional("MPR", &[v("X", 0), v("N", 85), v("L", 62), v("H", 27)]),
        optional("MUI", &[v("X", 0), v("N", 85), v("R", 62)]),
        optional("MS", &[v("X", 0), v("U", 0), v("C", 0)]),
        optional("MC", &[v("X", 0), v("H", 56), v("L", 22), v("N", 0)]),
        optional("MI", &[v("X", 0), v("H", 56), v("L", 22), v("N", 0)]),
        optional("MA", &[v("X", 0), v("H", 56), v("L", 22), v("N", 0)]),
    ],
    ordered: false,
};

/// The three scores of a vector (sections 7.1-7.3 in 3.1, 8.1-8.3 in 3.0).
pub(super) fn scores(metrics: &Metrics, revision: Revision) -> CvssScores {
    let base = rounded(&base_terms(metrics), revision);
    let temporal = temporal_tenths(metrics, base, revision);
    let modified = rounded(&modified_terms(metrics, revision), revision);
    let environmental = temporal_tenths(metrics, modified, revision);
    let overall = if metrics.any_defined(11..22) {
        environmental
    } else if metrics.any_defined(8..11) {
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

/// What the impact and exploitability equations need, from base or modified metrics.
struct Terms {
    changed: bool,
    /// ISS or MISS in millionths.
    impact_subscore: i128,
    /// AV x AC x PR x UI in 10^-8.
    exploitability: i128,
    power: Power,
}

/// The power term of a changed scope: `3.25 * (base / 10^decimals)^exponent`.
struct Power {
    base: i128,
    decimals: u32,
    exponent: u32,
}

fn base_terms(metrics: &Metrics) -> Terms {
    let changed = metrics.text(S) == "C";
    let subscore = impact_subscore(metrics, IMPACTS, [100; 3]);
    Terms {
        changed,
        impact_subscore: subscore,
        exploitability: exploitability(metrics, [AV, AC, PR, UI], changed),
        power: plain_power(subscore),
    }
}

fn modified_terms(metrics: &Metrics, revision: Revision) -> Terms {
    let changed = metrics.text(metrics.effective(S, MS)) == "C";
    let mut impacts = IMPACTS;
    for (place, modified) in impacts.iter_mut().zip(MODIFIED_IMPACTS) {
        *place = metrics.effective(*place, modified);
    }
    let requirements = REQUIREMENTS.map(|place| i128::from(metrics.weight_or(place, 100)));
    let subscore = impact_subscore(metrics, impacts, requirements).min(915_000);
    let places = [
        metrics.effective(AV, MAV),
        metrics.effective(AC, MAC),
        metrics.effective(PR, MPR),
        metrics.effective(UI, MUI),
    ];
    Terms {
        changed,
        impact_subscore: subscore,
        exploitability: exploitability(metrics, places, changed),
        power: match revision {
            Revision::V3_0 => plain_power(subscore),
            // (MISS * 0.9731 - 0.02)^13, ten decimals.
            Revision::V3_1 => Power {
                base: subscore * 9731 - 200_000_000,
                decimals: 10,
                exponent: 13,
            },
        },
    }
}

/// (ISS - 0.02)^15, six decimals.
fn plain_power(subscore: i128) -> Power {
    Power {
        base: subscore - 20_000,
        decimals: 6,
        exponent: 15,
    }
}

/// `1 - product of (1 - impact * requirement)`, in millionths (requirements are tenths in truth:
/// 1.5, 1, 0.5, so every product of two has two decimals and nothing is cut off).
fn impact_subscore(metrics: &Metrics, impacts: [usize; 3], requirements: [i128; 3]) -> i128 {
    let spared = (impacts.iter().zip(requirements))
        .map(|(place, requirement)| {
            100 - i128::from(metrics.weight_or(*place, 0)) * requirement / 100
        })
        .product::<i128>();
    1_000_000 - spared
}

fn exploitability(metrics: &Metrics, [av, ac, pr, ui]: [usize; 4], changed: bool) -> i128 {
    let weight = |place| i128::from(metrics.weight_or(place, 0));
    let privileges = match (metrics.text(pr), changed) {
        ("L", true) => 68,
        ("H", true) => 50,
        _ => weight(pr),
    };
    weight(av) * weight(ac) * privileges * weight(ui)
}

/// The score before temporal factors, in tenths.
fn rounded(terms: &Terms, revision: Revision) -> i128 {
    if terms.impact_subscore <= 0 {
        return 0;
    }
    let exploitability = 822 * terms.exploitability * (UNIT / 10_i128.pow(10));
    if !terms.changed {
        let impact = 642 * terms.impact_subscore * (UNIT / 10_i128.pow(8));
        return round_up(impact + exploitability, true, revision);
    }
    let linear = 752 * (terms.impact_subscore - 29_000) * (UNIT / 10_i128.pow(8));
    let power = power_term(&terms.power);
    // Everything times 1.08, the power term included, so that it is cut off only once.
    let floor = (linear + exploitability) / 100 * 108 - power.value;
    round_up(floor, power.exact, revision)
}

/// `1.08 * 3.25 * power` in units of 10^-12, rounded up.
fn power_term(power: &Power) -> Ceiling {
    match u64::try_from(power.base) {
        // 3.51 = 351 / 10^2, and 10^12 units: ten decimals fewer to cut off.
        Ok(base) => scaled_power(
            base,
            power.exponent,
            351,
            power.decimals * power.exponent - 10,
        ),
        // A negative base needs a subscore below 0.021, and the least above zero is 0.11.
        Err(_) => Ceiling {
            value: 0,
            exact: true,
        },
    }
}

/// `Roundup(min(value, 10))` in tenths; `value` is the floor in 10^-12 units of the exact value,
/// equal to it when `exact`.
fn round_up(value: i128, exact: bool, revision: Revision) -> i128 {
    let (value, exact) = if value >= 10 * UNIT {
        (10 * UNIT, true)
    } else {
        (value.max(0), exact)
    };
    match revision {
        Revision::V3_0 => divide_up(value + i128::from(!exact), UNIT / 10),
        // Appendix A: to 10^-5 half up, then up to the next tenth.
        Revision::V3_1 => divide_up(divide_half_up(value, UNIT / 100_000), 10_000),
    }
}

/// `Roundup(score * E * RL * RC)`.
fn temporal_tenths(metrics: &Metrics, tenths: i128, revision: Revision) -> i128 {
    let factor = (TEMPORAL.iter())
        .map(|place| i128::from(metrics.weight_or(*place, 100)))
        .product::<i128>();
    round_up(tenths * factor * (UNIT / 10_i128.pow(7)), true, revision)
}
