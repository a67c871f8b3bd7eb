//! Parsing, as the purl specification's "How to parse" lists it, right to left.

use super::encode::{decode, push_encoded};
use super::{Parts, Qualifier, rules};
use crate::limits::{MAX_PURL_BYTES, MAX_PURL_QUALIFIERS};

/// Why a text is not a package URL. Always the writer of the document's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PurlError {
    /// Longer than [`MAX_PURL_BYTES`].
    #[error("a package URL is at most {MAX_PURL_BYTES} bytes long")]
    TooLong,
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with pkg:")]
    Scheme,
    /// The type is missing or has characters other than letters, digits, `.`, `-`.
    #[error("the type is missing, or has characters other than letters, digits, '.' and '-'")]
    Type,
    /// There is no name.
    #[error("the name is missing")]
    Name,
    /// The type forbids a purl without namespace.
    #[error("this type needs a namespace")]
    Namespace,
    /// A `%` without two hex digits, bytes that are not UTF-8, or control characters.
    #[error("a part is not percent-encoded UTF-8 text")]
    Encoding,
    /// A qualifier is not `key=value`, its key is malformed or occurs twice, or they are too many.
    #[error("a qualifier is malformed or occurs twice")]
    Qualifier,
}

pub(super) fn parse(text: &str) -> Result<Parts, PurlError> {
    if text.len() > MAX_PURL_BYTES {
        return Err(PurlError::TooLong);
    }
    let rest = strip_scheme(text).ok_or(PurlError::Scheme)?;
    let (rest, subpath) = split_last(rest, '#');
    let (rest, qualifiers) = split_last(rest, '?');
    let (kind, path) = rest.split_once('/').ok_or(PurlError::Name)?;
    let kind = kind.to_ascii_lowercase();
    check_type(&kind)?;
    let (path, version) = split_version(path);
    let (namespace, name) = match path.trim_end_matches('/').rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, path.trim_end_matches('/')),
    };

    let name = rules::name(&kind, part(name)?);
    if name.is_empty() {
        return Err(PurlError::Name);
    }
    let namespace = namespace
        .map(segments)
        .transpose()?
        .filter(|text| !text.is_empty());
    let namespace = namespace.map(|text| rules::namespace(&kind, text));
    if namespace.is_none() && rules::needs_namespace(&kind) {
        return Err(PurlError::Namespace);
    }
    let version = version
        .map(part)
        .transpose()?
        .filter(|text| !text.is_empty());
    let version = version.map(|text| rules::version(&kind, text));
    let qualifiers = qualifiers
        .map(parse_qualifiers)
        .transpose()?
        .unwrap_or_default();
    let subpath = subpath
        .map(parse_subpath)
        .transpose()?
        .filter(|text| !text.is_empty());
    Ok(assemble(
        kind, namespace, name, version, qualifiers, subpath,
    ))
}

pub(super) fn with_version(parts: &Parts, version: &str) -> Parts {
    let version = rules::version(&parts.kind, version.to_owned());
    assemble(
        parts.kind.to_string(),
        parts.namespace.as_deref().map(str::to_owned),
        parts.name.to_string(),
        Some(version).filter(|text| !text.is_empty()),
        parts.qualifiers.clone(),
        parts.subpath.as_deref().map(str::to_owned),
    )
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(4)?;
    scheme
        .eq_ignore_ascii_case("pkg:")
        .then(|| rest.trim_start_matches('/'))
}

fn split_last(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.rsplit_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Splits at the last `@`, unless it opens a segment: `npm/@scope/name` written without encoding
/// and without a version.
fn split_version(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('@') {
        Some((before, after)) if !before.is_empty() && !before.ends_with('/') => {
            (before, Some(after))
        }
        _ => (path, None),
    }
}

fn check_type(kind: &str) -> Result<(), PurlError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    let starts = kind
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    if starts && kind.bytes().all(valid) {
        Ok(())
    } else {
        Err(PurlError::Type)
    }
}

/// Decodes one part. Control characters have no place in names and would reach terminals.
fn part(text: &str) -> Result<String, PurlError> {
    let text = decode(text).ok_or(PurlError::Encoding)?;
    if text.chars().any(char::is_control) {
        Err(PurlError::Encoding)
    } else {
        Ok(text)
    }
}

/// Decodes the segments of a namespace, empty ones dropped.
fn segments(text: &str) -> Result<String, PurlError> {
    let parts: Result<Vec<_>, _> = text
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(part)
        .collect();
    Ok(parts?.join("/"))
}

/// Decodes a subpath; empty, `.` and `..` segments are dropped as the specification says.
fn parse_subpath(text: &str) -> Result<String, PurlError> {
    let parts: Result<Vec<_>, _> = text.split('/').map(part).collect();
    let kept: Vec<_> = parts?
        .into_iter()
        .filter(|segment| !matches!(&**segment, "" | "." | ".."))
        .collect();
    Ok(kept.join("/"))
}

fn parse_qualifiers(text: &str) -> Result<Vec<Qualifier>, PurlError> {
    let mut out: Vec<Qualifier> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(PurlError::Qualifier)?;
        let key = key.to_ascii_lowercase();
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let starts = key
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic());
        if !starts || !key.bytes().all(valid) {
            return Err(PurlError::Qualifier);
        }
        let value = part(value)?;
        if value.is_empty() {
            continue;
        }
        if out.len() >= MAX_PURL_QUALIFIERS || out.iter().any(|(have, _)| **have == *key) {
            return Err(PurlError::Qualifier);
        }
        out.push((key.into(), value.into()));
    }
    out.sort_unstable();
    Ok(out)
}

fn assemble(
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: Vec<Qualifier>,
    subpath: Option<String>,
) -> Parts {
    let mut text = format!("pkg:{kind}/");
    for segment in namespace.iter().flat_map(|text| text.split('/')) {
        push_encoded(&mut text, segment);
        text.push('/');
    }
    push_encoded(&mut text, &name);
    let package_end = text.len();
    if let Some(version) = &version {
        text.push('@');
        push_encoded(&mut text, version);
    }
    for (place, (key, value)) in qualifiers.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        push_encoded(&mut text, value);
    }
    for (place, segment) in subpath.iter().flat_map(|text| text.split('/')).enumerate() {
        text.push(if place == 0 { '#' } else { '/' });
        push_encoded(&mut text, segment);
    }
    Parts {
        kind: kind.into(),
        namespace: namespace.map(Into::into),
        name: name.into(),
        version: version.map(Into::into),
        qualifiers,
        subpath: subpath.map(Into::into),
        text: text.into(),
        package_end,
    }
}
