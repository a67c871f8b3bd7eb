//! Calls that were refused, and acts that took a privilege.

use super::PayloadError;
use crate::json::{
    FieldError, Fields, MAX_SAFE_INTEGER, ObjectWriter, SafeInteger, parse_canonical,
};
use crate::time::{format_time, parse_time};
use crate::units::UnixMillis;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

const DENIED_SCHEMA: &str = "stella.access-denied/v1";
const ACT_SCHEMA: &str = "stella.admin-act/v1";

/// What a later time than can be written is written as.
const LATEST: &str = "9999-12-31T23:59:59.999Z";

/// How a caller was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// By a key of the file of principals.
    ApiKey,
    /// By a certificate that a row of the file of principals names.
    Certificate,
    /// By a token of an issuer.
    Jwt,
    /// As the user of a ledger in its own process.
    Local,
    /// By the one token that may do everything.
    Token,
    /// Not at all: what was shown was refused.
    Unknown,
}

impl PrincipalKind {
    const ALL: [Self; 6] = [
        Self::ApiKey,
        Self::Certificate,
        Self::Jwt,
        Self::Local,
        Self::Token,
        Self::Unknown,
    ];

    /// As it stands in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Certificate => "certificate",
            Self::Jwt => "jwt",
            Self::Local => "local",
            Self::Token => "token",
            Self::Unknown => "unknown",
        }
    }
}

/// A text is no kind of principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownPrincipalKind;

impl FromStr for PrincipalKind {
    type Err = UnknownPrincipalKind;
    fn from_str(text: &str) -> Result<Self, UnknownPrincipalKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(UnknownPrincipalKind)
    }
}

/// Who called, as far as that was known. Never what was shown to prove it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPrincipal {
    kind: PrincipalKind,
    subject: Option<String>,
}

impl EventPrincipal {
    /// Nobody that is known.
    pub const UNKNOWN: Self = Self {
        kind: PrincipalKind::Unknown,
        subject: None,
    };

    /// A caller with a name; one of kind [`PrincipalKind::Unknown`] has none.
    #[must_use]
    pub fn new(kind: PrincipalKind, subject: &str) -> Self {
        let known = kind != PrincipalKind::Unknown;
        Self {
            kind,
            subject: known.then(|| subject.into()),
        }
    }

    /// How it was known.
    #[must_use]
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// Its name; none when it was not known.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut object = ObjectWriter::new(out);
        object.text("kind", self.kind.as_str());
        object.optional_text("subject", self.subject());
        object.end();
    }

    fn of(fields: &mut Fields<'_>) -> Result<Self, PayloadError> {
        let mut inner = Fields::new(fields.object("principal")?);
        let kind = inner.parsed("kind", "a kind of principal")?;
        let subject = inner.optional_text("subject")?;
        inner.finish()?;
        if subject.is_none() != (kind == PrincipalKind::Unknown) {
            return Err(
                FieldError::value("subject", "there for who is known, and only there").into(),
            );
        }
        Ok(Self {
            kind,
            subject: subject.map(Into::into),
        })
    }
}

/// `access.denied`: calls of one kind were refused, one or more of them within a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDenied {
    /// How many; at least one.
    pub count: u64,
    /// When the first of them was refused.
    pub first: UnixMillis,
    /// When the last of them was.
    pub last: UnixMillis,
    /// The method, as `stella.scan.v1.ScanService/SubmitScan`, or `GET /checkpoint`.
    pub method: String,
    /// Who called.
    pub principal: EventPrincipal,
    /// The reason that the caller was told, a row of the table of refusals.
    pub reason: String,
    /// Id of the first of these requests.
    pub request_id: String,
    /// The scope that the method needs; none when it needs none.
    pub scope: Option<String>,
    /// The tenant that the caller is of, where it has no log here.
    pub tenant: Option<String>,
    /// What was wrong with the credentials, for people.
    pub why: Option<String>,
}

impl AccessDenied {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let mut object = ObjectWriter::new(&mut out);
        let most = SafeInteger::new(MAX_SAFE_INTEGER).unwrap_or(SafeInteger::ZERO);
        object.integer("count", SafeInteger::try_from(self.count).unwrap_or(most));
        object.text("first", &written(self.first));
        object.text("last", &written(self.last));
        object.text("method", &self.method);
        self.principal.write(object.member("principal"));
        object.text("reason", &self.reason);
        object.text("requestId", &self.request_id);
        object.text("schema", DENIED_SCHEMA);
        object.optional_text("scope", self.scope.as_deref());
        object.optional_text("tenant", self.tenant.as_deref());
        object.optional_text("why", self.why.as_deref());
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, DENIED_SCHEMA)?;
        let payload = Self {
            count: fields.integer_as("count")?,
            first: time(&mut fields, "first")?,
            last: time(&mut fields, "last")?,
            method: fields.text("method")?.into(),
            principal: EventPrincipal::of(&mut fields)?,
            reason: fields.text("reason")?.into(),
            request_id: fields.text("requestId")?.into(),
            scope: fields.optional_text("scope")?.map(Into::into),
            tenant: fields.optional_text("tenant")?.map(Into::into),
            why: fields.optional_text("why")?.map(Into::into),
        };
        fields.finish()?;
        if payload.count == 0 {
            return Err(FieldError::value("count", "at least 1").into());
        }
        if payload.last < payload.first {
            return Err(FieldError::value("last", "no earlier than first").into());
        }
        Ok(payload)
    }
}

/// `admin.*`: somebody was allowed to do what needs a privilege; recorded before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminAct {
    /// The method, as `stella.admin.v1.AdminService/Rebuild`.
    pub method: String,
    /// Who called.
    pub principal: EventPrincipal,
    /// Id of the request.
    pub request_id: String,
    /// The scope that allowed it.
    pub scope: String,
    /// What it is done to: a hash, or a name.
    pub target: String,
}

impl AdminAct {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(384);
        let mut object = ObjectWriter::new(&mut out);
        object.text("method", &self.method);
        self.principal.write(object.member("principal"));
        object.text("requestId", &self.request_id);
        object.text("schema", ACT_SCHEMA);
        object.text("scope", &self.scope);
        object.text("target", &self.target);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, ACT_SCHEMA)?;
        let payload = Self {
            method: fields.text("method")?.into(),
            principal: EventPrincipal::of(&mut fields)?,
            request_id: fields.text("requestId")?.into(),
            scope: fields.text("scope")?.into(),
            target: fields.text("target")?.into(),
        };
        fields.finish()?;
        Ok(payload)
    }
}

fn written(time: UnixMillis) -> String {
    format_time(time).unwrap_or_else(|_| LATEST.into())
}

fn time(fields: &mut Fields<'_>, name: &'static str) -> Result<UnixMillis, PayloadError> {
    let text = fields.text(name)?;
    parse_time(text).map_err(|_| FieldError::value(name, "YYYY-MM-DDTHH:MM:SS.sssZ").into())
}
