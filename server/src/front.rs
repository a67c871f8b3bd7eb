//! What the server answers before its ledger is open, while it is, and when it stops.
//!
//! ```text
//! opening   health NOT_SERVING, /readyz 503 with progress, calls UNAVAILABLE with RetryInfo
//! open      health SERVING, everything answers
//! stopping  health NOT_SERVING, calls under way are finished
//! ```

use crate::App;
use crate::auth::{is_grpc, refused};
use crate::denials::Denials;
use crate::metrics::{LedgerFigures, Metrics, Readiness};
use crate::refusal::Refusal;
use crate::{dispatch, grpc};
use ::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use stella_proto::reason::Reason;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::Service;

/// The services that health is told of: all of them, and none in particular.
const WHOLE_SERVER: &str = "";

/// What stands before the ledger.
#[derive(Debug)]
pub struct Front {
    metrics: Arc<Metrics>,
    denials: Arc<Denials>,
    health: HealthReporter,
    open: OnceLock<Open>,
    refolded: AtomicU64,
    total: AtomicU64,
    stopping: AtomicBool,
}

#[derive(Debug)]
struct Open {
    /// Weak, so that a scrape does not keep a ledger from closing.
    app: Weak<App>,
    routes: Router,
}

impl Front {
    /// A front with nothing behind it yet, and the routes that it answers itself; all others go to
    /// the ledger's, once there is one.
    pub(crate) async fn new(metrics: Arc<Metrics>, denials: Arc<Denials>) -> (Arc<Self>, Routes) {
        let (health, service) = tonic_health::server::health_reporter();
        health
            .set_service_status(WHOLE_SERVER, ServingStatus::NotServing)
            .await;
        let front = Arc::new(Self {
            metrics,
            denials,
            health,
            open: OnceLock::new(),
            refolded: AtomicU64::new(0),
            total: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        });
        let own = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics_page))
            .with_state(Arc::clone(&front));
        let rpc = grpc::own_routes(Routes::new(service)).into_axum_router();
        let rest = Behind(Arc::clone(&front));
        (front, Routes::from(rpc.merge(own).fallback_service(rest)))
    }

    /// Says how far opening is: events folded, and of how many (0: not known).
    pub fn progress(&self, done: u64, total: u64) {
        self.refolded.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// The ledger is open: from now on it answers.
    pub async fn opened(&self, app: &Arc<App>) {
        let ledgers = app.by_tenant();
        for ledger in ledgers.values() {
            ledger.tell_denials_to(&self.denials);
        }
        self.denials.serve(ledgers.into_keys());
        let open = Open {
            app: Arc::downgrade(app),
            routes: dispatch::router(app, &self.denials),
        };
        let first = self.open.set(open).is_ok();
        if self.stopping.load(Ordering::Acquire) {
            app.growing().end();
        } else if first {
            self.health
                .set_service_status(WHOLE_SERVER, ServingStatus::Serving)
                .await;
        }
    }

    /// The service ends: others are told to send their calls elsewhere, and calls that would last
    /// for ever end.
    pub async fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.health
            .set_service_status(WHOLE_SERVER, ServingStatus::NotServing)
            .await;
        if let Some(app) = self.app() {
            app.growing().end();
        }
    }

    /// The ledger, once it is open and as long as it is.
    pub(crate) fn app(&self) -> Option<Arc<App>> {
        self.open.get()?.app.upgrade()
    }

    /// Where refused calls are counted.
    pub(crate) const fn denials(&self) -> &Arc<Denials> {
        &self.denials
    }

    fn readiness(&self) -> Readiness {
        Readiness {
            ready: self.open.get().is_some() && !self.stopping.load(Ordering::Acquire),
            refolded: self.refolded.load(Ordering::Relaxed),
        }
    }

    fn not_open(&self) -> Refusal {
        let done = self.refolded.load(Ordering::Relaxed);
        let message = match self.total.load(Ordering::Relaxed) {
            0 => format!("the ledger is being opened: {done} events folded"),
            total => format!("the ledger is being opened: {done} of {total} events folded"),
        };
        Refusal::new(Reason::NotReady, message)
    }
}

/// `GET /readyz`: whether calls are taken, and how far opening is.
async fn readyz(State(front): State<Arc<Front>>) -> Response {
    let ready = front.readiness().ready;
    let state = match (ready, front.stopping.load(Ordering::Acquire)) {
        (true, _) => "serving",
        (false, true) => "stopping",
        (false, false) => "opening",
    };
    let body = json!({
        "ready": ready,
        "state": state,
        "refolded": front.refolded.load(Ordering::Relaxed),
        "total": front.total.load(Ordering::Relaxed),
    });
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !ready {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// `GET /metrics`, in the exposition that `Accept` asks for.
async fn metrics_page(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default().to_owned();
    let page = tokio::task::spawn_blocking(move || {
        let figures: Option<LedgerFigures> = front.app().map(|app| app.figures());
        front
            .metrics
            .expose(&accept, figures.as_ref(), front.readiness())
    });
    let lost = |lost: tokio::task::JoinError| Refusal::new(Reason::Internal, lost.to_string());
    let page = page.await.map_err(lost)?;
    let kind = HeaderValue::from_static(page.content_type);
    Ok(([(header::CONTENT_TYPE, kind)], page.body).into_response())
}

/// Everything that needs the ledger.
#[derive(Debug, Clone)]
struct Behind(Arc<Front>);

impl Service<Request<axum::body::Body>> for Behind {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<axum::body::Body>) -> Self::Future {
        if let Some(open) = self.0.open.get() {
            return Box::pin(open.routes.clone().call(request));
        }
        let answer = refused(self.0.not_open(), is_grpc(request.headers()));
        Box::pin(std::future::ready(Ok(answer.map(axum::body::Body::new))))
    }
}
