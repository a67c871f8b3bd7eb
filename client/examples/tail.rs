//! Follows a log: prints events that are shown to be its own, across restarts of the server.
//!
//!     cargo run -p stella-client --example tail -- URL LOG-KEY ORIGIN [FROM]
#![allow(clippy::print_stdout, reason = "an example says what it found")]

use stella_client::{Connection, LogTrust, PinStore, RetryPolicy, VerifyingLog};
use stella_verify::checkpoint::Origin;
use stella_verify::units::LeafIndex;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, origin, from @ ..] = arguments.as_slice() else {
        return Err("usage: tail URL LOG-KEY ORIGIN [FROM]".into());
    };
    let from = from.first().map_or(Ok(0), |text| text.parse())?;
    let connection = Connection::to(url, None).await?;
    let trust = LogTrust {
        keys: vec![key.parse()?],
        origin: Origin::new(origin)?,
    };
    // A server that shows another history than the one remembered there is found out.
    let log = VerifyingLog::new(&connection, trust, Some(PinStore::new("pins")));
    let mut tail = log
        .tail(LeafIndex::new(from), RetryPolicy::default())
        .await?;
    loop {
        for event in &tail.next().await?.events {
            let (index, stream, kind) = (event.index, &event.stream, &event.event_type);
            println!("{index} {} {}", stream.as_str(), kind.as_str());
        }
    }
}
