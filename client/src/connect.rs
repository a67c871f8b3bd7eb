//! A connection: a channel, and the token that every call carries.

use crate::error::causes;
use crate::transport::Peer;
use crate::{Authorized, ClientError, ConnectOptions};
use std::sync::Arc;
use std::time::Duration;
use stella_proto::admin::admin_service_client::AdminServiceClient;
use stella_proto::audit::audit_service_client::AuditServiceClient;
use stella_proto::google::longrunning::operations_client::OperationsClient;
use stella_proto::ledger::ledger_service_client::LedgerServiceClient;
use stella_proto::proof::proof_service_client::ProofServiceClient;
use stella_proto::replay::replay_service_client::ReplayServiceClient;
use stella_proto::scan::scan_service_client::ScanServiceClient;
use stella_proto::score::score_service_client::ScoreServiceClient;
use stella_proto::snapshot::snapshot_service_client::SnapshotServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Channel, Endpoint};

/// Largest answer that is accepted, in bytes. Bundles and exports come in chunks far below it.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Adds `authorization: Bearer <token>` to every call, when there is a token.
#[derive(Clone, Debug, Default)]
pub struct Bearer {
    header: Option<MetadataValue<Ascii>>,
}

impl Bearer {
    /// Carries `token`.
    ///
    /// # Errors
    /// [`ClientError::Connect`] when the token has characters that a header cannot carry.
    pub fn new(token: &str) -> Result<Self, ClientError> {
        let mut header: MetadataValue<Ascii> =
            format!("Bearer {token}")
                .parse()
                .map_err(|_| ClientError::Connect {
                    address: "the token".to_owned(),
                    why: "it has characters that a header cannot carry".to_owned(),
                })?;
        header.set_sensitive(true);
        Ok(Self {
            header: Some(header),
        })
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut call: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        if let Some(header) = &self.header {
            call.metadata_mut().insert("authorization", header.clone());
        }
        Ok(call)
    }
}

/// One server, every service of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connection {
    channel: Channel,
    bearer: Bearer,
    peer: Arc<Peer>,
}

impl Connection {
    /// Connects to a server at a URL such as `http://127.0.0.1:7443`.
    ///
    /// # Errors
    /// [`ClientError::Connect`] when the address is malformed or nobody answers.
    pub async fn to(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let options = ConnectOptions::default();
        let options = token.map_or(options.clone(), |token| options.token(token));
        Self::with(url, &options).await
    }

    /// Connects to a server at a URL, with TLS when it is `https`.
    ///
    /// # Errors
    /// [`ClientError::Connect`] when the address or an option is malformed, nobody answers, or the
    /// server is not who it should be.
    pub async fn with(url: &str, options: &ConnectOptions) -> Result<Self, ClientError> {
        let because = |why| ClientError::Connect {
            address: url.to_owned(),
            why,
        };
        let mut endpoint =
            Endpoint::from_shared(url.to_owned()).map_err(|error| because(causes(&error)))?;
        let peer = Peer::at(url, endpoint.uri().scheme_str());
        let failed = |error| because(peer.why(&error));
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(options.tls()).map_err(failed)?;
        }
        let alive_every = options.alive_every();
        let channel = endpoint
            .http2_keep_alive_interval(alive_every)
            .keep_alive_timeout(alive_every)
            .keep_alive_while_idle(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .connect()
            .await
            .map_err(failed)?;
        let bearer = options.bearer()?;
        let peer = Arc::new(peer);
        Ok(Self {
            channel,
            bearer,
            peer,
        })
    }

    /// Speaks over a channel that is already open, for a server in the same process.
    #[must_use]
    pub fn over(channel: Channel) -> Self {
        Self {
            channel,
            bearer: Bearer::default(),
            peer: Arc::new(Peer::unknown()),
        }
    }

    fn authorized(&self) -> Authorized {
        let (channel, bearer) = (self.channel.clone(), self.bearer.clone());
        Authorized::new(channel, bearer, Arc::clone(&self.peer))
    }

    /// The log.
    #[must_use]
    pub fn ledger(&self) -> LedgerServiceClient<Authorized> {
        LedgerServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Scans.
    #[must_use]
    pub fn scans(&self) -> ScanServiceClient<Authorized> {
        ScanServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Manifests and replays.
    #[must_use]
    pub fn scores(&self) -> ScoreServiceClient<Authorized> {
        ScoreServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Proofs.
    #[must_use]
    pub fn proofs(&self) -> ProofServiceClient<Authorized> {
        ProofServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Snapshots and policies.
    #[must_use]
    pub fn snapshots(&self) -> SnapshotServiceClient<Authorized> {
        SnapshotServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Batches of replays.
    #[must_use]
    pub fn replays(&self) -> ReplayServiceClient<Authorized> {
        ReplayServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Long work: batches and rebuilds.
    #[must_use]
    pub fn operations(&self) -> OperationsClient<Authorized> {
        OperationsClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Exports of the log.
    #[must_use]
    pub fn audit(&self) -> AuditServiceClient<Authorized> {
        AuditServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Status, check, rebuild.
    #[must_use]
    pub fn admin(&self) -> AdminServiceClient<Authorized> {
        AdminServiceClient::new(self.authorized()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }
}
