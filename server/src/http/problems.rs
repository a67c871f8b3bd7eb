//! The framework's own refusals, in the words of this API.
//!
//! A path whose percent-encoding is no UTF-8, a method that a path does not have, a body beyond the
//! limit: axum answers those in plain text. Whoever reads problem+json reads it for these, too.

use crate::refusal::Refusal;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use stella_proto::reason::Reason;

/// Makes an answer in plain text that refuses a problem.
pub(super) async fn told(response: Response) -> Response {
    let (reason, message) = match response.status() {
        StatusCode::BAD_REQUEST => (Reason::InvalidArgument, "the path or the body is malformed"),
        StatusCode::NOT_FOUND => (Reason::NotFound, "nothing answers here"),
        StatusCode::METHOD_NOT_ALLOWED => {
            (Reason::MethodNotAllowed, "nothing answers this method here")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (Reason::TooLarge, "the body is too large"),
        _ => return response,
    };
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json")) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut problem = Refusal::new(reason, message).into_response();
    if let Some(allow) = allow {
        problem.headers_mut().insert(header::ALLOW, allow);
    }
    problem
}
