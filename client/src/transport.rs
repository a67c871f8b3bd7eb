//! Calls as they go out: with the token, and when the connection breaks, with what broke.
//!
//! tonic's own words for a connection that breaks under a call are "transport error", under a code
//! that depends on how it broke. Here it is UNAVAILABLE, names the address, and says every cause.

use crate::Bearer;
use crate::error::{causes, chain};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, ConnectError, Status, TimeoutExpired, transport};
use tower::Service;

type Inner = InterceptedService<Channel, Bearer>;

/// A channel whose calls carry the token.
#[derive(Clone, Debug)]
pub struct Authorized {
    inner: Inner,
    peer: Arc<Peer>,
}

impl Authorized {
    pub(crate) fn new(channel: Channel, bearer: Bearer, peer: Arc<Peer>) -> Self {
        Self {
            inner: InterceptedService::new(channel, bearer),
            peer,
        }
    }
}

impl Service<http::Request<Body>> for Authorized {
    type Response = <Inner as Service<http::Request<Body>>>::Response;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        let ready = Service::<http::Request<Body>>::poll_ready(&mut self.inner, context);
        ready.map_err(|error| self.peer.broken(error))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (answer, peer) = (self.inner.call(request), Arc::clone(&self.peer));
        Box::pin(async move {
            let answer = answer.await.map_err(|error| peer.broken(error))?;
            peer.answered.store(true, Ordering::Relaxed);
            Ok(answer)
        })
    }
}

/// Who is at the other end.
#[derive(Debug)]
pub(crate) struct Peer {
    address: String,
    encryption: Encryption,
    /// Whether it ever answered: then it speaks what we speak.
    answered: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    None,
    Tls,
    /// A channel of the caller.
    Unknown,
}

impl Peer {
    /// The server at a URL.
    pub(crate) fn at(url: &str, scheme: Option<&str>) -> Self {
        Self {
            address: url.to_owned(),
            encryption: match scheme {
                Some("https") => Encryption::Tls,
                _ => Encryption::None,
            },
            answered: AtomicBool::new(false),
        }
    }

    /// Whoever is behind a channel.
    pub(crate) fn unknown() -> Self {
        Self {
            address: "the server".to_owned(),
            encryption: Encryption::Unknown,
            answered: AtomicBool::new(false),
        }
    }

    /// Why there is no connection, with what may be wrong with the address.
    pub(crate) fn why(&self, error: &transport::Error) -> String {
        let why = causes(error);
        let hint = self.hint(error, &why);
        format!("{why}{hint}")
    }

    /// What a call answers whose connection broke.
    fn broken(&self, error: transport::Error) -> Status {
        let error = Arc::new(error);
        let code = Status::from_error(Box::new(Shared(Arc::clone(&error)))).code();
        let expired = chain(&*error).any(<dyn Error>::is::<TimeoutExpired>);
        let code = match code {
            // A deadline of the caller is no matter of the connection.
            Code::Cancelled if expired => Code::Cancelled,
            Code::Unknown | Code::Internal | Code::Cancelled => Code::Unavailable,
            other => other,
        };
        let message = format!("cannot reach {}: {}", self.address, self.why(&error));
        let mut status = Status::new(code, message);
        status.set_source(error);
        status
    }

    fn hint(&self, error: &transport::Error, why: &str) -> &'static str {
        match self.encryption {
            // A TLS alert, or a line of HTTP/1, read as the head of a frame.
            Encryption::None if why.contains("frame with invalid size") => MAY_EXPECT_HTTPS,
            // It may hang up before its alert is read: it took the connection and never answered.
            Encryption::None if !self.answered.load(Ordering::Relaxed) && !unreached(error) => {
                MAY_EXPECT_HTTPS
            }
            // Its answer to a TLS greeting is no TLS record.
            Encryption::Tls if why.contains("corrupt message") => NO_TLS,
            Encryption::None | Encryption::Tls | Encryption::Unknown => "",
        }
    }
}

const MAY_EXPECT_HTTPS: &str = "; the server may expect https";
const NO_TLS: &str = "; the server does not speak TLS at this address";

/// Whether nobody took the connection, or the caller gave up.
fn unreached(error: &transport::Error) -> bool {
    chain(error).any(|cause| cause.is::<ConnectError>() || cause.is::<TimeoutExpired>())
}

/// An error that is kept by two: by what finds its code, and as the source of what is made of it.
#[derive(Debug)]
struct Shared(Arc<transport::Error>);

impl fmt::Display for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
