//! A histogram with fixed classic buckets and Prometheus' native ones, in atomic integers.
//!
//! Native buckets of schema 3: bucket `i` holds values in `(2^((i-1)/8), 2^(i/8)]`.

use super::number::float;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The schema: buckets grow by the factor 2^(1/8), about 9 %.
pub(crate) const SCHEMA: i32 = 3;

/// Native buckets to a doubling.
const PER_OCTAVE: i32 = 8;

/// Lower halves of an octave's bucket bounds: `2^(i/8 - 1)`.
const FRACTIONS: [f64; 8] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    std::f64::consts::FRAC_1_SQRT_2,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_5,
    0.917_004_043_204_671_2,
];

/// What a histogram measures: the unit of its integers, its buckets.
#[derive(Debug)]
pub(crate) struct Shape {
    /// How many of the integers that are observed make one of the unit that is shown.
    per_unit: u64,
    /// Upper bounds of the classic buckets, in the unit that is shown.
    pub(crate) bounds: &'static [f64],
    /// Values up to two to this power are one native bucket, "zero".
    low: i32,
    /// Values above two to this power count in the last native bucket.
    high: i32,
}

/// Durations: observed in nanoseconds, shown in seconds; from a microsecond to about an hour.
pub(crate) const SECONDS: Shape = Shape {
    per_unit: 1_000_000_000,
    bounds: &[
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
        2.5, 5.0, 10.0, 30.0, 60.0,
    ],
    low: -20,
    high: 12,
};

/// Sizes in bytes, from one kibibyte to the runbook's 100 MB and beyond.
pub(crate) const BYTES: Shape = Shape {
    per_unit: 1,
    bounds: &[
        1024.0,
        4096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
        16_777_216.0,
        100_000_000.0,
        1_000_000_000.0,
    ],
    low: 0,
    high: 40,
};

/// Numbers of things.
pub(crate) const COUNT: Shape = Shape {
    per_unit: 1,
    bounds: &[
        1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0,
    ],
    low: -1,
    high: 24,
};

/// Observations by size.
#[derive(Debug)]
pub(crate) struct Histogram {
    shape: &'static Shape,
    classic: Box<[AtomicU64]>,
    native: Box<[AtomicU64]>,
    zero: AtomicU64,
    /// In the observed integers.
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// Upper bound and cumulative count; the bucket without bound is `count`.
    pub(crate) classic: Vec<(f64, u64)>,
    /// Index and count of the native buckets that are not empty, ascending.
    pub(crate) native: Vec<(i32, u64)>,
    pub(crate) zero: u64,
    pub(crate) zero_threshold: f64,
}

