//! Which of several VEX statements prevails: a declared order of precedence.

use crate::model::{VexApplication, VexStatus};
use std::cmp::{Ordering, Reverse};

/// How to choose between statements that apply to one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexPolicy {
    /// Keys, most significant first; a later key decides only between equals.
    pub precedence: Vec<VexKey>,
    /// Authors, most trusted first; `*` stands for all that are not listed.
    pub authors: Vec<String>,
}

/// One key of the precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VexKey {
    /// The closer fit prevails: component in this artifact, component, artifact.
    Fit,
    /// The more trusted author prevails.
    Author,
    /// The later statement prevails; one without a time is the earliest.
    Time,
}

impl VexKey {
    /// Name in policies and nodes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Author => "author",
            Self::Time => "time",
        }
    }
}

impl Default for VexPolicy {
    /// Closest fit, then author (all alike), then the latest.
    fn default() -> Self {
        Self {
            precedence: vec![VexKey::Fit, VexKey::Author, VexKey::Time],
            authors: vec!["*".into()],
        }
    }
}

/// The statement that prevails, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prevailing {
    /// Its place among the applications.
    pub place: usize,
    /// Whether statements with another status apply too.
    pub conflict: bool,
    /// The key that decided against every statement with another status; `caution` when none did
    /// and the more cautious status was taken; empty without a conflict.
    pub decided_by: &'static str,
}

impl VexPolicy {
    /// The statement that prevails; `None` when none applies.
    ///
    /// Between statements that all keys rank alike the more cautious status prevails (affected,
    /// under investigation, fixed, not affected), then the first in row order.
    #[must_use]
    pub fn prevailing(&self, applications: &[VexApplication<'_>]) -> Option<Prevailing> {
        let (place, winner) = (applications.iter().enumerate()).min_by(|(_, a), (_, b)| {
            self.compare(a, b)
                .then_with(|| caution(a.statement.status).cmp(&caution(b.statement.status)))
                .then_with(|| a.statement.row.cmp(&b.statement.row))
        })?;
        let against = (applications.iter())
            .filter(|other| other.statement.status != winner.statement.status)
            .map(|other| self.decisive_key(winner, other))
            .max();
        Some(Prevailing {
            place,
            conflict: against.is_some(),
            decided_by: match against {
                None => "",
                Some(place) => self
                    .precedence
                    .get(place)
                    .map_or("caution", |key| key.name()),
            },
        })
    }

    fn compare(&self, a: &VexApplication<'_>, b: &VexApplication<'_>) -> Ordering {
        (self.precedence.iter())
            .map(|key| self.compare_by(*key, a, b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Place of the key that tells the two apart; the number of keys when none does.
    fn decisive_key(&self, a: &VexApplication<'_>, b: &VexApplication<'_>) -> usize {
        (self.precedence.iter())
            .position(|key| self.compare_by(*key, a, b).is_ne())
            .unwrap_or(self.precedence.len())
    }

    fn compare_by(&self, key: VexKey, a: &VexApplication<'_>, b: &VexApplication<'_>) -> Ordering {
        match key {
            VexKey::Fit => b.fit.cmp(&a.fit),
            VexKey::Author => {
                (self.author_rank(&a.statement.author)).cmp(&self.author_rank(&b.statement.author))
            }
            VexKey::Time => Reverse(a.statement.time).cmp(&Reverse(b.statement.time)),
        }
    }

    fn author_rank(&self, author: &str) -> usize {
        let listed = self.authors.iter().position(|name| name == author);
        let rest = self.authors.iter().position(|name| name == "*");
        listed.or(rest).unwrap_or(self.authors.len())
    }
}

/// Less is more cautious.
const fn caution(status: VexStatus) -> u8 {
    match status {
        VexStatus::Affected => 0,
        VexStatus::UnderInvestigation => 1,
        VexStatus::Fixed => 2,
        VexStatus::NotAffected => 3,
    }
}
