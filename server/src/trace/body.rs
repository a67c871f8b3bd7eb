//! An answer's body that says when and how the answer ended.

use super::layer::Ending;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::time::Sleep;
use tonic::body::Body;
use tonic::{Code, Status};

/// A body whose end is reported; a stream of gRPC ends at its caller's deadline.
pub(super) struct Watched {
    inner: Body,
    /// Taken at the end. Dropped before, the caller hung up.
    ending: Option<Ending>,
    cut: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(inner: Body, ending: Ending, cut: Option<Instant>) -> Self {
        let cut = cut.map(|at| Box::pin(tokio::time::sleep_until(at.into())));
        Self {
            inner,
            ending: Some(ending),
            cut,
        }
    }

    fn end(&mut self, trailers: Option<&HeaderMap>) {
        if let Some(mut ending) = self.ending.take() {
            ending.code = trailers.and_then(code_of).or(ending.code);
            ending.complete = true;
        }
    }

    /// The trailers of a stream that lasted past its deadline.
    fn late(&mut self) -> Option<HeaderMap> {
        let mut trailers = HeaderMap::new();
        let status = Status::new(Code::DeadlineExceeded, "the deadline passed");
        status.add_header(&mut trailers).ok()?;
        self.inner = Body::empty();
        self.end(Some(&trailers));
        Some(trailers)
    }
}

/// The gRPC code of an answer's headers or trailers.
pub(super) fn code_of(headers: &HeaderMap) -> Option<Code> {
    let value = headers.get("grpc-status")?;
    Some(Code::from_bytes(value.as_bytes()))
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(cut) = &mut self.cut
            && cut.as_mut().poll(context).is_ready()
        {
            self.cut = None;
            return Poll::Ready(self.late().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.end(Some(trailers));
                }
            }
            Some(Err(_)) => {}
            None => self.end(None),
        }
        if self.ending.is_none() {
            self.cut = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
