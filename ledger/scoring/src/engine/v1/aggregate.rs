//! Aggregation: contributors' totals become one total, and each contributor's share of it is exact.

use super::EngineError;
use super::node::{minus, plus};
use crate::policy::{Aggregation, MAX_TOTAL, Ratio, RatioOverflow};
use stella_verify::units::BasisPoints;

/// What each of `totals` adds. They stand from the greatest to the least, ties by least id; the
/// results stand in the same order and add up to the aggregate.
pub(super) fn deltas(
    method: &Aggregation,
    totals: &[BasisPoints],
) -> Result<Vec<BasisPoints>, EngineError> {
    let deltas = match method {
        Aggregation::Max => Ok(max(totals)),
        Aggregation::WeightedSum { bands, cap } => weighted_sum(bands, *cap, totals),
        Aggregation::Spread { share } => spread(*share, totals),
    };
    deltas.map_err(|problem| EngineError::Amount {
        rule: method.name().into(),
        problem,
    })
}

/// The greatest gives all of it.
fn max(totals: &[BasisPoints]) -> Vec<BasisPoints> {
    (totals.iter().enumerate())
        .map(|(place, total)| {
            if place == 0 {
                *total
            } else {
                BasisPoints::ZERO
            }
        })
        .collect()
}

/// Exact parts `total x weight`, the sum rounded once and capped, then shared out in proportion to
/// the parts by largest remainder (ties to the earlier contributor).
fn weighted_sum(
    bands: &[(BasisPoints, BasisPoints)],
    cap: BasisPoints,
    totals: &[BasisPoints],
) -> Result<Vec<BasisPoints>, RatioOverflow> {
    let weight = |total: &BasisPoints| {
        let band = bands.iter().find(|(from, _)| total >= from);
        band.map_or(0, |(_, weight)| i128::from(weight.get()))
    };
    // Parts in 1/10000 of a basis point: at most 10^6 x 10^4 each, and at most 10^6 contributors.
    let parts: Vec<i128> = (totals.iter())
        .map(|total| i128::from(total.get()) * weight(total))
        .collect();
    let exact: i128 = parts.iter().sum();
    let unit = i128::from(MAX_TOTAL.get());
    let sum = Ratio::new(exact, unit)?.round_half_up()?;
    let target = i128::from(sum.get().min(cap.get()));
    if exact <= 0 {
        return Ok(vec![BasisPoints::ZERO; totals.len()]);
    }
    let mut shares: Vec<(i128, i128)> = (parts.iter())
        .map(|part| {
            (
                (part * target).div_euclid(exact),
                (part * target).rem_euclid(exact),
            )
        })
        .collect();
    let given: i128 = shares.iter().map(|(whole, _)| whole).sum();
    let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
    by_remainder.sort_by_key(|place| {
        let remainder = shares.get(*place).map_or(0, |(_, remainder)| *remainder);
        (std::cmp::Reverse(remainder), *place)
    });
    let left = usize::try_from(target - given).map_err(|_| RatioOverflow)?;
    for place in by_remainder.into_iter().take(left) {
        if let Some((whole, _)) = shares.get_mut(place) {
            *whole += 1;
        }
    }
    (shares.into_iter())
        .map(|(whole, _)| {
            i64::try_from(whole)
                .map(BasisPoints::new)
                .map_err(|_| RatioOverflow)
        })
        .collect()
}

/// The first whole; each further one fills `share` of its part of what is left to 10000.
fn spread(share: BasisPoints, totals: &[BasisPoints]) -> Result<Vec<BasisPoints>, RatioOverflow> {
    let mut sum = BasisPoints::ZERO;
    let mut deltas = Vec::with_capacity(totals.len());
    for (place, total) in totals.iter().enumerate() {
        let delta = if place == 0 {
            *total
        } else {
            let left = i128::from(minus(MAX_TOTAL, sum).get());
            let part = i128::from(total.get()) * i128::from(share.get()) * left;
            let unit = i128::from(MAX_TOTAL.get());
            Ratio::new(part, unit * unit)?.round_half_up()?
        };
        sum = plus(sum, delta);
        deltas.push(delta);
    }
    Ok(deltas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: &[i64]) -> Vec<BasisPoints> {
        values.iter().copied().map(BasisPoints::new).collect()
    }

    fn sum(values: &[BasisPoints]) -> i64 {
        values.iter().map(|value| value.get()).sum()
    }

    fn banded() -> Aggregation {
        Aggregation::WeightedSum {
            bands: vec![
                (BasisPoints::new(9000), BasisPoints::new(5000)),
                (BasisPoints::new(4000), BasisPoints::new(1000)),
            ],
            cap: MAX_TOTAL,
        }
    }

    #[test]
    fn max_gives_everything_to_the_first() {
        let got = deltas(&Aggregation::Max, &points(&[700, 700, 3])).unwrap();
        assert_eq!(got, points(&[700, 0, 0]));
        assert!(deltas(&Aggregation::Max, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_weighted_sum_is_shared_out_without_a_remainder() {
        // 9500 x 0.5 + 4005 x 0.1 + 4003 x 0.1 = 4750 + 400.5 + 400.3 = 5550.8, rounded 5551.
        let got = deltas(&banded(), &points(&[9500, 4005, 4003, 3999])).unwrap();
        assert_eq!(sum(&got), 5551);
        assert_eq!(got, points(&[4750, 401, 400, 0]));
    }

    #[test]
    fn a_spread_fills_what_is_left() {
        let method = Aggregation::Spread {
            share: BasisPoints::new(1000),
        };
        // 9000; 0.8 x 0.1 x 1000 = 80; 0.5 x 0.1 x 920 = 46.
        let got = deltas(&method, &points(&[9000, 8000, 5000])).unwrap();
        assert_eq!(got, points(&[9000, 80, 46]));
    }

    proptest! {
        #[test]
        fn an_aggregate_stays_in_range_and_no_contributor_takes_away(
            mut totals in proptest::collection::vec(0i64..=10_000, 0..60),
            share in 0i64..=10_000,
        ) {
            totals.sort_unstable_by(|a, b| b.cmp(a));
            let share = BasisPoints::new(share);
            for method in [Aggregation::Max, banded(), Aggregation::Spread { share }] {
                let got = deltas(&method, &points(&totals)).unwrap();
                prop_assert_eq!(got.len(), totals.len());
                prop_assert!(got.iter().all(|delta| delta.get() >= 0));
                prop_assert!(sum(&got) <= 10_000, "{:?} {}", method, sum(&got));
            }
        }
    }
}
