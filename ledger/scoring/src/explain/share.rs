//! Sharing a component's contribution out among its findings, exactly.

use stella_verify::units::BasisPoints;

/// Parts of `whole` in proportion to `weights` (none negative), by largest remainder, ties to the
/// earlier. When nothing weighs, the first takes it all. They add up to `whole`.
pub(super) fn shares(whole: BasisPoints, weights: &[BasisPoints]) -> Vec<BasisPoints> {
    let target = i128::from(whole.get());
    let sum: i128 = weights
        .iter()
        .map(|weight| i128::from(weight.get().max(0)))
        .sum();
    let mut parts: Vec<(i128, i128)> = (weights.iter())
        .map(|weight| i128::from(weight.get().max(0)) * target)
        .map(|part| match sum {
            0 => (0, 0),
            _ => (part.div_euclid(sum), part.rem_euclid(sum)),
        })
        .collect();
    let given: i128 = parts.iter().map(|(part, _)| part).sum();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|place| {
        let remainder = parts.get(*place).map_or(0, |(_, remainder)| *remainder);
        (std::cmp::Reverse(remainder), *place)
    });
    let mut left = target - given;
    if sum == 0 {
        if let Some((part, _)) = parts.first_mut() {
            *part += left;
        }
        left = 0;
    }
    for place in order {
        if left <= 0 {
            break;
        }
        if let Some((part, _)) = parts.get_mut(place) {
            *part += 1;
            left -= 1;
        }
    }
    (parts.into_iter())
        .map(|(part, _)| BasisPoints::new(i64::try_from(part).unwrap_or(0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: &[i64]) -> Vec<BasisPoints> {
        values.iter().copied().map(BasisPoints::new).collect()
    }

    #[test]
    fn a_share_is_proportional_and_nothing_is_lost() {
        assert_eq!(
            shares(BasisPoints::new(10), &points(&[1, 1, 1])),
            points(&[4, 3, 3])
        );
        assert_eq!(
            shares(BasisPoints::new(10), &points(&[0, 0])),
            points(&[10, 0])
        );
        assert_eq!(
            shares(BasisPoints::new(7), &points(&[9000, 0])),
            points(&[7, 0])
        );
        assert!(shares(BasisPoints::new(7), &[]).is_empty());
    }

    proptest! {
        #[test]
        fn shares_add_up(whole in 0i64..=10_000, weights in proptest::collection::vec(0i64..=10_000, 1..40)) {
            let got = shares(BasisPoints::new(whole), &points(&weights));
            prop_assert_eq!(got.iter().map(|part| part.get()).sum::<i64>(), whole);
            prop_assert!(got.iter().all(|part| part.get() >= 0));
        }
    }
}
