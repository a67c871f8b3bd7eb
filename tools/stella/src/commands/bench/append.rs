//! Durable appends over gRPC.

use super::load::{self, Load};
use super::target::Target;
use super::umadb::{self, Umadb};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::sync::Arc;
use stella_client::Connection;
use stella_proto::ledger as wire;

/// Durable appends
#[derive(Debug, Args)]
pub(crate) struct Append {
    #[command(flatten)]
    load: Load,
    /// Events in a request
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Bytes in an event's payload
    #[arg(long, value_name = "N", default_value_t = 400)]
    payload: usize,
    /// Put the load on this UmaDB server instead, to compare
    #[arg(long, value_name = "URL")]
    umadb: Option<String>,
}

/// The requests of one load, each client with a connection of the pool.
pub(super) struct Appends<C> {
    connections: Vec<C>,
    batch: usize,
    payload: bytes::Bytes,
}

impl<C> Appends<C> {
    /// Requests of `batch` events with `payload` bytes each.
    pub(super) fn new(connections: Vec<C>, batch: usize, payload: usize) -> Self {
        Self {
            connections,
            batch,
            payload: bytes::Bytes::from(vec![b'x'; payload]),
        }
    }

    fn connection(&self, client: usize) -> Result<&C, Failure> {
        let connection = self.connections.get(client % self.connections.len().max(1));
        connection.ok_or_else(|| Failure::usage("no connections", "use at least one"))
    }
}

impl load::Request for Appends<Connection> {
    async fn send(&self, client: usize, _: u64) -> Result<(), Failure> {
        let event = wire::NewEvent {
            stream: format!("bench/{client}"),
            r#type: "bench".to_owned(),
            payload: self.payload.clone(),
            expected_position: None,
        };
        let request = wire::AppendRequest {
            request_id: String::new(),
            events: vec![event; self.batch],
        };
        self.connection(client)?.ledger().append(request).await?;
        Ok(())
    }
}

impl load::Request for Appends<Umadb> {
    async fn send(&self, client: usize, _: u64) -> Result<(), Failure> {
        let event = umadb::Event {
            event_type: "bench".to_owned(),
            tags: vec![format!("bench/{client}")],
            data: self.payload.clone(),
        };
        let request = umadb::AppendRequest {
            events: vec![event; self.batch],
        };
        self.connection(client)?.append(request).await?;
        Ok(())
    }
}

impl Append {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let batch = self.batch.max(1);
        let pool = self.load.connections.max(1);
        let (what, outcome) = if let Some(url) = &self.umadb {
            let mut connections = Vec::new();
            for _ in 0..pool {
                connections.push(Umadb::connect(url).await?);
            }
            let requests = Appends::new(connections, batch, self.payload);
            (
                "durable appends, UmaDB",
                load::run(&self.load, Arc::new(requests)).await?,
            )
        } else {
            let target = Target::open(global).await?;
            let mut connections = Vec::new();
            for _ in 0..pool {
                connections.push(target.connect().await?);
            }
            let requests = Appends::new(connections, batch, self.payload);
            let outcome = load::run(&self.load, Arc::new(requests)).await?;
            target.close().await?;
            ("durable appends", outcome)
        };
        let items = u64::try_from(batch).unwrap_or(1);
        output::document(global.format, &outcome.json(&self.load, what, items))?;
        Ok(0)
    }
}
