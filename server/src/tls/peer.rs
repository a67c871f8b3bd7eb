//! Who is at the other end, for whoever decides what a call may do.

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
pub struct PeerCertificates(pub Arc<Vec<CertificateDer<'static>>>);

/// Puts [`PeerCertificates`] into a request.
pub(crate) fn name_peer(mut request: Request<Body>) -> Request<Body> {
    let connection = request.extensions().get::<ConnectionInfo>();
    if let Some(peer) = connection.and_then(ConnectionInfo::peer).cloned() {
        request.extensions_mut().insert(peer);
    }
    request
}
