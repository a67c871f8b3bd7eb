//! Exact decimals for the equations: fixed point, and one power that needs 512 bits.

/// 10^12: the fixed point of the v3 equations. Base, exploitability and the linear part of the
/// impact have at most 12 decimals, so only the power term is ever cut off.
pub(super) const UNIT: i128 = 1_000_000_000_000;

/// `factor * base^exponent / 10^decimals`, rounded up to an integer, and whether that was exact.
///
/// Callers keep `factor * base^exponent` below 2^512: the largest is 351 * (10^10)^13 < 2^441.
pub(super) fn scaled_power(base: u64, exponent: u32, factor: u64, decimals: u32) -> Ceiling {
    let mut wide = Wide::one();
    wide.multiply(factor);
    for _ in 0..exponent {
        wide.multiply(base);
    }
    let mut exact = true;
    let mut left = decimals;
    while left > 0 {
        let step = left.min(19);
        exact &= wide.divide(10u64.pow(step)) == 0;
        left -= step;
    }
    let value = wide.low() + i128::from(!exact);
    Ceiling { value, exact }
}

/// A number rounded up to the next integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ceiling {
    pub(super) value: i128,
    pub(super) exact: bool,
}

/// Half-up division of a non-negative number.
pub(super) fn divide_half_up(value: i128, by: i128) -> i128 {
    (value + by / 2).div_euclid(by)
}

/// Ceiling division of a non-negative number.
pub(super) fn divide_up(value: i128, by: i128) -> i128 {
    (value + by - 1).div_euclid(by)
}

/// An unsigned integer of 512 bits, least significant limb first.
struct Wide([u64; 8]);

impl Wide {
    fn one() -> Self {
        let mut limbs = [0; 8];
        limbs[0] = 1;
        Self(limbs)
    }

    /// Multiplies in place; the caller's bound keeps the last carry at 0.
    fn multiply(&mut self, by: u64) {
        let mut carry = 0u128;
        for limb in &mut self.0 {
            let product = u128::from(*limb) * u128::from(by) + carry;
            *limb = low_half(product);
            carry = product >> 64;
        }
    }

    /// Divides in place and returns the remainder.
    fn divide(&mut self, by: u64) -> u64 {
        let mut remainder = 0u128;
        for limb in self.0.iter_mut().rev() {
            let part = (remainder << 64) | u128::from(*limb);
            *limb = low_half(part / u128::from(by));
            remainder = part % u128::from(by);
        }
        low_half(remainder)
    }

    /// The low 127 bits; all that the equations leave after dividing.
    fn low(&self) -> i128 {
        let [low, high, ..] = self.0;
        i128::from(high & (u64::MAX >> 1)) << 64 | i128::from(low)
    }
}

fn low_half(value: u128) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low limb is what is wanted"
    )]
    let low = value as u64;
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_agree_with_small_integers() {
        for (base, exponent, factor, decimals) in [
            (2, 10, 1, 0),
            (12, 5, 7, 3),
            (10, 12, 3, 12),
            (999, 3, 351, 4),
        ] {
            let full = u128::from(factor) * u128::from(base).pow(exponent);
            let unit = 10u128.pow(decimals);
            let got = scaled_power(base, exponent, factor, decimals);
            assert_eq!(got.value, i128::try_from(full.div_ceil(unit)).unwrap());
            assert_eq!(got.exact, full % unit == 0);
        }
    }

    #[test]
    fn the_widest_power_fits() {
        // 10^130 * 351 / 10^130.
        let got = scaled_power(10_000_000_000, 13, 351, 130);
        assert_eq!((got.value, got.exact), (351, true));
    }
}
