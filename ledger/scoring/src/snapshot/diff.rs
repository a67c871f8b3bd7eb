//! What differs between two snapshots of one kind, row by row.
//!
//! Both are read once, in order, and verified on the way, so the time does not depend on how much
//! differs and nothing but the two positions is held.

use std::collections::BTreeMap;

use stella_verify::snapshot::{RecordsError, Snapshot, Table};

use super::derive::{Kind, Record};
use crate::model::{Advisory, Affected, EpssScore, RowKey, ScoreTenths, SeverityFact};

/// Severities of one record that a line for people shows.
const SHOWN_SEVERITIES: usize = 3;

/// Why two records files cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// One of them is damaged or forged.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// They are of two kinds. Name two feed snapshots or two VEX snapshots.
    #[error("a feed snapshot and a VEX snapshot cannot be compared")]
    Kinds,
}

/// What a row's record went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowChangeKind {
    /// Only in the later snapshot.
    Added,
    /// Only in the earlier snapshot.
    Removed,
    /// An advisory that was withdrawn.
    Withdrawn,
    /// Another severity, probability or status.
    Rescored,
    /// An advisory that affects other versions of the package.
    Ranges,
    /// Other bytes that say the same to a score: texts, references, aliases, times.
    Edited,
}

impl RowChangeKind {
    /// The word in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Withdrawn => "withdrawn",
            Self::Rescored => "rescored",
            Self::Ranges => "ranges",
            Self::Edited => "edited",
        }
    }
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Which.
    pub key: RowKey,
    /// How.
    pub kind: RowChangeKind,
    /// What it said of the score, in a line; `None` without a row.
    pub old: Option<Box<str>>,
    /// What it says now.
    pub new: Option<Box<str>>,
}

/// How many rows differ, by table and kind.
pub type DiffTotals = BTreeMap<(Table, RowChangeKind), u64>;

/// Visits the rows that differ, in the snapshots' order: the key, the record before and the record
/// after, at least one of them there.
///
/// # Errors
/// [`DiffError`]; what was visited before is to be trusted only when there is none.
pub fn visit_differences<'a>(
    old: &'a [u8],
    new: &'a [u8],
    mut visit: impl FnMut(&RowKey, Option<&'a [u8]>, Option<&'a [u8]>),
) -> Result<(), DiffError> {
    let (mut old, mut new) = (Snapshot::open(old)?, Snapshot::open(new)?);
    if old.header().kind() != new.header().kind() {
        return Err(DiffError::Kinds);
    }
    let (mut left, mut right) = (old.next()?, new.next()?);
    loop {
        let order = match (&left, &right) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        match (order, &left, &right) {
            (std::cmp::Ordering::Less, Some((key, record)), _) => {
                visit(key, Some(record), None);
                left = old.next()?;
            }
            (std::cmp::Ordering::Greater, _, Some((key, record))) => {
                visit(key, None, Some(record));
                right = new.next()?;
            }
            (_, Some((key, before)), Some((_, after))) => {
                if before != after {
                    visit(key, Some(before), Some(after));
                }
                (left, right) = (old.next()?, new.next()?);
            }
            // Unreachable: the order says which side is there.
            _ => return Ok(()),
        }
    }
}

/// Compares two snapshots: every row that differs and that `wanted` takes, and totals over all of
/// them.
///
/// # Errors
/// [`DiffError`].
pub fn diff(
    old: &[u8],
    new: &[u8],
    wanted: impl Fn(&RowKey, Option<&[u8]>, Option<&[u8]>) -> bool,
) -> Result<(Vec<RowChange>, DiffTotals), DiffError> {
    let mut changes = Vec::new();
    let mut totals = DiffTotals::new();
    visit_differences(old, new, |key, before, after| {
        let change = change(key, before, after);
        *totals.entry((key.table, change.kind)).or_default() += 1;
        if wanted(key, before, after) {
            changes.push(change);
        }
    })?;
    Ok((changes, totals))
}

fn change(key: &RowKey, before: Option<&[u8]>, after: Option<&[u8]>) -> RowChange {
    let read = |bytes: Option<&[u8]>| Kind::of(key)?.read(bytes?).ok();
    let (old, new) = (read(before), read(after));
    let kind = match (before, after) {
        (None, _) => RowChangeKind::Added,
        (_, None) => RowChangeKind::Removed,
        _ => match (&old, &new) {
            (Some(old), Some(new)) => kind_of(key, old, new),
            // What this version cannot read it cannot tell apart.
            _ => RowChangeKind::Edited,
        },
    };
    RowChange {
        key: key.clone(),
        kind,
        old: old.map(|record| said(key, &record)),
        new: new.map(|record| said(key, &record)),
    }
}

