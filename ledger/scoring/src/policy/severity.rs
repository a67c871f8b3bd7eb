//! Which of several stated severities prevails: a policy's choice, made the same way everywhere.

use crate::model::{ScoreTenths, SeverityScheme, SeverityWord};

/// How to choose between severities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityPolicy {
    /// Which score of a vector counts.
    pub score: VectorScore,
    /// Whether a vector's own score counts, or the one published beside it.
    pub trust: Trust,
    /// Compared first: who states it, or how it is expressed.
    pub first: Precedence,
    /// Providers, most trusted first; `*` stands for all that are not listed.
    pub providers: Vec<String>,
    /// Schemes, preferred first; all four.
    pub schemes: Vec<SeverityScheme>,
}

/// Which score of a vector counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorScore {
    /// The base score.
    Base,
    /// The score of the narrowest group of metrics present.
    Overall,
}

/// Which of two scores of one severity counts when they differ. Both are always recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The score computed from the vector.
    Recomputed,
    /// The score published beside the vector, where there is one.
    Published,
}

/// What is compared first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// Provider, then scheme.
    Provider,
    /// Scheme, then provider.
    Scheme,
}

/// What a stated severity competes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated<'a> {
    /// How it is expressed.
    pub scheme: SeverityScheme,
    /// Who states it.
    pub provider: &'a str,
    /// Its score, where it has one.
    pub score: Option<ScoreTenths>,
    /// Its rating, where it has one.
    pub word: Option<SeverityWord>,
}

impl Default for SeverityPolicy {
    /// Recomputed base scores; newest scheme first, any provider.
    fn default() -> Self {
        Self {
            score: VectorScore::Base,
            trust: Trust::Recomputed,
            first: Precedence::Scheme,
            providers: vec!["*".into()],
            schemes: vec![
                SeverityScheme::CvssV4,
                SeverityScheme::CvssV3,
                SeverityScheme::CvssV2,
                SeverityScheme::Word,
            ],
        }
    }
}

impl SeverityPolicy {
    /// Place of the severity that prevails: least by the declared precedence, then the highest
    /// score, then the highest rating, then the first of `rated` (which is in row order). A
    /// severity with neither score nor rating never prevails.
    #[must_use]
    pub fn prevailing(&self, rated: &[Rated<'_>]) -> Option<usize> {
        (rated.iter().enumerate())
            .filter(|(_, severity)| severity.score.is_some() || severity.word.is_some())
            .min_by_key(|(place, severity)| {
                let by_provider = self.provider_rank(severity.provider);
                let by_scheme = self.scheme_rank(severity.scheme);
                let declared = match self.first {
                    Precedence::Provider => (by_provider, by_scheme),
                    Precedence::Scheme => (by_scheme, by_provider),
                };
                let worst = std::cmp::Reverse((severity.score, severity.word));
                (declared, worst, *place)
            })
            .map(|(place, _)| place)
    }

    fn provider_rank(&self, provider: &str) -> usize {
        let listed = self.providers.iter().position(|name| name == provider);
        let rest = self.providers.iter().position(|name| name == "*");
        listed.or(rest).unwrap_or(self.providers.len())
    }

    fn scheme_rank(&self, scheme: SeverityScheme) -> usize {
        let listed = self.schemes.iter().position(|listed| *listed == scheme);
        listed.unwrap_or(self.schemes.len())
    }
}

/// Name of a scheme in policies and nodes.
#[must_use]
pub const fn scheme_name(scheme: SeverityScheme) -> &'static str {
    match scheme {
        SeverityScheme::CvssV2 => "cvss-v2",
        SeverityScheme::CvssV3 => "cvss-v3",
        SeverityScheme::CvssV4 => "cvss-v4",
        SeverityScheme::Word => "word",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(scheme: SeverityScheme, provider: &str, tenths: u8) -> Rated<'_> {
        Rated {
            scheme,
            provider,
            score: ScoreTenths::new(tenths),
            word: None,
        }
    }

    #[test]
    fn the_declared_precedence_decides_before_the_score() {
        let stated = [
            rated(SeverityScheme::CvssV3, "osv", 98),
            rated(SeverityScheme::CvssV4, "cna", 50),
            rated(SeverityScheme::CvssV3, "nvd", 70),
        ];
        let mut policy = SeverityPolicy::default();
        assert_eq!(policy.prevailing(&stated), Some(1));
        policy.first = Precedence::Provider;
        policy.providers = vec!["nvd".into(), "*".into()];
        assert_eq!(policy.prevailing(&stated), Some(2));
        policy.providers = vec!["*".into(), "cna".into()];
        assert_eq!(policy.prevailing(&stated), Some(0));
    }

    #[test]
    fn what_says_nothing_never_prevails() {
        let silent = Rated {
            score: None,
            ..rated(SeverityScheme::CvssV4, "cna", 0)
        };
        let policy = SeverityPolicy::default();
        assert_eq!(policy.prevailing(&[silent]), None);
        let zero = rated(SeverityScheme::CvssV2, "x", 0);
        assert_eq!(policy.prevailing(&[silent, zero]), Some(1));
    }
}
