//! Exact fractions, and the one place where an amount is rounded.

use stella_verify::units::BasisPoints;

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

/// The exact result does not fit 127 bits. Only a policy that multiplies many unrelated fractions
/// gets here; it is refused rather than computed roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount's exact fraction is too large; multiply fewer amounts in one rule")]
pub struct RatioOverflow;

impl Ratio {
    /// 0.
    pub const ZERO: Self = Self::whole(0);
    /// 1.
    pub const ONE: Self = Self::whole(1);

    /// An integer.
    #[must_use]
    pub const fn whole(value: i64) -> Self {
        Self {
            // `From` is not const; the cast widens.
            numerator: value as i128,
            denominator: 1,
        }
    }

    /// `numerator / denominator`; a denominator of 0 counts as overflow.
    ///
    /// # Errors
    /// [`RatioOverflow`].
    pub fn new(numerator: i128, denominator: i128) -> Result<Self, RatioOverflow> {
        if denominator == 0 {
            return Err(RatioOverflow);
        }
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).map_err(|_| RatioOverflow)?;
        let sign = denominator.signum();
        Ok(Self {
            numerator: (numerator / divisor)
                .checked_mul(sign)
                .ok_or(RatioOverflow)?,
            denominator: (denominator / divisor)
                .checked_mul(sign)
                .ok_or(RatioOverflow)?,
        })
    }

    /// The sum.
    ///
    /// # Errors
    /// [`RatioOverflow`].
    pub fn plus(self, other: Self) -> Result<Self, RatioOverflow> {
        let left = self.numerator.checked_mul(other.denominator);
        let right = other.numerator.checked_mul(self.denominator);
        let sum = left
            .zip(right)
            .and_then(|(left, right)| left.checked_add(right));
        let denominator = self.denominator.checked_mul(other.denominator);
        let (sum, denominator) = sum.zip(denominator).ok_or(RatioOverflow)?;
        Self::new(sum, denominator)
    }

    /// The product.
    ///
    /// # Errors
    /// [`RatioOverflow`].
    pub fn times(self, other: Self) -> Result<Self, RatioOverflow> {
        // Crosswise first, so that only what cannot be cancelled is multiplied.
        let left = Self::new(self.numerator, other.denominator)?;
        let right = Self::new(other.numerator, self.denominator)?;
        let numerator = left.numerator.checked_mul(right.numerator);
        let denominator = left.denominator.checked_mul(right.denominator);
        let (numerator, denominator) = numerator.zip(denominator).ok_or(RatioOverflow)?;
        Self::new(numerator, denominator)
    }

    /// Order of the values.
    ///
    /// # Errors
    /// [`RatioOverflow`].
    pub fn compare(self, other: Self) -> Result<std::cmp::Ordering, RatioOverflow> {
        let difference = self.plus(Self {
            numerator: other.numerator.checked_neg().ok_or(RatioOverflow)?,
            denominator: other.denominator,
        })?;
        Ok(difference.numerator.cmp(&0))
    }

    /// **The** rounding of the system: to a whole basis point, half up (toward the higher score).
    /// Every amount that moves a total passes here exactly once.
    ///
    /// # Errors
    /// [`RatioOverflow`] when the result is no amount.
    pub fn round_half_up(self) -> Result<BasisPoints, RatioOverflow> {
        let doubled = self.numerator.checked_mul(2).ok_or(RatioOverflow)?;
        let raised = doubled.checked_add(self.denominator).ok_or(RatioOverflow)?;
        let divisor = self.denominator.checked_mul(2).ok_or(RatioOverflow)?;
        let rounded = i64::try_from(raised.div_euclid(divisor)).map_err(|_| RatioOverflow)?;
        Ok(BasisPoints::new(rounded))
    }

    /// The integer, when the value is one.
    #[must_use]
    pub fn as_whole(self) -> Option<i64> {
        let whole = (self.denominator == 1).then_some(self.numerator)?;
        i64::try_from(whole).ok()
    }

    /// `17` or `17/2`, as nodes show it.
    #[must_use]
    pub fn text(self) -> String {
        if self.denominator == 1 {
            self.numerator.to_string()
        } else {
            format!("{}/{}", self.numerator, self.denominator)
        }
    }
}

impl From<BasisPoints> for Ratio {
    fn from(amount: BasisPoints) -> Self {
        Self::whole(amount.get())
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(numerator: i128, denominator: i128) -> i64 {
        let ratio = Ratio::new(numerator, denominator).unwrap();
        ratio.round_half_up().unwrap().get()
    }

    #[test]
    fn halves_go_up() {
        for (numerator, denominator, expected) in [
            (1, 2, 1),
            (-1, 2, 0),
            (3, 2, 2),
            (-3, 2, -1),
            (5, 3, 2),
            (4, 3, 1),
            (-5, 3, -2),
            (7, -2, -3),
        ] {
            assert_eq!(
                rounded(numerator, denominator),
                expected,
                "{numerator}/{denominator}"
            );
        }
    }

    #[test]
    fn what_cannot_be_exact_is_refused() {
        let huge = Ratio::new(i128::MAX, 1).unwrap();
        assert_eq!(huge.times(huge), Err(RatioOverflow));
        assert_eq!(huge.plus(huge), Err(RatioOverflow));
        assert_eq!(Ratio::new(1, 0), Err(RatioOverflow));
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_integers(a in -1000i128..1000, b in 1i128..50, c in -1000i128..1000, d in 1i128..50) {
            let (x, y) = (Ratio::new(a, b).unwrap(), Ratio::new(c, d).unwrap());
            prop_assert_eq!(x.plus(y).unwrap(), Ratio::new(a * d + c * b, b * d).unwrap());
            prop_assert_eq!(x.times(y).unwrap(), Ratio::new(a * c, b * d).unwrap());
            prop_assert_eq!(x.compare(y).unwrap(), (a * d).cmp(&(c * b)));
        }
    }
}
