//! W3C Trace Context: which trace a call belongs to, and the span that it is there.

use http::HeaderMap;
use std::sync::Arc;
use stella_verify::hash::to_hex;

/// Longest `tracestate` that is kept, in bytes (W3C: at least 512 must be).
const MAX_STATE_BYTES: usize = 512;

/// Longest id of a request that is taken from its caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The ids of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    /// 32 hex digits: from the caller's `traceparent`, else drawn.
    pub(crate) trace_id: Arc<str>,
    /// The caller's span, 16 hex digits; empty when the trace begins here.
    pub(crate) parent: Arc<str>,
    /// The span of this call, 16 hex digits, drawn.
    pub(crate) span_id: Arc<str>,
    /// What other vendors keep with the trace, passed on as it came.
    pub(crate) state: Arc<str>,
    /// Whether the caller records the trace; a trace that begins here is recorded.
    pub(crate) sampled: bool,
    /// The caller's `x-request-id`, else the span's id.
    pub(crate) request_id: Arc<str>,
}

impl Context {
    /// The context of a request's headers. What is malformed there is as if it were not there.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let span_id: Arc<str> = Arc::from(to_hex(&draw::<8>()));
        let request_id = text("x-request-id").filter(|id| is_request_id(id));
        let request_id = request_id.map_or_else(|| Arc::clone(&span_id), Arc::from);
        let Some((trace_id, parent, flags)) = text("traceparent").and_then(parse) else {
            return Self {
                trace_id: Arc::from(to_hex(&draw::<16>())),
                parent: Arc::from(""),
                span_id,
                state: Arc::from(""),
                sampled: true,
                request_id,
            };
        };
        // Several headers of this name are one list (W3C 3.3.1.1).
        let lines = headers.get_all("tracestate").iter();
        let state: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        let state = Some(state.join(",")).filter(|state| state.len() <= MAX_STATE_BYTES);
        Self {
            trace_id: Arc::from(trace_id),
            parent: Arc::from(parent),
            span_id,
            state: Arc::from(state.unwrap_or_default()),
            sampled: flags & 1 == 1,
            request_id,
        }
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>` (section 3.2.2): trace id, parent id, flags. Later versions may
/// append; all zeros is no id.
fn parse(text: &str) -> Option<(&str, &str, u8)> {
    let mut parts = text.split('-');
    let (version, id) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let whole = is_hex(version, 2) && is_hex(id, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    let named = |id: &str| id.bytes().any(|byte| byte != b'0');
    let flags = u8::from_str_radix(flags, 16).ok()?;
    (whole && known && named(id) && named(parent)).then_some((id, parent, flags))
}

fn is_hex(text: &str, digits: usize) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(hex)
}

/// Visible ASCII of a sane length: it stands in logs and in an answer's header.
fn is_request_id(id: &str) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Random bytes; without randomness calls share ids, which name nothing but break nothing.
fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn a_callers_context_is_kept_and_a_broken_one_is_not() {
        for (text, flags) in [
            (format!("00-{ID}-{PARENT}-01"), 1),
            (format!("01-{ID}-{PARENT}-00-more"), 0),
        ] {
            assert_eq!(parse(&text), Some((ID, PARENT, flags)), "{text}");
        }
        for text in [
            "",
            "00",
            &format!("00-{ID}-{PARENT}"),
            &format!("00-{ID}-{PARENT}-01-more"),
            &format!("ff-{ID}-{PARENT}-01"),
            &format!("00-{}-{PARENT}-01", "0".repeat(32)),
            &format!("00-{ID}-{}-01", "0".repeat(16)),
            &format!("00-{}-{PARENT}-01", ID.to_uppercase()),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_drawn_anew_and_states_joined() {
        let mut headers = HeaderMap::new();
        let (one, two) = (Context::of(&headers), Context::of(&headers));
        assert_ne!(one.trace_id, two.trace_id);
        assert_eq!((one.trace_id.len(), one.span_id.len()), (32, 16));
        assert_eq!(one.request_id, one.span_id);
        headers.insert(
            "traceparent",
            format!("00-{ID}-{PARENT}-00").parse().unwrap(),
        );
        headers.append("tracestate", "a=1".parse().unwrap());
        headers.append("tracestate", "b=2".parse().unwrap());
        headers.insert("x-request-id", "order-66".parse().unwrap());
        let kept = Context::of(&headers);
        assert_eq!((&*kept.trace_id, &*kept.parent), (ID, PARENT));
        assert_eq!((&*kept.state, kept.sampled), ("a=1,b=2", false));
        assert_eq!(&*kept.request_id, "order-66");
        headers.insert("x-request-id", "two words".parse().unwrap());
        assert_ne!(&*Context::of(&headers).request_id, "two words");
    }
}
