//! CVSS 2.0, 3.0, 3.1 and 4.0: strict vectors and exact scores.
//!
//! Every score is computed in integers from the weights as the specifications print them, so a
//! vector has one score on every machine. No floating point is used: where a specification rounds
//! (v2 3.2.1 `round_to_1_decimal`, v3.0 8.1 `Round up`, v3.1 appendix A `Roundup`, v4.0 8.2), the
//! exact rational value is rounded once, as written there.
//!
//! In scope: parsing, base / temporal or threat / environmental scores, severity words.
//! Out of scope: which of several vectors of an advisory counts (the policy's business).

mod decimal;
mod score;
mod v2;
mod v3;
mod v4;
mod vector;

pub use vector::VectorError;

use crate::model::{ScoreTenths, SeverityWord};
use std::fmt;
use std::str::FromStr;
use vector::Metrics;

/// Version of the CVSS specification a vector is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CvssVersion {
    /// CVSS 2.0: the vector has no prefix.
    V2,
    /// CVSS 3.0: `CVSS:3.0/`.
    V3_0,
    /// CVSS 3.1: `CVSS:3.1/`.
    V3_1,
    /// CVSS 4.0: `CVSS:4.0/`.
    V4_0,
}

impl CvssVersion {
    /// The number as specifications write it: `2.0`, `3.0`, `3.1`, `4.0`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
            Self::V4_0 => "4.0",
        }
    }
}

impl fmt::Display for CvssVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A vector that obeys its specification: all mandatory metrics, none twice, known values only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CvssVector {
    version: CvssVersion,
    metrics: Metrics,
}

/// The three scores of one vector, each in tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CvssScores {
    /// The base score; v4.0: CVSS-B, the vector's threat and environmental metrics ignored.
    pub base: ScoreTenths,
    /// The temporal score; v4.0: the threat score CVSS-BT. Equal to `base` without such metrics.
    pub temporal: ScoreTenths,
    /// The environmental score; v4.0: CVSS-BTE. Equal to `temporal` without such metrics, except
    /// in 3.0 and 3.1, whose environmental equation rounds and caps differently: see `overall`.
    pub environmental: ScoreTenths,
    /// The score of the narrowest group the vector has metrics of: what the vector says in all.
    pub overall: ScoreTenths,
}

impl CvssVector {
    /// The specification it is written in.
    #[must_use]
    pub const fn version(&self) -> CvssVersion {
        self.version
    }

    /// Computes the scores, exactly.
    #[must_use]
    pub fn scores(&self) -> CvssScores {
        match self.version {
            CvssVersion::V2 => v2::scores(&self.metrics),
            CvssVersion::V3_0 => v3::scores(&self.metrics, v3::Revision::V3_0),
            CvssVersion::V3_1 => v3::scores(&self.metrics, v3::Revision::V3_1),
            CvssVersion::V4_0 => v4::scores(&self.metrics),
        }
    }

    /// The word for `score` in this vector's version (v2: NVD's words, the specification has none).
    #[must_use]
    pub fn word(&self, score: ScoreTenths) -> SeverityWord {
        score::word(self.version, score)
    }
}

impl FromStr for CvssVector {
    type Err = VectorError;

    /// Parses a vector as its specification writes it, and nothing else.
    ///
    /// # Errors
    /// [`VectorError`], which names the metric at fault.
    fn from_str(text: &str) -> Result<Self, VectorError> {
        let (version, body) = vector::split_prefix(text)?;
        let grammar = match version {
            CvssVersion::V2 => &v2::GRAMMAR,
            CvssVersion::V3_0 | CvssVersion::V3_1 => &v3::GRAMMAR,
            CvssVersion::V4_0 => &v4::GRAMMAR,
        };
        Ok(Self {
            version,
            metrics: Metrics::parse(grammar, body)?,
        })
    }
}
