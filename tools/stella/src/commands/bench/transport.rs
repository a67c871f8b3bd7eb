//! The transport by itself: the append's messages over the same stack, answered at once.

use super::bare::{Answers, Bare};
use super::load::{self, Load};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::future::{Ready, ready};
use std::sync::Arc;
use stella_proto::ledger as wire;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};

/// The append's messages, answered at once by a server that keeps nothing
#[derive(Debug, Args)]
pub(crate) struct Transport {
    #[command(flatten)]
    load: Load,
    /// Events in a request
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Bytes in an event's payload
    #[arg(long, value_name = "N", default_value_t = 400)]
    payload: usize,
}

impl Transport {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let bare = Bare::serve(Echo).await?;
        let connections = bare.connect(self.load.connections).await?;
        let batch = self.batch.max(1);
        let requests = super::append::Appends::new(connections, batch, self.payload);
        let outcome = load::run(&self.load, Arc::new(requests)).await?;
        drop(bare);
        let items = u64::try_from(batch).unwrap_or(1);
        let what = "appends that nothing keeps (bare transport)";
        output::document(global.format, &outcome.json(&self.load, what, items))?;
        Ok(0)
    }
}

/// Decodes an append and acknowledges it: all that the transport costs, and nothing else.
#[derive(Debug, Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "stella.ledger.v1.LedgerService";
}

impl UnaryService<wire::AppendRequest> for Echo {
    type Response = wire::AppendResponse;
    type Future = Ready<Result<Response<wire::AppendResponse>, Status>>;

    fn call(&mut self, request: Request<wire::AppendRequest>) -> Self::Future {
        let count = u32::try_from(request.get_ref().events.len()).unwrap_or(u32::MAX);
        ready(Ok(Response::new(wire::AppendResponse {
            count,
            ..Default::default()
        })))
    }
}

impl Answers for Echo {
    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let mut grpc = Grpc::new(tonic_prost::ProstCodec::default());
        grpc.unary(self, request).await
    }
}
