//! The file of principals: one JSON object a line, blank lines and lines that begin with `#` aside.
//!
//! ```text
//! {"name":"ci","scopes":["scanner.scans"],"sha256":"<64 hex>","tenant":"acme"}
//! ```
//!
//! `sha256` is the hash of the API key that whoever wants to be `ci` shows. A key is 256 random bits,
//! so its plain hash gives nothing away, and comparing hashes takes no time that depends on how
//! much of a key was guessed. In its place `certificate` may name a client's certificate (`sha256:` and
//! the hash of its DER, `uri:` or `dns:` and one of its alternative names). `tenant` is `default` when absent; `notAfter` (an RFC 3339 time with
//! milliseconds) ends a key.

use super::caller::Caller;
use super::certificate::{CertificateName, ClientCertificate};
use super::scope::{Scope, Scopes};
use super::tenant::TenantName;
use std::collections::BTreeMap;
use stella_verify::event::payload::PrincipalKind;
use stella_verify::hash::{from_hex, sha256, to_hex};
use stella_verify::json::{FieldError, Fields, Object, Value, canonicalize, parse_strict};
use stella_verify::time::{format_time, parse_time};
use stella_verify::units::UnixMillis;

/// Largest file in bytes: some ten thousand rows.
pub(super) const MAX_PRINCIPALS_BYTES: u64 = 4 * 1024 * 1024;

/// What every key begins with, so that scanners for leaked secrets recognise one.
const KEY_PREFIX: &str = "stella_key_";

/// A line of the file does not say who may do what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PrincipalsError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// A row with a key: the key's digest, and who shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    digest: [u8; 32],
    caller: Caller,
    not_after: Option<UnixMillis>,
}

impl ApiKey {
    /// A fresh key for a caller: the secret, which nobody can see again, and its row.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn draw(
        caller: Caller,
        not_after: Option<UnixMillis>,
    ) -> Result<(String, Self), getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let key = format!("{KEY_PREFIX}{}", to_hex(&secret));
        let digest = sha256(key.as_bytes());
        let row = Self {
            digest,
            caller,
            not_after,
        };
        Ok((key, row))
    }

    /// The row as a line of the file, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        let scopes = self.caller.scopes().iter();
        let scopes = scopes.map(|scope| Value::String(scope.name().into()));
        let mut row = Object::new()
            .with("name", text(self.caller.name()))
            .with("scopes", Value::Array(scopes.collect()))
            .with("sha256", text(&to_hex(&self.digest)))
            .with("tenant", text(self.caller.tenant().as_str()));
        if let Some(time) = self.not_after.and_then(|time| format_time(time).ok()) {
            row.insert("notAfter", text(&time));
        }
        String::from_utf8_lossy(&canonicalize(&Value::Object(row))).into_owned()
    }
}

/// What a row knows its caller by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// The digest of a key.
    Key([u8; 32]),
    Certificate(CertificateName),
}

/// One row: a mark, and whose it is.
#[derive(Debug)]
struct Row {
    mark: Mark,
    caller: Caller,
    not_after: Option<UnixMillis>,
}

impl Row {
    fn parse(line: &str) -> Result<Self, String> {
        let value = parse_strict(line.as_bytes()).map_err(|problem| problem.to_string())?;
        let object = value.as_object().ok_or("is not a JSON object")?;
        let said = |problem: &dyn std::fmt::Display| problem.to_string();
        let mut fields = Fields::new(object);
        let name = fields.text("name").map_err(|p| said(&p))?;
        let tenant: Option<TenantName> = fields
            .optional_parsed("tenant", "1-63 of a-z, 0-9 and -")
            .map_err(|p| said(&p))?;
        let mut scopes = Vec::new();
        for scope in fields.array("scopes").map_err(|p| said(&p))? {
            let scope = scope
                .as_str()
                .ok_or("member \"scopes\" is not of strings")?;
            let scope: Scope = scope
                .parse()
                .map_err(|problem| format!("\"{scope}\" {problem}"))?;
            scopes.push(scope);
        }
        let mark = mark(&mut fields)?;
        let not_after = fields.optional_text("notAfter").map_err(|p| said(&p))?;
        let not_after = not_after
            .map(parse_time)
            .transpose()
            .map_err(|p| format!("member \"notAfter\": {p}"))?;
        fields.finish().map_err(|p| said(&p))?;
        let scopes: Scopes = scopes.into_iter().collect();
        let caller = Caller::new(name, tenant.unwrap_or_default(), scopes)
            .map_err(|p| format!("member \"name\": {p}"))?;
        let kind = match mark {
            Mark::Key(_) => PrincipalKind::ApiKey,
            Mark::Certificate(_) => PrincipalKind::Certificate,
        };
        Ok(Self {
            mark,
            caller: caller.known_by(kind),
            not_after,
        })
    }

