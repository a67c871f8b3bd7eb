//! Words for ranges of scores, and the score's text.

use super::CvssVersion;
use crate::model::{ScoreTenths, SeverityWord};
use std::fmt;

/// 0.0.
pub(super) const ZERO: ScoreTenths = match ScoreTenths::new(0) {
    Some(zero) => zero,
    None => panic!("0 is a score"),
};

/// What an equation left, in tenths, held to 0.0-10.0.
pub(super) fn clamped(tenths: i128) -> ScoreTenths {
    let held = u8::try_from(tenths.clamp(0, 100)).ok();
    held.and_then(ScoreTenths::new).unwrap_or(ZERO)
}

/// Qualitative rating of a score (3.0 and 3.1 section 5, 4.0 section 6; NVD's for 2.0, which has
/// none of its own). An absent score has no word: unknown is not `none`.
pub(super) const fn word(version: CvssVersion, score: ScoreTenths) -> SeverityWord {
    match (version, score.get()) {
        (CvssVersion::V2, 0..=39) | (_, 1..=39) => SeverityWord::Low,
        (_, 0) => SeverityWord::None,
        (_, 40..=69) => SeverityWord::Medium,
        (CvssVersion::V2, _) | (_, 70..=89) => SeverityWord::High,
        _ => SeverityWord::Critical,
    }
}

impl fmt::Display for ScoreTenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.get() / 10, self.get() % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_where_the_specifications_say() {
        let word = |version, tenths| word(version, clamped(tenths));
        assert_eq!(word(CvssVersion::V3_1, 0), SeverityWord::None);
        assert_eq!(word(CvssVersion::V2, 0), SeverityWord::Low);
        assert_eq!(word(CvssVersion::V4_0, 39), SeverityWord::Low);
        assert_eq!(word(CvssVersion::V4_0, 40), SeverityWord::Medium);
        assert_eq!(word(CvssVersion::V3_0, 89), SeverityWord::High);
        assert_eq!(word(CvssVersion::V3_0, 90), SeverityWord::Critical);
        assert_eq!(word(CvssVersion::V2, 100), SeverityWord::High);
    }

    #[test]
    fn a_score_stays_within_its_range_and_prints_one_decimal() {
        assert_eq!(clamped(-3).get(), 0);
        assert_eq!(clamped(1000).get(), 100);
        assert_eq!(clamped(7).to_string(), "0.7");
        assert_eq!(clamped(100).to_string(), "10.0");
    }
}
