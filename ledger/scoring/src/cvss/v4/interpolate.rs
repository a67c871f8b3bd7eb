//! MacroVector and interpolation of CVSS 4.0 (specification, sections 8.1 and 8.2).
//!
//! A score is the MacroVector's own, less the mean over the equivalence sets of (how far the
//! vector lies below the set's most severe vector, as a share of the set's depth) times (how far
//! the next lower MacroVector's score lies below). All shares have small denominators, so the
//! mean is an exact fraction.

use super::lookup::MacroVector;
use crate::cvss::decimal::divide_half_up;
use crate::cvss::score::{ZERO, clamped};
use crate::model::ScoreTenths;

/// Severity levels of the effective metrics, 0 the most severe; subsequent system impacts count
/// from 1, 0 being safety.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    /// AV, PR, UI: EQ1.
    pub(super) exploit: [u16; 3],
    /// AC, AT: EQ2.
    pub(super) complexity: [u16; 2],
    /// VC, VI, VA: EQ3, and EQ6 with `required`.
    pub(super) vulnerable: [u16; 3],
    /// SC, SI, SA: EQ4.
    pub(super) subsequent: [u16; 3],
    /// E: EQ5.
    pub(super) maturity: u16,
    /// CR, IR, AR: EQ6.
    pub(super) required: [u16; 3],
}

/// The vector's score.
pub(super) fn score(levels: &Levels) -> ScoreTenths {
    if levels.vulnerable == [2; 3] && levels.subsequent == [3; 3] {
        return ZERO;
    }
    let here = macro_vector(levels);
    let Some(top) = here.score() else {
        return ZERO;
    };
    let lowers = next_lower(here);
    let shares = shares(levels, here);
    let existing = lowers.iter().flatten().count();
    let sum = (lowers.iter().zip(shares))
        .filter_map(|(lower, share)| Some((wide(top) - wide((*lower)?)) * share))
        .sum::<i128>();
    let existing = i128::try_from(existing.max(1)).unwrap_or(1);
    let denominator = COMMON * existing;
    clamped(divide_half_up(wide(top) * denominator - sum, denominator))
}

/// Tenths as the equations' integer.
fn wide(score: ScoreTenths) -> i128 {
    i128::from(score.get())
}

/// Least common multiple of the depths 1, 2, 4, 5, 6, 7, 8, 10.
const COMMON: i128 = 840;

fn macro_vector(levels: &Levels) -> MacroVector {
    let [av, pr, ui] = levels.exploit;
    let [vc, vi, va] = levels.vulnerable;
    let [cr, ir, ar] = levels.required;
    let [sc, si, sa] = levels.subsequent;
    MacroVector {
        eq1: match (av, pr, ui) {
            (0, 0, 0) => 0,
            _ if av != 3 && (av == 0 || pr == 0 || ui == 0) => 1,
            _ => 2,
        },
        eq2: u8::from(levels.complexity != [0, 0]),
        eq3: match (vc, vi, va) {
            (0, 0, _) => 0,
            (0, _, _) | (_, 0, _) | (_, _, 0) => 1,
            _ => 2,
        },
        eq4: match (sc, si, sa) {
            (_, 0, _) | (_, _, 0) => 0,
            (1, _, _) | (_, 1, _) | (_, _, 1) => 1,
            _ => 2,
        },
        eq5: u8::try_from(levels.maturity).unwrap_or(2),
        eq6: u8::from(![(cr, vc), (ir, vi), (ar, va)].contains(&(0, 0))),
    }
}

