//! The same load on UmaDB, an event store over tonic with real fdatasync, for a ratio from one run.
//!
//! Start it beside (`cargo install umadb`, then `umadb --listen 127.0.0.1:50051 --db-path DIR`) and
//! name it with `--umadb http://127.0.0.1:50051`. Only the fields that an append needs are spelled.

use crate::failure::Failure;
use stella_client::ClientError;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};

/// `umadb.v1.Event`, as far as we fill it.
#[expect(clippy::struct_field_names, reason = "the names of their protocol")]
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    #[prost(string, tag = "1")]
    pub(super) event_type: String,
    #[prost(string, repeated, tag = "2")]
    pub(super) tags: Vec<String>,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) data: bytes::Bytes,
}

/// `umadb.v1.AppendRequest`, without conditions.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AppendRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) events: Vec<Event>,
}

/// `umadb.v1.AppendResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AppendResponse {
    #[prost(uint64, tag = "1")]
    pub(super) position: u64,
}

/// A connection to UmaDB.
#[derive(Debug, Clone)]
pub(super) struct Umadb(Channel);

impl Umadb {
    pub(super) async fn connect(url: &str) -> Result<Self, Failure> {
        let failed = |why: String| ClientError::Connect {
            address: url.to_owned(),
            why,
        };
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| failed(e.to_string()))?;
        let channel = endpoint.tcp_nodelay(true).connect().await;
        Ok(Self(channel.map_err(|error| failed(error.to_string()))?))
    }

    /// Appends a batch, durably.
    pub(super) async fn append(&self, request: AppendRequest) -> Result<AppendResponse, Failure> {
        let mut grpc = Grpc::new(self.0.clone());
        let not_ready = |error: tonic::transport::Error| Failure::operational(error);
        grpc.ready().await.map_err(not_ready)?;
        let path = PathAndQuery::from_static("/umadb.v1.DCB/Append");
        let codec = tonic_prost::ProstCodec::default();
        Ok(grpc
            .unary(tonic::Request::new(request), path, codec)
            .await?
            .into_inner())
    }
}
