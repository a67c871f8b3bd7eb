//! OSV records (OSV schema 1.x), the form in which advisories are published.
//!
//! A record either is read whole or is refused with the place and the reason: a record that is
//! half understood would match too much or too little without anybody noticing. Members that
//! scoring does not need are skipped.

mod raw;

use crate::inputs::json::{self, DocumentError, List, Object, Text};
use crate::limits::{MAX_ADVISORY_BYTES, MAX_ID_BYTES};
use crate::matching::package_name;
use crate::model::{
    Advisory, AdvisoryKind, Affected, AffectedIndex, Ecosystem, JsonPointer, PackageKey, Range,
    RangeEvent, RangeIndex, RangeKind, RowKey, SeverityFact, SeverityScheme, SeverityWord, Version,
};
use raw::{RawAffected, RawEvent, RawRange, RawRecord, RawSeverity};

/// Name of this source in snapshot rows.
pub const SOURCE: &str = "osv";

/// Reads one record.
///
/// # Errors
/// [`DocumentError`], with the JSON pointer of what is wrong. The record's publisher is at fault.
pub fn read(bytes: &[u8]) -> Result<Advisory, DocumentError> {
    if bytes.len() > MAX_ADVISORY_BYTES {
        let reason = format!("larger than {MAX_ADVISORY_BYTES} bytes");
        return Err(DocumentError::content(JsonPointer::root(), reason));
    }
    let raw: RawRecord<'_> = json::parse(bytes)?;
    let root = JsonPointer::root();
    let id = id(&raw.id, &root.member("id"))?;
    let affected = affected(&raw.affected, &root.member("affected"))?;
    let mut advisory = Advisory {
        kind: kind(&id, &raw),
        aliases: ids(&raw.aliases, &root.member("aliases"))?,
        upstream: ids(&raw.upstream, &root.member("upstream"))?,
        summary: json::shorten(raw.summary.get().unwrap_or_default()),
        withdrawn: optional(&raw.withdrawn, &root.member("withdrawn"))?,
        severities: Vec::new(),
        affected,
        source: SOURCE.into(),
        id,
    };
    fill_severities(&mut advisory, &raw)?;
    Ok(advisory)
}

/// The rows under which a record stands: one per package, or one without a package.
#[must_use]
pub fn rows(advisory: &Advisory) -> Vec<RowKey> {
    let mut rows: Vec<_> = advisory
        .affected
        .iter()
        .map(|affected| advisory.row(Some(&affected.package)))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    if rows.is_empty() {
        rows.push(advisory.row(None));
    }
    rows
}

fn id(text: &Text<'_>, place: &JsonPointer) -> Result<Box<str>, DocumentError> {
    let id = text.get().ok_or_else(|| {
        DocumentError::content(place.clone(), "not a string of at least one byte")
    })?;
    if id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        let reason = format!("longer than {MAX_ID_BYTES} bytes, or has control characters");
        return Err(DocumentError::content(place.clone(), reason));
    }
    Ok(id.into())
}

fn optional(text: &Text<'_>, place: &JsonPointer) -> Result<Option<Box<str>>, DocumentError> {
    if text.is_invalid() {
        return Err(DocumentError::content(place.clone(), "not a string"));
    }
    Ok(text.get().map(Into::into))
}