/// Scores of the next lower MacroVector in EQ1, EQ2, EQ3 with EQ6, EQ4 and EQ5.
fn next_lower(here: MacroVector) -> [Option<ScoreTenths>; 5] {
    let eq3 = MacroVector {
        eq3: here.eq3 + 1,
        ..here
    };
    let eq6 = MacroVector {
        eq6: here.eq6 + 1,
        ..here
    };
    let joint = match (here.eq3, here.eq6) {
        (0, 0) => eq6.score().max(eq3.score()),
        (1, 0) => eq6.score(),
        _ => eq3.score(),
    };
    [
        MacroVector {
            eq1: here.eq1 + 1,
            ..here
        }
        .score(),
        MacroVector {
            eq2: here.eq2 + 1,
            ..here
        }
        .score(),
        joint,
        MacroVector {
            eq4: here.eq4 + 1,
            ..here
        }
        .score(),
        MacroVector {
            eq5: here.eq5 + 1,
            ..here
        }
        .score(),
    ]
}

/// How far the vector lies below the most severe vector of each set, as a share of the set's
/// depth, in 1/[`COMMON`]. EQ5 has one vector in each level, so its share is 0.
fn shares(levels: &Levels, here: MacroVector) -> [i128; 5] {
    let [vc, vi, va] = levels.vulnerable;
    let [cr, ir, ar] = levels.required;
    let impact = [vc, vi, va, cr, ir, ar];
    let share = |distance: u16, depth: i128| i128::from(distance) * COMMON / depth;
    let eq1 = distance(levels.exploit, eq1_tops(here.eq1));
    let eq2 = distance(levels.complexity, eq2_tops(here.eq2));
    let eq3 = distance(impact, eq3_eq6_tops(here.eq3, here.eq6));
    let eq4 = distance(levels.subsequent, eq4_tops(here.eq4));
    [
        share(
            eq1,
            match here.eq1 {
                0 => 1,
                1 => 4,
                _ => 5,
            },
        ),
        share(
            eq2,
            match here.eq2 {
                0 => 1,
                _ => 2,
            },
        ),
        share(
            eq3,
            match (here.eq3, here.eq6) {
                (0, 0) => 7,
                (0, _) => 6,
                (1, _) => 8,
                _ => 10,
            },
        ),
        share(
            eq4,
            match here.eq4 {
                0 => 6,
                1 => 5,
                _ => 4,
            },
        ),
        0,
    ]
}

/// Steps from the first of `tops` that is nowhere less severe than `levels`.
fn distance<const N: usize>(levels: [u16; N], tops: &[[u16; N]]) -> u16 {
    tops.iter()
        .find_map(|top| {
            let mut steps = 0;
            for (level, top) in levels.iter().zip(top) {
                steps += level.checked_sub(*top)?;
            }
            Some(steps)
        })
        .unwrap_or(0)
}

/// Most severe AV, PR, UI of each level of EQ1, in the order of the specification's table 24.
const fn eq1_tops(level: u8) -> &'static [[u16; 3]] {
    match level {
        0 => &[[0, 0, 0]],
        1 => &[[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        _ => &[[3, 0, 0], [1, 1, 1]],
    }
}

/// Most severe AC, AT of each level of EQ2.
const fn eq2_tops(level: u8) -> &'static [[u16; 2]] {
    match level {
        0 => &[[0, 0]],
        _ => &[[1, 0], [0, 1]],
    }
}

/// Most severe SC, SI, SA of each level of EQ4.
const fn eq4_tops(level: u8) -> &'static [[u16; 3]] {
    match level {
        0 => &[[1, 0, 0]],
        1 => &[[1, 1, 1]],
        _ => &[[2, 2, 2]],
    }
}

/// Most severe VC, VI, VA, CR, IR, AR of each joint level of EQ3 and EQ6.
const fn eq3_eq6_tops(eq3: u8, eq6: u8) -> &'static [[u16; 6]] {
    match (eq3, eq6) {
        (0, 0) => &[[0, 0, 0, 0, 0, 0]],
        (0, _) => &[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]],
        (1, 0) => &[[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]],
        (1, _) => &[
            [1, 0, 1, 0, 1, 0],
            [1, 0, 0, 0, 1, 1],
            [0, 1, 0, 1, 0, 1],
            [0, 1, 1, 1, 0, 0],
            [1, 1, 0, 0, 0, 1],
        ],
        _ => &[[1, 1, 1, 0, 0, 0]],
    }
}
