//! Numbers with a canonical form: safe integers, and finite doubles in ECMAScript's spelling.

use alloc::vec::Vec;

/// Largest magnitude at which every reader agrees on every integer: 2^53-1 (RFC 7493 2.2).
pub const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The number is beyond 2^53-1 in magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("integer beyond 2^53-1 in magnitude cannot stand in canonical JSON")]
pub struct UnsafeInteger;

/// An integer between -(2^53-1) and 2^53-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeInteger(i64);

impl SafeInteger {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Checks the range.
    ///
    /// # Errors
    /// [`UnsafeInteger`] beyond 2^53-1 in magnitude.
    pub const fn new(value: i64) -> Result<Self, UnsafeInteger> {
        if value.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() {
            Ok(Self(value))
        } else {
            Err(UnsafeInteger)
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let mut digits = [0u8; 20];
        let mut left = self.0.unsigned_abs();
        let mut used = 0;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + u8::try_from(left % 10).unwrap_or_default();
            left /= 10;
            used += 1;
            if left == 0 {
                break;
            }
        }
        if self.0 < 0 {
            out.push(b'-');
        }
        out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
    }
}

impl TryFrom<i64> for SafeInteger {
    type Error = UnsafeInteger;
    fn try_from(value: i64) -> Result<Self, UnsafeInteger> {
        Self::new(value)
    }
}

impl TryFrom<u64> for SafeInteger {
    type Error = UnsafeInteger;
    fn try_from(value: u64) -> Result<Self, UnsafeInteger> {
        Self::new(i64::try_from(value).map_err(|_| UnsafeInteger)?)
    }
}

impl From<u32> for SafeInteger {
    fn from(value: u32) -> Self {
        Self(i64::from(value))
    }
}

impl From<i32> for SafeInteger {
    fn from(value: i32) -> Self {
        Self(i64::from(value))
    }
}

/// A finite double as it was read: it never takes part in arithmetic, only in writing.
#[derive(Debug, Clone, Copy)]
pub struct Double(f64);

impl Double {
    /// Accepts every finite value.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// ECMA-262 `Number::toString` with radix 10 (RFC 8785 3.2.2.3).
    ///
    /// Not the standard library's digits: between two equally short and equally close spellings
    /// ECMAScript takes the even one, `{:e}` the upper one (1424953923781206.25 is such a tie).
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(self.0).as_bytes());
    }
}

impl PartialEq for Double {
    /// Same bits; a finite double has no other notion of sameness that hashing could use.
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Double {}
