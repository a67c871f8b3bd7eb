//! Connections: counted, bounded, and dropped when they say nothing or the service has ended.

use crate::limits::Limits;
use crate::metrics::{Entered, Metrics};
use crate::tls::PeerCertificates;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tonic::transport::server::Connected;

/// What an HTTP/2 client says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Takes connections in.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Arc<Limits>,
    /// True once whatever is still open is to be cut.
    pub(crate) cut: watch::Receiver<bool>,
}

impl Door {
    /// A place for a connection, unless there are too many: then it is closed at once, since an answer would
    /// need what there is too little of.
    pub(crate) fn place(&self) -> io::Result<Entered> {
        let Some(place) = self.metrics.connections.try_enter(self.limits.connections) else {
            self.metrics.limited("connections");
            let message = format!("{} connections are open", self.limits.connections);
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        };
        self.metrics.connections_total.add(1);
        Ok(place)
    }

    /// A connection that has its place; requests are what `stream` has, under TLS once it is
    /// decrypted.
    pub(crate) fn enter<S>(
        &self,
        place: Entered,
        stream: S,
        peer: Option<PeerCertificates>,
    ) -> Connection<S> {
        let mut cut = self.cut.clone();
        Connection {
            stream,
            info: ConnectionInfo {
                spoke: Arc::default(),
                peer,
            },
            greeting: Greeting::Coming(0),
            patience: Some(Box::pin(tokio::time::sleep_until(
                Instant::now() + self.limits.head_timeout,
            ))),
            cut: Box::pin(async move {
                if cut.wait_for(|cut| *cut).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }),
            _place: place,
        }
    }
}

/// What is known of a connection, in every request of it.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionInfo {
    spoke: Arc<AtomicBool>,
    peer: Option<PeerCertificates>,
}

impl ConnectionInfo {
    /// A whole head of a request came.
    pub(crate) fn spoke(&self) {
        self.spoke.store(true, Ordering::Relaxed);
    }

    /// The certificates that the client showed in the handshake, verified.
    pub(crate) const fn peer(&self) -> Option<&PeerCertificates> {
        self.peer.as_ref()
    }
}

/// How far the client's first words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    /// So many bytes of the preface of HTTP/2 were said.
    Coming(usize),
    Http1,
    Http2,
}

/// A connection that ends when its client does not speak in time, and at the end of the service.
pub(crate) struct Connection<S> {
    stream: S,
    info: ConnectionInfo,
    greeting: Greeting,
    patience: Option<Pin<Box<Sleep>>>,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    _place: Entered,
}

impl<S> Connection<S> {
    fn hear(&mut self, bytes: &[u8]) {
        if let Greeting::Coming(said) = self.greeting {
            let rest = PREFACE.get(said..).unwrap_or_default();
            let common = rest.len().min(bytes.len());
            self.greeting = if rest.get(..common) != bytes.get(..common) {
                Greeting::Http1
            } else if said + common == PREFACE.len() {
                Greeting::Http2
            } else {
                Greeting::Coming(said + common)
            };
        }
    }

    /// Whether the connection is to end, and why.
    fn ends(&mut self, context: &mut Context<'_>) -> Option<io::Error> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Some(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the service ended",
            ));
        }
        let spoke = self.greeting == Greeting::Http2 || self.info.spoke.load(Ordering::Relaxed);
        if spoke {
            // From here on it is HTTP's: keepalive, or the time between two requests.
            self.patience = None;
        }
        let patience = self.patience.as_mut()?;
        let late = patience.as_mut().poll(context).is_ready();
        late.then(|| io::Error::new(io::ErrorKind::TimedOut, "no request came in time"))
    }
}

impl<S> Connected for Connection<S> {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(end) = self.ends(context) {
            return Poll::Ready(Err(end));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let heard = buffer.filled().get(before..).unwrap_or_default();
        self.hear(heard);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
