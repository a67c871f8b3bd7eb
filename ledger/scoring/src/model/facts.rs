//! Facts about vulnerabilities that the feeds state, each with the row it was read from.

use super::RowKey;

/// How a severity is expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeverityScheme {
    /// A CVSS 2.0 vector.
    CvssV2,
    /// A CVSS 3.0 or 3.1 vector; the vector's prefix tells which.
    CvssV3,
    /// A CVSS 4.0 vector.
    CvssV4,
    /// A word only (`database_specific.severity`, Ubuntu priority).
    Word,
}

/// A qualitative rating, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeverityWord {
    /// No impact.
    None,
    /// Negligible (Ubuntu) or unimportant (Debian).
    Negligible,
    /// Low.
    Low,
    /// Medium or moderate.
    Medium,
    /// High or important.
    High,
    /// Critical.
    Critical,
}

impl SeverityWord {
    /// Reads a word in any case, with the synonyms that feeds use; `None` for others.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase();
        Some(match word.as_str() {
            "none" => Self::None,
            "negligible" | "unimportant" => Self::Negligible,
            "low" | "minor" => Self::Low,
            "medium" | "moderate" => Self::Medium,
            "high" | "important" => Self::High,
            "critical" | "urgent" => Self::Critical,
            _ => return None,
        })
    }

    /// Name in proofs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A CVSS score in tenths: 9.8 is 98. At most 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScoreTenths(u8);

impl ScoreTenths {
    /// Names a number of tenths; `None` above 100.
    #[must_use]
    pub const fn new(tenths: u8) -> Option<Self> {
        if tenths <= 100 {
            Some(Self(tenths))
        } else {
            None
        }
    }

    /// Reads `9.8`, `10`, `10.0`: at most one digit after the point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || whole.len() > 2 || !digits(tenth) || tenth.len() != 1 {
            return None;
        }
        let whole: u8 = whole.parse().ok()?;
        let tenth: u8 = tenth.parse().ok()?;
        Self::new(whole.checked_mul(10)?.checked_add(tenth)?)
    }

    /// The tenths.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A severity as somebody states it. Nothing is computed yet: the engine recomputes the score from
/// the vector and records both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeverityFact {
    /// How it is expressed.
    pub scheme: SeverityScheme,
    /// The vector, as written; empty for [`SeverityScheme::Word`].
    pub vector: Box<str>,
    /// The base score published beside the vector.
    pub published: Option<ScoreTenths>,
    /// The rating published beside the vector, or alone.
    pub word: Option<SeverityWord>,
    /// Who rates: `osv` for a record's own severity, `cna`, `cisa-adp`, `nvd`, ...
    pub provider: Box<str>,
    /// Where it was read.
    pub row: RowKey,
}

/// An EPSS probability or percentile in 1/100000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpssScore(u32);

impl EpssScore {
    /// The certain event, and the unit: 100000.
    pub const ONE: Self = Self(100_000);

    /// Names a number of 1/100000; `None` above one.
    #[must_use]
    pub const fn new(hundred_thousandths: u32) -> Option<Self> {
        if hundred_thousandths <= Self::ONE.0 {
            Some(Self(hundred_thousandths))
        } else {
            None
        }
    }

    /// The number of 1/100000.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What EPSS says of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpssFact {
    /// Probability of exploitation within 30 days.
    pub score: EpssScore,
    /// Share of vulnerabilities with the same score or a lower one.
    pub percentile: EpssScore,
    /// Where it was read.
    pub row: RowKey,
}

/// A vulnerability's entry in CISA's catalogue of known exploited vulnerabilities. A vulnerability
/// without such a fact is not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KevFact {
    /// Whether ransomware campaigns are known to use it; `false` also for "Unknown".
    pub ransomware: bool,
    /// Day it was added, `YYYY-MM-DD`.
    pub date_added: Box<str>,
    /// Day by which agencies must act, `YYYY-MM-DD`; may be empty.
    pub due_date: Box<str>,
    /// Where it was read.
    pub row: RowKey,
}

/// CISA's SSVC decision points for a vulnerability; lower case, `None` where not stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsvcFact {
    /// `none`, `poc` or `active`.
    pub exploitation: Option<Box<str>>,
    /// `no` or `yes`.
    pub automatable: Option<Box<str>>,
    /// `partial` or `total`.
    pub technical_impact: Option<Box<str>>,
    /// Where it was read.
    pub row: RowKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_has_one_digit_after_the_point() {
        let tenths = |text| ScoreTenths::parse(text).map(ScoreTenths::get);
        assert_eq!(tenths("9.8"), Some(98));
        assert_eq!(tenths("10"), Some(100));
        assert_eq!(tenths("0.0"), Some(0));
        for bad in [
            "", ".", "9.", ".8", "10.1", "9.81", "-1.0", "1e1", "100.0", "+9.8",
        ] {
            assert_eq!(tenths(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(SeverityWord::parse("MODERATE"), Some(SeverityWord::Medium));
        assert_eq!(SeverityWord::parse(" Important "), Some(SeverityWord::High));
        assert_eq!(SeverityWord::parse("unknown"), None);
    }
}