impl Histogram {
    pub(crate) fn new(shape: &'static Shape) -> Self {
        let zeros = |n: usize| (0..n).map(|_| AtomicU64::new(0)).collect();
        let octaves = usize::try_from(shape.high - shape.low).unwrap_or(0);
        Self {
            shape,
            classic: zeros(shape.bounds.len()),
            native: zeros(octaves * 8),
            zero: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts one observation, given in the shape's integers.
    pub(crate) fn observe(&self, raw: u64) {
        let value = float(raw) / float(self.shape.per_unit);
        let add = |cell: &AtomicU64, n| cell.fetch_add(n, Ordering::Relaxed);
        add(&self.sum, raw);
        let place = self.shape.bounds.partition_point(|bound| *bound < value);
        if let Some(cell) = self.classic.get(place) {
            add(cell, 1);
        }
        // The native cells are the count: every observation is in exactly one of them.
        match native_place(value, self.shape.low, self.native.len()) {
            Some(place) => self.native.get(place).map(|cell| add(cell, 1)),
            None => Some(add(&self.zero, 1)),
        };
    }

    /// Counts a duration in a histogram of [`SECONDS`].
    pub(crate) fn observe_duration(&self, took: Duration) {
        self.observe(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let get = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let first = first_index(self.shape.low);
        let native: Vec<_> = (first..)
            .zip(self.native.iter().map(get))
            .filter(|(_, count)| *count > 0)
            .collect();
        let zero = get(&self.zero);
        let count = zero + native.iter().map(|(_, count)| count).sum::<u64>();
        let mut below = 0;
        let cumulated = self.classic.iter().map(|cell| {
            below += get(cell);
            // Cells are read one after the other: never more below a bound than there are.
            below.min(count)
        });
        Snapshot {
            count,
            sum: float(get(&self.sum)) / float(self.shape.per_unit),
            classic: self.shape.bounds.iter().copied().zip(cumulated).collect(),
            native,
            zero,
            zero_threshold: f64::from(self.shape.low).exp2(),
        }
    }
}

/// Index of the first native bucket above two to the power of `low`.
const fn first_index(low: i32) -> i32 {
    low * PER_OCTAVE + 1
}

/// Which cell counts a value; `None`: the zero bucket.
fn native_place(value: f64, low: i32, cells: usize) -> Option<usize> {
    if value <= f64::from(low).exp2() {
        return None;
    }
    let place = usize::try_from(native_index(value) - first_index(low)).ok()?;
    Some(place.min(cells.saturating_sub(1)))
}

/// The bucket of a positive, normal float.
fn native_index(value: f64) -> i32 {
    const EXPONENT: u64 = 0x7ff << 52;
    let bits = value.to_bits();
    let exponent = i32::try_from((bits & EXPONENT) >> 52).unwrap_or(0) - 1022;
    // The same digits, in [0.5, 1).
    let fraction = f64::from_bits(bits & !EXPONENT | 1022 << 52);
    let place = FRACTIONS.partition_point(|bound| *bound < fraction);
    i32::try_from(place).unwrap_or(0) + (exponent - 1) * PER_OCTAVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_buckets_are_those_of_prometheus() {
        // Bucket i is (2^((i-1)/8), 2^(i/8)].
        for (value, index) in [
            (1.0, 0),
            (1.000_001, 1),
            (1.09, 1),
            (1.1, 2),
            (2.0, 8),
            (2.1, 9),
        ] {
            assert_eq!(native_index(value), index, "{value}");
        }
        for (value, index) in [(0.5, -8), (0.75, -3), (1024.0, 80), (0.001, -79)] {
            assert_eq!(native_index(value), index, "{value}");
        }
        for index in -200..400 {
            let upper = (f64::from(index) / 8.0).exp2();
            assert_eq!(native_index(upper * 0.999_999), index);
            assert_eq!(native_index(upper * 1.000_001), index + 1);
        }
    }

    #[test]
    fn every_observation_is_in_one_bucket_of_each_kind() {
        let histogram = Histogram::new(&SECONDS);
        let samples = [
            0,
            1,
            500,
            1_000,
            99_999,
            100_000,
            100_001,
            31_000_000_000,
            u64::MAX / 2,
        ];
        for nanos in samples {
            histogram.observe(nanos);
        }
        let seen = histogram.snapshot();
        assert_eq!(seen.count, 9);
        // 0, 1 and 500 ns lie below 2^-20 s (954 ns).
        assert_eq!(seen.zero, 3);
        assert_eq!(seen.native.iter().map(|(_, n)| n).sum::<u64>(), 6);
        let at = |wanted: f64| {
            seen.classic
                .iter()
                .find(|(bound, _)| *bound >= wanted)
                .unwrap()
                .1
        };
        // A bound belongs to its bucket.
        assert_eq!(
            (at(0.000_1), at(0.000_25), at(30.0), at(60.0)),
            (6, 7, 7, 8)
        );
    }

    #[test]
    fn sizes_add_up() {
        let histogram = Histogram::new(&COUNT);
        for n in [1, 1, 7] {
            histogram.observe(n);
        }
        let seen = histogram.snapshot();
        assert!((seen.sum - 9.0).abs() < f64::EPSILON);
        assert_eq!(seen.native, vec![(0, 2), (23, 1)]);
    }
}
