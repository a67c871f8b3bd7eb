//! Answers with an entity tag, a digest and what caches may do with them.

use crate::refusal::Refusal;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use stella_proto::reason::Reason;
use stella_verify::base64;
use stella_verify::hash::{sha256, to_hex};

/// How long an answer stays true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// For ever, and anybody may read it: tiles.
    PublicForEver,
    /// For ever; who may read it is not everyone's business.
    ForEver,
    /// Until it is asked again.
    AskAgain,
}

impl Caching {
    const fn directive(self) -> &'static str {
        match self {
            Self::PublicForEver => "public, max-age=31536000, immutable",
            Self::ForEver => "private, max-age=31536000, immutable",
            Self::AskAgain => "private, no-cache",
        }
    }
}

/// A body by its content: 304 when the caller has it already, else with its digest (RFC 9530).
pub(super) fn content(
    body: impl Into<Bytes>,
    kind: &'static str,
    caching: Caching,
    asked: &HeaderMap,
) -> Result<Response, Refusal> {
    let body: Bytes = body.into();
    let digest = sha256(&body);
    let tag = format!("\"{}\"", to_hex(&digest));
    let known = asked.get_all(header::IF_NONE_MATCH).iter();
    let unchanged = known.into_iter().any(|known| names(known, &tag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let headers = response.headers_mut();
    if !unchanged {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let digest = format!("sha-256=:{}:", base64::encode(&digest));
        headers.insert("content-digest", value(&digest)?);
    }
    headers.insert(header::ETAG, value(&tag)?);
    let caching = HeaderValue::from_static(caching.directive());
    headers.insert(header::CACHE_CONTROL, caching);
    Ok(response)
}

/// A document by its content.
pub(super) fn json(
    document: Map<String, Value>,
    caching: Caching,
    asked: &HeaderMap,
) -> Result<Response, Refusal> {
    let body = Value::Object(document).to_string();
    content(body, "application/json", caching, asked)
}

/// Whether a list of entity tags names this one (RFC 9110 13.1.2, weak comparison).
fn names(list: &HeaderValue, tag: &str) -> bool {
    list.to_str().is_ok_and(|list| {
        list.split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == tag || one == "*")
    })
}

/// A header made of text that this program wrote.
pub(super) fn value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text)
        .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_it_gets_no_body() {
        let mut asked = HeaderMap::new();
        let first = content("text", "text/plain", Caching::ForEver, &asked).unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(
            first.headers()["content-digest"],
            "sha-256=:mC2ePrmW9VnmM/TRlN7zdh2Qn1o7ZH0ahR/q1nwyydE=:"
        );
        let tag = first.headers()[header::ETAG].clone();
        let weak = format!("\"other\", W/{}", tag.to_str().unwrap());
        for known in [tag.to_str().unwrap(), "*", &weak] {
            asked.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            let again = content("text", "text/plain", Caching::ForEver, &asked).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(again.headers()[header::ETAG], tag);
        }
        asked.insert(header::IF_NONE_MATCH, tag);
        let other = content("other", "text/plain", Caching::AskAgain, &asked);
        assert_eq!(other.unwrap().status(), StatusCode::OK);
    }
}
