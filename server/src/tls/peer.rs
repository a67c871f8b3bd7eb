//! Who is at the other end, for whoever decides what a call may do.

use crate::auth::ClientCertificate;
use crate::connections::ConnectionInfo;
use http::Request;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tonic::body::Body;
use tower::util::MapRequestLayer;

/// Runs [`name_peer`] in front of everything.
pub(crate) type PeerLayer = MapRequestLayer<fn(Request<Body>) -> Request<Body>>;

/// The verified certificates of a call's peer, its own first: an extension of each request that came
/// over a connection on which the client showed one.
#[derive(Debug, Clone)]
pub struct PeerCertificates {
    chain: Arc<Vec<CertificateDer<'static>>>,
    /// Read once for all requests of a connection.
    client: Option<Arc<ClientCertificate>>,
}

impl PeerCertificates {
    /// Those that a handshake verified.
    pub(super) fn verified(chain: &[CertificateDer<'_>]) -> Self {
        let client = chain.first().and_then(|der| ClientCertificate::of(der));
        let chain = chain.iter().map(|der| der.clone().into_owned()).collect();
        Self {
            chain: Arc::new(chain),
            client: client.map(Arc::new),
        }
    }

    /// The certificates, the client's own first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// What the client's own says of whose it is.
    pub(crate) fn client(&self) -> Option<&ClientCertificate> {
        self.client.as_deref()
    }
}

/// Puts [`PeerCertificates`] into a request.
pub(crate) fn name_peer(mut request: Request<Body>) -> Request<Body> {
    let connection = request.extensions().get::<ConnectionInfo>();
    if let Some(peer) = connection.and_then(ConnectionInfo::peer).cloned() {
        request.extensions_mut().insert(peer);
    }
    request
}