/// A set of ids.
fn ids(list: &List<Text<'_>>, place: &JsonPointer) -> Result<Vec<Box<str>>, DocumentError> {
    if list.is_invalid() {
        return Err(DocumentError::content(place.clone(), "not an array"));
    }
    let mut ids = Vec::with_capacity(list.as_slice().len());
    for (index, text) in list.as_slice().iter().enumerate() {
        ids.push(id(text, &place.element(index))?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// RUSTSEC says in each affected entry (older exports: in the record) that it informs only.
fn kind(id: &str, raw: &RawRecord<'_>) -> AdvisoryKind {
    if id.starts_with("MAL-") {
        return AdvisoryKind::Malicious;
    }
    let entries = raw.affected.as_slice().iter().filter_map(Object::get);
    let informational = entries
        .map(|entry| &entry.database_specific)
        .chain([&raw.database_specific])
        .find_map(|specific| specific.get()?.informational.get());
    match informational {
        None => AdvisoryKind::Vulnerability,
        Some("unmaintained") => AdvisoryKind::Unmaintained,
        Some("unsound") => AdvisoryKind::Unsound,
        Some(_) => AdvisoryKind::Notice,
    }
}

fn affected(
    list: &List<Object<RawAffected<'_>>>,
    place: &JsonPointer,
) -> Result<Vec<Affected>, DocumentError> {
    if list.is_invalid() {
        return Err(DocumentError::content(place.clone(), "not an array"));
    }
    let mut out = Vec::with_capacity(list.as_slice().len());
    for (index, item) in list.as_slice().iter().enumerate() {
        let place = place.element(index);
        let raw = item
            .get()
            .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
        // Without a package there are only GIT ranges, which name commits.
        let package = match &raw.package {
            Object::Is(package) => package,
            Object::Absent => continue,
            Object::Invalid => {
                return Err(DocumentError::content(
                    place.member("package"),
                    "not an object",
                ));
            }
        };
        let place_of = |name| place.member("package").member(name);
        let ecosystem = Ecosystem::parse(&id(&package.ecosystem, &place_of("ecosystem"))?);
        let name = id(&package.name, &place_of("name"))?;
        let name = package_name(ecosystem.kind(), &name).into();
        out.push(Affected {
            index: AffectedIndex(u32::try_from(index).unwrap_or(u32::MAX)),
            package: PackageKey { ecosystem, name },
            ranges: ranges(&raw.ranges, &place.member("ranges"))?,
            versions: versions(&raw.versions, &place.member("versions"))?,
            severities: Vec::new(),
        });
    }
    Ok(out)
}

fn ranges(
    list: &List<Object<RawRange<'_>>>,
    place: &JsonPointer,
) -> Result<Vec<Range>, DocumentError> {
    if list.is_invalid() {
        return Err(DocumentError::content(place.clone(), "not an array"));
    }
    let mut out = Vec::with_capacity(list.as_slice().len());
    for (index, item) in list.as_slice().iter().enumerate() {
        let place = place.element(index);
        let raw = item
            .get()
            .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
        let kind = match raw.kind.get() {
            Some("SEMVER") => RangeKind::SemVer,
            Some("ECOSYSTEM") => RangeKind::Ecosystem,
            Some("GIT") => continue,
            _ => {
                let reason = "not one of SEMVER, ECOSYSTEM and GIT";
                return Err(DocumentError::content(place.member("type"), reason));
            }
        };
        let place = place.member("events");
        let events = match &raw.events {
            List::Is(events) if !events.is_empty() => events,
            _ => {
                return Err(DocumentError::content(
                    place,
                    "not an array of at least one event",
                ));
            }
        };
        let events: Result<Vec<_>, _> = events
            .iter()
            .enumerate()
            .map(|(index, item)| event(item, &place.element(index)))
            .collect();
        let index = RangeIndex(u32::try_from(index).unwrap_or(u32::MAX));
        out.push(Range {
            index,
            kind,
            events: events?,
        });
    }
    Ok(out)
}

fn event(item: &Object<RawEvent<'_>>, place: &JsonPointer) -> Result<RangeEvent, DocumentError> {
    let wrong = || {
        let reason = "an event has exactly one of introduced, fixed, last_affected and limit, \
                      a string of at least one byte";
        DocumentError::content(place.clone(), reason)
    };
    let raw = item.get().ok_or_else(wrong)?;
    let members = [&raw.introduced, &raw.fixed, &raw.last_affected, &raw.limit];
    if members
        .iter()
        .filter(|text| !matches!(text, Text::Absent))
        .count()
        != 1
    {
        return Err(wrong());
    }
    let make: [fn(Version) -> RangeEvent; 4] = [
        RangeEvent::Introduced,
        RangeEvent::Fixed,
        RangeEvent::LastAffected,
        RangeEvent::Limit,
    ];
    let version = |text: &str| Version(text.trim().into());
    members
        .iter()
        .zip(make)
        .find_map(|(text, make)| text.get().map(|text| make(version(text))))
        .ok_or_else(wrong)
}

fn versions(list: &List<Text<'_>>, place: &JsonPointer) -> Result<Vec<Version>, DocumentError> {
    if list.is_invalid() {
        return Err(DocumentError::content(place.clone(), "not an array"));
    }
    let mut out = Vec::with_capacity(list.as_slice().len());
    for (index, text) in list.as_slice().iter().enumerate() {
        let text = text
            .get()
            .ok_or_else(|| DocumentError::content(place.element(index), "not a string"))?;
        out.push(Version(text.into()));
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Severities name the row they were read from, so they come after the packages.
fn fill_severities(advisory: &mut Advisory, raw: &RawRecord<'_>) -> Result<(), DocumentError> {
    let root = JsonPointer::root();
    let Some(row) = rows(advisory).into_iter().next() else {
        return Ok(());
    };
    let mut own = severities(&raw.severity, &root.member("severity"), &row)?;
    let word = raw
        .database_specific
        .get()
        .and_then(|specific| specific.severity.get());
    own.extend(word_fact(word, &row));
    advisory.severities = own;

    let place = root.member("affected");
    let rows: Vec<_> = advisory
        .affected
        .iter()
        .map(|affected| advisory.row(Some(&affected.package)))
        .collect();
    for (affected, row) in advisory.affected.iter_mut().zip(rows) {
        let index = usize::try_from(affected.index.0).unwrap_or(usize::MAX);
        let Some(raw) = raw.affected.as_slice().get(index).and_then(Object::get) else {
            continue;
        };
        let place = place.element(index).member("severity");
        affected.severities = severities(&raw.severity, &place, &row)?;
        // Debian's urgency, Ubuntu's priority and others rate a package with a word.
        let words = [&raw.ecosystem_specific, &raw.database_specific].into_iter();
        let word = words
            .filter_map(Object::get)
            .find_map(|specific| specific.severity.get().or(specific.urgency.get()));
        affected.severities.extend(word_fact(word, &row));
    }
    Ok(())
}

fn severities(
    list: &List<Object<RawSeverity<'_>>>,
    place: &JsonPointer,
    row: &RowKey,
) -> Result<Vec<SeverityFact>, DocumentError> {
    if list.is_invalid() {
        return Err(DocumentError::content(place.clone(), "not an array"));
    }
    let mut out = Vec::with_capacity(list.as_slice().len());
    for (index, item) in list.as_slice().iter().enumerate() {
        let place = place.element(index);
        let raw = item
            .get()
            .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
        let score = raw
            .score
            .get()
            .ok_or_else(|| DocumentError::content(place.member("score"), "not a string"))?;
        let scheme = match raw.kind.get() {
            Some("CVSS_V2") => SeverityScheme::CvssV2,
            Some("CVSS_V3") => SeverityScheme::CvssV3,
            Some("CVSS_V4") => SeverityScheme::CvssV4,
            Some(_) => {
                out.extend(word_fact(Some(score), row));
                continue;
            }
            None => return Err(DocumentError::content(place.member("type"), "not a string")),
        };
        out.push(SeverityFact {
            scheme,
            vector: score.into(),
            published: None,
            word: None,
            provider: SOURCE.into(),
            row: row.clone(),
        });
    }
    Ok(out)
}

fn word_fact(word: Option<&str>, row: &RowKey) -> Option<SeverityFact> {
    let word = SeverityWord::parse(word?)?;
    Some(SeverityFact {
        scheme: SeverityScheme::Word,
        vector: "".into(),
        published: None,
        word: Some(word),
        provider: SOURCE.into(),
        row: row.clone(),
    })
}

#[cfg(test)]
mod tests;
