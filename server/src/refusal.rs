//! A refusal on its way out: the reason, one sentence, and how each edge says it.

use crate::trace::trace_id;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use stella_ledger::LedgerError;
use stella_ledger::blobs::BlobError;
use stella_ledger::log::AppendError;
use stella_proto::reason::{DOMAIN, Reason};
use tonic_types::{ErrorDetails, StatusExt as _};

/// How long a client is told to wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a call is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The row of the table of refusals.
    pub reason: Reason,
    /// What happened, one sentence without the hint.
    pub message: String,
    /// The field of the request that is at fault, where it is one.
    pub field: Option<Box<str>>,
    /// The methods that the path answers, where the method is at fault.
    pub allow: Option<Box<str>>,
    /// How long to wait before trying again, where it is known better than in general.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Refuses for `reason`, saying `message`.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            field: None,
            allow: None,
            retry_after: None,
        }
    }

    /// A field of the request is missing or malformed.
    pub fn field(name: &str, problem: impl core::fmt::Display) -> Self {
        Self {
            field: Some(name.into()),
            ..Self::new(Reason::InvalidArgument, format!("{name}: {problem}"))
        }
    }

    /// The same refusal, of a field of the request.
    #[must_use]
    pub fn of_field(self, name: &str) -> Self {
        Self {
            field: Some(name.into()),
            ..self
        }
    }

    /// What is wrong with the field, without its name.
    fn problem(&self) -> &str {
        let name = self.field.as_deref().unwrap_or_default();
        let rest = self.message.strip_prefix(name);
        rest.and_then(|rest| rest.strip_prefix(": "))
            .unwrap_or(&self.message)
    }

    /// Says when it makes sense to try again.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    fn wait(&self) -> Duration {
        self.retry_after.unwrap_or(RETRY_AFTER)
    }

    fn may_retry(&self) -> bool {
        matches!(self.reason.meaning().http, 429 | 503)
    }
}

/// Most bytes of a message over gRPC. It travels in HTTP/2 headers, percent-encoded and again in base64;
/// some clients take no more than 8 KiB of those and give up the connection over more.
const MAX_MESSAGE_BYTES: usize = 2_000;

/// The same where it is encoded to three times its length, or stands there once more beside its field.
const MAX_REPEATED_BYTES: usize = 1_000;

/// Leaves out the middle of a long message, which may hold names from a document as long as it likes:
/// what it is about stands at the start, what is wrong with it at the end.
fn bounded(message: &str, most: usize) -> String {
    const LEFT_OUT: &str = " [...] ";
    if message.len() <= most {
        return message.to_owned();
    }
    let half = most.saturating_sub(LEFT_OUT.len()) / 2;
    let (start, _) = message.split_at(message.floor_char_boundary(half));
    let (_, end) = message.split_at(message.ceil_char_boundary(message.len() - half));
    [start, LEFT_OUT, end].concat()
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        // A test of this crate holds every reason that the ledger can give against the table.
        let reason = Reason::of(error.reason()).unwrap_or(Reason::Internal);
        Self::new(reason, error.to_string())
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        LedgerError::from(error).into()
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        LedgerError::from(error).into()
    }
}

impl From<Refusal> for tonic::Status {
    fn from(refusal: Refusal) -> Self {
        let meaning = refusal.reason.meaning();
        let facts = HashMap::from([("hint".to_owned(), meaning.hint.to_owned())]);
        let most = if refusal.field.is_none() && refusal.message.is_ascii() {
            MAX_MESSAGE_BYTES
        } else {
            MAX_REPEATED_BYTES
        };
        let mut details = ErrorDetails::new();
        details.set_error_info(refusal.reason.name(), DOMAIN, facts);
        if let Some(field) = refusal.field.as_deref() {
            details.add_bad_request_violation(field, bounded(refusal.problem(), most));
        }
        if refusal.may_retry() {
            details.set_retry_info(Some(refusal.wait()));
        }
        Self::with_error_details(meaning.grpc, bounded(&refusal.message, most), details)
    }
}

impl IntoResponse for Refusal {
    /// problem+json (RFC 9457) that also carries `error: {code, message, trace_id}`.
    fn into_response(self) -> Response {
        let meaning = self.reason.meaning();
        let mut body = json!({
            "type": format!("urn:stella:error:{}", self.reason.name()),
            "title": self.reason.name(),
            "status": meaning.http,
            "detail": self.message,
            "hint": meaning.hint,
            "code": self.reason.name(),
            "error": {"code": self.reason.name(), "message": self.message, "trace_id": trace_id()},
        });
        if let (Some(field), Value::Object(members)) = (self.field.as_deref(), &mut body) {
            let errors = json!([{"field": field, "detail": self.problem()}]);
            members.insert("errors".to_owned(), errors);
        }
        let status = http::StatusCode::from_u16(meaning.http)
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            http::header::CACHE_CONTROL,
            http::HeaderValue::from_static("no-store"),
        );
        let allow = self.allow.as_deref().map(http::HeaderValue::from_str);
        if let Some(Ok(allow)) = allow {
            headers.insert(http::header::ALLOW, allow);
        }
        if self.may_retry() {
            let seconds = http::HeaderValue::from(whole_seconds(self.wait()));
            headers.insert(http::header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// `Retry-After` counts in seconds: rounded up, so that nobody comes too early.
const fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs();
    if wait.subsec_nanos() > 0 {
        seconds + 1
    } else {
        seconds
    }
}
