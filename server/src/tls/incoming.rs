//! Connections that have shaken hands.

use super::{PeerCertificates, Tls};
use crate::connections::{Connection, Door};
use futures_util::{Stream, StreamExt as _};
use std::future::ready;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::TcpListenerStream;

/// A connection under TLS.
type Encrypted = TlsStream<TcpStream>;

/// Handshakes under way at once. One that dawdles holds its place, and no other, until its time is up.
const MAX_HANDSHAKES: usize = 1024;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Accepts and shakes hands, many at once. Peers that fail to are dropped: that is between them and
/// TLS, which has told them why.
pub(crate) fn incoming(
    listener: TcpListener,
    tls: Arc<Tls>,
    door: Door,
) -> impl Stream<Item = io::Result<Connection<Encrypted>>> {
    TcpListenerStream::new(listener)
        .map(move |accepted| {
            let (tls, door) = (Arc::clone(&tls), door.clone());
            // A task each: the arithmetic of one handshake holds up no other's.
            tokio::spawn(async move { shake(accepted?, &tls, &door).await })
        })
        .buffer_unordered(MAX_HANDSHAKES)
        .filter_map(|shaken| ready(shaken.unwrap_or(Ok(None)).transpose()))
}

/// The connection once hands are shaken; None when they were not, or when there is no place for it.
/// An error is the listener's.
async fn shake(
    stream: TcpStream,
    tls: &Tls,
    door: &Door,
) -> io::Result<Option<Connection<Encrypted>>> {
    // A handshake takes its connection's place: it costs more than most requests.
    let Ok(place) = door.place() else {
        return Ok(None);
    };
    // A lone answer must not wait for more bytes to share its packet.
    if stream.set_nodelay(true).is_err() {
        return Ok(None);
    }
    let shaking = TlsAcceptor::from(tls.current()).accept(stream);
    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, shaking).await;
    let shaken = shaken.ok().and_then(Result::ok);
    Ok(shaken.map(|stream| {
        let chain = stream.get_ref().1.peer_certificates();
        let peer = chain.map(PeerCertificates::verified);
        door.enter(place, stream, peer)
    }))
}
