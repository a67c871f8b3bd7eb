//! The bounds of a served ledger that an operator may set.

use clap::Args;
use std::num::NonZeroU32;
use std::time::Duration;
use stella_server::{Limits, Rate};

/// How much a server takes on at once.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Bounds {
    /// Requests under way at once; more are refused at once, with the time to retry after
    #[arg(long, value_name = "N", default_value_t = Limits::default().in_flight)]
    max_in_flight: u64,
    /// Streams open at once: tails, watches, exports, append streams
    #[arg(long, value_name = "N", default_value_t = Limits::default().streams)]
    max_streams: u64,
    /// Connections open at once; more are closed
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    max_connections: u64,
    /// Requests a second for each caller; no bound when absent
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
    /// Requests of a caller at once after a pause; as many as its rate when absent
    #[arg(long, value_name = "N", requires = "rate")]
    burst: Option<NonZeroU32>,
    /// Seconds that a request may take that is no stream
    #[arg(long, value_name = "S", default_value_t = Limits::default().request_timeout.as_secs())]
    request_timeout: u64,
    /// Seconds that calls under way may still take when the server stops
    #[arg(long, value_name = "S", default_value_t = Limits::default().drain.as_secs())]
    drain: u64,
}

impl Bounds {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            in_flight: self.max_in_flight,
            streams: self.max_streams,
            connections: self.max_connections,
            rate: self.rate.map(|rate| Rate {
                per_second: rate.get(),
                burst: self.burst.unwrap_or(rate).get(),
            }),
            request_timeout: Duration::from_secs(self.request_timeout),
            drain: Duration::from_secs(self.drain),
            ..Limits::default()
        }
    }
}
