//! Appends events in bulk and shows that the last of them stands in the log.
//!
//!     cargo run -p stella-client --example append -- URL TOKEN LOG-KEY ORIGIN
#![allow(clippy::print_stdout, reason = "an example says what it found")]

use stella_client::{
    Appender, Connection, LogTrust, NewEvent, PinStore, RetryPolicy, VerifyingLog, Window, bulk,
};
use stella_verify::checkpoint::Origin;
use stella_verify::event::{EventType, StreamName};

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, key, origin] = arguments.as_slice() else {
        return Err("usage: append URL TOKEN LOG-KEY ORIGIN".into());
    };
    let connection = Connection::to(url, Some(token)).await?;
    let appender = Appender::new(&connection, RetryPolicy::default());
    let (mut bulk, mut answers) = bulk(appender, Window::default());
    let pushing = tokio::spawn(async move {
        for number in 0..1000_u32 {
            let event = NewEvent {
                stream: StreamName::new("example".to_owned())?,
                event_type: EventType::new("example.counted".to_owned())?,
                payload: number.to_string().into(),
                expected: None,
            };
            // Waits while too much is under way.
            bulk.push(vec![event]).await?;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    });
    let mut last = None;
    while let Some(answer) = answers.next().await {
        // An error names the batch, its key and its events: append it again under that key.
        last = Some(answer?.appended);
    }
    pushing.await?.map_err(|problem| problem.to_string())?;

    let trust = LogTrust {
        keys: vec![key.parse()?],
        origin: Origin::new(origin)?,
    };
    let mut log = VerifyingLog::new(&connection, trust, Some(PinStore::new("pins")));
    if let Some(appended) = last {
        let read = log.events(appended.leaves).await?;
        let size = read.checkpoint.head().size;
        println!("verified {} of {size} events", read.events.len());
    }
    Ok(())
}