    /// Whose it is, unless it has ended.
    fn caller(&self, now: UnixMillis) -> Option<&Caller> {
        let valid = self.not_after.is_none_or(|end| now < end);
        valid.then_some(&self.caller)
    }
}

/// What a row knows its caller by: a key or a certificate.
fn mark(fields: &mut Fields<'_>) -> Result<Mark, String> {
    let said = |problem: FieldError| problem.to_string();
    let key = fields.optional_text("sha256").map_err(said)?;
    let form = "sha256:<64 hex>, uri:<URI> or dns:<name>";
    let certificate = fields.optional_parsed("certificate", form).map_err(said)?;
    match (key, certificate) {
        (Some(key), None) => {
            let digest = from_hex(key).map_err(|p| format!("member \"sha256\": {p}"))?;
            Ok(Mark::Key(digest))
        }
        (None, Some(name)) => Ok(Mark::Certificate(name)),
        _ => Err("has not one of \"sha256\" and \"certificate\"".to_owned()),
    }
}

/// Whoever the file knows.
#[derive(Debug, Default)]
pub(super) struct Principals {
    rows: BTreeMap<Mark, Row>,
}

impl Principals {
    pub(super) fn parse(file: &str) -> Result<Self, PrincipalsError> {
        let mut rows = BTreeMap::new();
        for (place, line) in file.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |problem| PrincipalsError {
                line: place + 1,
                problem,
            };
            let row = Row::parse(line).map_err(wrong)?;
            if rows.insert(row.mark.clone(), row).is_some() {
                return Err(wrong(
                    "the key or certificate of another line stands here again".to_owned(),
                ));
            }
        }
        Ok(Self { rows })
    }

    /// Who shows the key with this digest, unless the key has ended.
    pub(super) fn by_key(&self, digest: &[u8; 32], now: UnixMillis) -> Option<&Caller> {
        self.rows.get(&Mark::Key(*digest))?.caller(now)
    }

    /// Whose a certificate is: by a row for it alone, else for a URI of it, else for a host's name.
    /// One with names of several rows is nobody's, for neither row speaks of it alone.
    pub(super) fn by_certificate(
        &self,
        certificate: &ClientCertificate,
        now: UnixMillis,
    ) -> Option<&Caller> {
        // The connection may be older than that.
        if now > certificate.not_after {
            return None;
        }
        let own = std::slice::from_ref(&certificate.digest);
        for names in [own, &certificate.uris, &certificate.dns] {
            let marks = names.iter().cloned().map(Mark::Certificate);
            let mut rows: Vec<&Row> = marks.filter_map(|mark| self.rows.get(&mark)).collect();
            rows.dedup_by(|one, other| one.mark == other.mark);
            match rows.as_slice() {
                [] => (),
                [row] => return row.caller(now),
                _ => return None,
            }
        }
        None
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMillis = UnixMillis::new(1_000_000);

    fn ci() -> Caller {
        let scopes = [Scope::ScannerScans, Scope::LedgerAppend];
        Caller::new("ci", "acme".parse().unwrap(), scopes.into_iter().collect()).unwrap()
    }

    #[test]
    fn a_drawn_key_is_found_by_its_line_until_it_ends() {
        let (key, row) = ApiKey::draw(ci(), Some(NOON)).unwrap();
        let file = format!("# who may submit\n\n{}\n", row.line());
        let known = Principals::parse(&file).unwrap();
        let digest = sha256(key.as_bytes());
        let before = UnixMillis::new(NOON.get() - 1);
        assert_eq!(known.by_key(&digest, before), Some(&ci()));
        assert_eq!(known.by_key(&digest, NOON), None);
        assert_eq!(known.by_key(&sha256(b"another"), before), None);
        assert!(!file.contains(&key));
        assert_ne!(ApiKey::draw(ci(), None).unwrap().0, key);
    }

    #[test]
    fn a_line_says_all_that_it_must_and_nothing_else() {
        let hash = "0".repeat(64);
        let good = format!(r#"{{"name":"somebody","scopes":[],"sha256":"{hash}"}}"#);
        assert!(Principals::parse(&good).is_ok());
        for (bad, says) in [
            ("[]".to_owned(), "is not a JSON object"),
            (good.replace("somebody", "stella:x"), "the ledger's own"),
            (good.replace("[]", r#"["scanner.all"]"#), "is no scope"),
            (good.replace("[]", "[1]"), "not of strings"),
            (good.replace(&hash, "00"), "sha256"),
            (
                good.replace("\"name\":\"somebody\",", ""),
                "\"name\" is missing",
            ),
            (good.replace('}', r#","tenant":"A"}"#), "tenant"),
            (
                good.replace('}', r#","scope":[]}"#),
                "not part of this format",
            ),
            (good.replace('}', r#","notAfter":"tomorrow"}"#), "notAfter"),
            (good.replace('}', r#","name":"b"}"#), "name"),
            (format!("{good}\n{good}"), "stands here again"),
        ] {
            let problem = Principals::parse(&bad).unwrap_err().to_string();
            assert!(problem.contains(says), "{bad}: {problem}");
        }
    }

    #[test]
    fn certificates_are_whose_their_rows_say() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let row = |name: &str, certificate: &str| {
            format!(r#"{{"certificate":"{certificate}","name":"{name}","scopes":[]}}"#)
        };
        let rows = [
            row("own", &digest),
            row("uri", "uri:spiffe://acme/a"),
            row("other", "uri:spiffe://acme/b"),
            row("dns", "dns:a.example"),
        ];
        let known = Principals::parse(&rows.join("\n")).unwrap();
        let parsed = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let of = |digest: &str, uris: &[&str], dns: &[&str], now| {
            let certificate = ClientCertificate {
                digest: digest.parse().unwrap(),
                uris: parsed(uris),
                dns: parsed(dns),
                not_after: NOON,
            };
            let found = known.by_certificate(&certificate, now);
            found.map(|caller| caller.name().to_string())
        };
        let stranger = format!("sha256:{}", "2".repeat(64));
        let (a, b) = ("uri:spiffe://acme/a", "uri:spiffe://acme/b");
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(of(&digest, &[a], &[], NOON), some("own"));
        assert_eq!(
            of(&stranger, &[a, a], &["dns:a.example"], NOON),
            some("uri")
        );
        assert_eq!(
            of(&stranger, &["uri:x:y"], &["dns:a.example"], NOON),
            some("dns")
        );
        assert_eq!(
            of(&stranger, &[a, b], &["dns:a.example"], NOON),
            None,
            "of both"
        );
        assert_eq!(of(&stranger, &[], &["dns:b.example"], NOON), None);
        let late = UnixMillis::new(NOON.get() + 1);
        assert_eq!(of(&digest, &[a], &[], late), None, "it has ended");
        for bad in [
            row("a", "dns:*.example"),
            row("a", &digest).replace('}', &format!(r#","sha256":"{}"}}"#, "0".repeat(64))),
            r#"{"name":"a","scopes":[]}"#.to_owned(),
            rows.join("\n") + "\n" + &row("again", "dns:A.example"),
        ] {
            assert!(Principals::parse(&bad).is_err(), "{bad}");
        }
    }
}
