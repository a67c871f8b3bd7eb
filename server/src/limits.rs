//! Every bound of the service on what it is asked to do: the constant, its unit and its reason.
//! What an operator may want otherwise is in [`Limits`], and a flag of `serve`.
//!
//! Past a bound the answer is `RESOURCE_EXHAUSTED` (429) or `TOO_LARGE` (413), at once: a request
//! that waits in a queue of the server's costs memory and answers when nobody listens any more.

use std::time::Duration;
use stella_ledger::limits::{MAX_PAGE_ITEMS, MAX_QUEUED_BYTES, MAX_REQUEST_BYTES};

/// Largest gRPC message in bytes: an SBOM comes in one.
pub(crate) const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Largest HTTP body in bytes: what a message holds, in base64 at worst.
pub(crate) const MAX_BODY_BYTES: usize = 96 * 1024 * 1024;

/// Largest list of headers of one request in bytes: a token is the longest.
pub(crate) const MAX_HEADER_BYTES: u32 = 32 * 1024;

/// Streams that one connection may have open; more wait at the client.
pub(crate) const MAX_CONCURRENT_STREAMS: u32 = 1024;

/// Batches of one append stream that may wait for their commit; reading pauses beyond it.
pub(crate) const MAX_BATCHES_IN_FLIGHT: usize = 64;

/// How many principals' rates are remembered; past it those that have their full burst are forgotten.
pub(crate) const MAX_PRINCIPALS: usize = 16 * 1024;

const _: () = assert!(MAX_BODY_BYTES / 4 * 3 >= MAX_MESSAGE_BYTES);
// One append fits a message, and the queue takes the largest one.
const _: () = assert!(MAX_REQUEST_BYTES < MAX_MESSAGE_BYTES);
const _: () = assert!(MAX_REQUEST_BYTES < MAX_QUEUED_BYTES);
// A page of nodes with their largest payloads is no message; a page of summaries is.
const _: () = assert!(MAX_PAGE_ITEMS * 64 * 1024 < MAX_MESSAGE_BYTES);

/// The bounds that an operator may set.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests under way at once. With answers in a millisecond that is far more than two cores
    /// do, and 1,024 in a queue still answer within tens of milliseconds.
    pub in_flight: u64,
    /// Streams open at once: tails, watches, exports, append streams.
    pub streams: u64,
    /// Connections open at once. Each costs some tens of KiB, and up to its windows when it sends.
    pub connections: u64,
    /// Requests a second and caller; none for no bound.
    pub rate: Option<Rate>,
    /// How long a request may take that is no stream, whatever its caller says.
    pub request_timeout: Duration,
    /// How long a new connection has until its first request is there (HTTP/1), or its preface
    /// (HTTP/2).
    pub head_timeout: Duration,
    /// How often a silent HTTP/2 connection is asked whether it lives, and how long it has to say.
    pub keepalive: Duration,
    /// How long calls under way may still take once the service stops.
    pub drain: Duration,
}

/// A token bucket's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second in the long run; at least 1.
    pub per_second: u32,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 1024,
            streams: 1024,
            connections: 4096,
            rate: None,
            request_timeout: Duration::from_mins(5),
            head_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}

/// A limit by its name in `stella_requests_limited_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    InFlight,
    Streams,
    Rate,
}

impl Limit {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InFlight => "in-flight",
            Self::Streams => "streams",
            Self::Rate => "rate",
        }
    }
}
