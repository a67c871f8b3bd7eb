//! To each caller the ledger of its tenant, and no other.
//!
//! There is a router for each tenant, with services that hold that tenant's ledger alone. A call is
//! given to the router of its caller's tenant, so no handler ever chooses a ledger, and none can choose
//! a wrong one.

use crate::App;
use crate::auth::{Caller, Denial, TenantName, denied, is_grpc};
use crate::denials::Denials;
use crate::refusal::Refusal;
use crate::{grpc, http as json};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::Request;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use stella_proto::reason::Reason;
use tower::Service;

/// Everything that needs a ledger, for every tenant of `app`.
pub(crate) fn router(app: &Arc<App>, denials: &Arc<Denials>) -> Router {
    let routers = app.by_tenant().into_iter().map(|(tenant, app)| {
        let rpc = grpc::routes(&app).into_axum_router();
        (tenant, rpc.merge(json::router(&app)))
    });
    Router::new().fallback_service(Dispatch {
        routers: Arc::new(routers.collect()),
        denials: Arc::clone(denials),
    })
}

#[derive(Debug, Clone)]
struct Dispatch {
    routers: Arc<BTreeMap<TenantName, Router>>,
    denials: Arc<Denials>,
}

impl Service<Request<Body>> for Dispatch {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(caller) = request.extensions().get::<Caller>() else {
            let message = "a call passed without its caller being known";
            let refusal = Refusal::new(Reason::Internal, message);
            return Box::pin(std::future::ready(Ok(refusal.into_response())));
        };
        let Some(router) = self.routers.get(caller.tenant()) else {
            let denial = Denial::Tenant(caller.clone());
            let (method, path) = (request.method(), request.uri().path());
            self.denials.denied(&denial, method, path);
            let answer = denied(denial, is_grpc(request.headers()));
            return Box::pin(std::future::ready(Ok(answer.map(Body::new))));
        };
        Box::pin(router.clone().call(request))
    }
}