fn kind_of(key: &RowKey, old: &Record, new: &Record) -> RowChangeKind {
    let rescored = |differ: bool| {
        if differ {
            RowChangeKind::Rescored
        } else {
            RowChangeKind::Edited
        }
    };
    match (old, new) {
        (Record::Advisory(old), Record::Advisory(new)) => {
            if old.withdrawn.is_none() && new.withdrawn.is_some() {
                RowChangeKind::Withdrawn
            } else if severities(key, old) != severities(key, new) {
                RowChangeKind::Rescored
            } else if old.withdrawn != new.withdrawn
                || affected(key, old).ne(affected(key, new))
                || old.kind != new.kind
            {
                RowChangeKind::Ranges
            } else {
                RowChangeKind::Edited
            }
        }
        (Record::Epss(old), Record::Epss(new)) => {
            rescored((old.score, old.percentile) != (new.score, new.percentile))
        }
        (Record::Severity(_, old), Record::Severity(_, new)) => rescored(old != new),
        (Record::Kev(old), Record::Kev(new)) => rescored(old.ransomware != new.ransomware),
        (Record::Vex(old), Record::Vex(new)) => rescored(old.status != new.status),
        _ => RowChangeKind::Edited,
    }
}

/// The advisory's entries for the row's package; the ranges and versions are what matters, the
/// places do not.
fn affected<'a>(
    key: &'a RowKey,
    advisory: &'a Advisory,
) -> impl Iterator<Item = impl PartialEq + use<'a>> + 'a {
    entries(key, advisory).map(|entry| {
        let ranges: Vec<_> = (entry.ranges.iter())
            .map(|range| (range.kind, &range.events))
            .collect();
        (ranges, &entry.versions)
    })
}

fn entries<'a>(key: &'a RowKey, advisory: &'a Advisory) -> impl Iterator<Item = &'a Affected> {
    advisory.affected.iter().filter(move |entry| {
        entry.package.ecosystem.as_str() == key.ecosystem && *entry.package.name == *key.package
    })
}

/// Severities that count for the row's package.
fn severities<'a>(key: &'a RowKey, advisory: &'a Advisory) -> Vec<(&'a str, Option<u8>)> {
    let own: Vec<&SeverityFact> = entries(key, advisory)
        .flat_map(|entry| &entry.severities)
        .collect();
    let facts = if own.is_empty() {
        advisory.severities.iter().collect()
    } else {
        own
    };
    facts
        .into_iter()
        .map(|fact| match fact.word {
            Some(word) if fact.vector.is_empty() => (word.name(), None),
            _ => (&*fact.vector, fact.published.map(ScoreTenths::get)),
        })
        .collect()
}

/// What a record says of a score, in a line.
fn said(key: &RowKey, record: &Record) -> Box<str> {
    match record {
        Record::Advisory(advisory) => {
            let mut words: Vec<String> = Vec::new();
            if advisory.withdrawn.is_some() {
                words.push("withdrawn".to_owned());
            }
            let severities = severities(key, advisory);
            words.extend(
                (severities.iter().take(SHOWN_SEVERITIES)).map(|(text, _)| (*text).to_owned()),
            );
            if severities.is_empty() {
                words.push("no severity".to_owned());
            }
            words.join(", ").into()
        }
        Record::Epss(fact) => format!(
            "{}, percentile {}",
            fraction(fact.score),
            fraction(fact.percentile)
        )
        .into(),
        Record::Kev(fact) => {
            let ransomware = if fact.ransomware { ", ransomware" } else { "" };
            format!("listed {}{ransomware}", fact.date_added).into()
        }
        Record::Severity(_, record) => {
            let mut words: Vec<String> = (record.severities.iter().take(SHOWN_SEVERITIES))
                .map(|fact| format!("{} {}", fact.provider, fact.vector))
                .collect();
            if let Some(exploitation) = record.ssvc.as_ref().and_then(|s| s.exploitation.as_ref()) {
                words.push(format!("exploitation {exploitation}"));
            }
            words.join(", ").into()
        }
        Record::Vex(record) => {
            let why = record.justification.as_deref().unwrap_or_default();
            let status = record.status.name();
            let separator = if why.is_empty() { "" } else { ": " };
            format!("{status}{separator}{why}").into()
        }
    }
}

/// An EPSS number as FIRST writes it.
fn fraction(score: EpssScore) -> String {
    let one = EpssScore::ONE.get();
    format!("{}.{:05}", score.get() / one, score.get() % one)
}
