//! Behind authentication: a rate for each caller.

use super::bucket::Bucket;
use crate::auth::{Caller, TenantName, is_grpc, refused};
use crate::limits::{Limit, Limits, MAX_PRINCIPALS, Rate};
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use http::{Request, Response};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use stella_proto::reason::Reason;
use tonic::body::Body;
use tower::{Layer, Service};

/// Names are each tenant's own.
type Who = (TenantName, Arc<str>);

/// Refuses callers that ask more often than they may.
#[derive(Debug, Clone)]
pub(crate) struct RateLayer {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Arc<Limits>,
    buckets: Arc<Mutex<HashMap<Who, Bucket>>>,
}

impl RateLayer {
    pub(crate) fn new(metrics: Arc<Metrics>, limits: Arc<Limits>) -> Self {
        Self {
            metrics,
            limits,
            buckets: Arc::default(),
        }
    }

    fn check(&self, request: &Request<Body>) -> Result<(), Refusal> {
        let Some(rate) = self.limits.rate else {
            return Ok(());
        };
        let Some(caller) = request.extensions().get::<Caller>() else {
            return Ok(());
        };
        let method = self
            .metrics
            .requests
            .of(request.method(), request.uri().path());
        if method.is_probe() {
            return Ok(());
        }
        let who = (caller.tenant().clone(), Arc::clone(caller.name()));
        self.take(&who, rate, Instant::now()).map_err(|wait| {
            self.metrics.limited(Limit::Rate.name());
            let message = format!(
                "{} asks more than {} times a second",
                caller.name(),
                rate.per_second
            );
            Refusal::new(Reason::ResourceExhausted, message).after(wait)
        })
    }

    fn take(&self, who: &Who, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(who) {
            return bucket.take(rate, now);
        }
        if buckets.len() >= MAX_PRINCIPALS {
            // A full bucket says nothing that a new one does not say.
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        let mut bucket = Bucket::new(now);
        let taken = bucket.take(rate, now);
        if buckets.len() < MAX_PRINCIPALS {
            buckets.insert(who.clone(), bucket);
        }
        taken
    }
}

impl<S> Layer<S> for RateLayer {
    type Service = Rated<S>;
    fn layer(&self, inner: S) -> Rated<S> {
        Rated {
            inner,
            to: self.clone(),
        }
    }
}

/// The service that [`RateLayer`] makes.
#[derive(Debug, Clone)]
pub(crate) struct Rated<S> {
    inner: S,
    to: RateLayer,
}

impl<S> Service<Request<Body>> for Rated<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.to.check(&request) {
            Ok(()) => Box::pin(self.inner.call(request)),
            Err(refusal) => {
                let response = refused(refusal, is_grpc(request.headers()));
                Box::pin(std::future::ready(Ok(response)))
            }
        }
    }
}
