//! Requests by method and code. The methods are those that exist, so labels are bounded.

use super::gather::{Gather, Value};
use super::histogram::{Histogram, SECONDS};
use super::number::{Counter, float};
use super::series::Series;
use crate::http::routes;
use http::Method;
use prost::Message as _;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tonic::Code;

/// Methods that are no service of ours.
const FOREIGN: &[(&str, bool)] = &[
    ("/grpc.health.v1.Health/Check", false),
    ("/grpc.health.v1.Health/Watch", true),
    (
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        true,
    ),
];

/// HTTP paths outside the table of routes, by prefix.
const PLAIN: &[(&str, &str)] = &[
    ("/checkpoint", "GET /checkpoint"),
    ("/openapi.json", "GET /openapi.json"),
    ("/tile/", "GET /tile"),
    ("/metrics", "GET /metrics"),
    ("/healthz", "GET /healthz"),
    ("/readyz", "GET /readyz"),
];

/// One method of the API: what is counted of it.
#[derive(Debug)]
pub(crate) struct MethodFigures {
    /// The gRPC path without its first slash, or the HTTP method and path template.
    pub(crate) name: String,
    /// Whether its answers, or its requests, are a stream, which may stay open.
    pub(crate) streaming: bool,
    rpc: [Counter; 17],
    http: Mutex<BTreeMap<u16, u64>>,
    duration: Histogram,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a gRPC code.
    Rpc(Code),
    /// With an HTTP status.
    Http(u16),
}

impl Ended {
    /// The label: the code's name, or the status in digits.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Rpc(code) => code_name(code).to_owned(),
            Self::Http(status) => status.to_string(),
        }
    }

    /// Whether the server is at fault.
    pub(crate) const fn is_fault(self) -> bool {
        match self {
            Self::Rpc(code) => matches!(code, Code::Unknown | Code::Internal | Code::DataLoss),
            Self::Http(status) => status >= 500 && status != 503,
        }
    }
}

/// The figures of every method.
#[derive(Debug)]
pub(crate) struct Requests {
    rpc: HashMap<String, Arc<MethodFigures>>,
    http: BTreeMap<(&'static str, &'static str), Arc<MethodFigures>>,
    plain: Vec<(&'static str, Arc<MethodFigures>)>,
    other: Arc<MethodFigures>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        let foreign = FOREIGN
            .iter()
            .map(|(path, streaming)| rpc_method(path, *streaming));
        let rpc = contract().chain(foreign);
        let http = routes::ROUTES.iter().map(|route| {
            let name = format!("{} {}", route.method, route.template);
            let key = (method_name(&route.method), route.template);
            (key, Arc::new(MethodFigures::new(name, false)))
        });
        let plain = PLAIN.iter().map(|(prefix, name)| {
            (
                *prefix,
                Arc::new(MethodFigures::new((*name).to_owned(), false)),
            )
        });
        Self {
            rpc: rpc.collect(),
            http: http.collect(),
            plain: plain.collect(),
            other: Arc::new(MethodFigures::new("other".to_owned(), false)),
        }
    }

    /// The figures of what a request asks for.
    pub(crate) fn of(&self, method: &Method, path: &str) -> &Arc<MethodFigures> {
        let found = self.rpc.get(path).or_else(|| {
            if let Some(route) = routes::found(method, path) {
                return self.http.get(&(method_name(&route.method), route.template));
            }
            let plain = self
                .plain
                .iter()
                .find(|(prefix, _)| path.starts_with(prefix));
            plain.map(|(_, figures)| figures)
        });
        found.unwrap_or(&self.other)
    }

    pub(crate) fn gather(&self, scrape: &mut Gather) {
        let rpc: BTreeMap<_, _> = self.rpc.iter().collect();
        let plain = self.plain.iter().map(|(_, figures)| figures);
        let all = rpc.into_values().chain(self.http.values()).chain(plain);
        for figures in all.chain([&self.other]) {
            figures.gather(scrape);
        }
    }
}

/// Every method of the contract, and whether it streams.
fn contract() -> impl Iterator<Item = (String, Arc<MethodFigures>)> {
    // The checked-in descriptors are tested; without them methods would count as "other".
    let files = prost_types::FileDescriptorSet::decode(stella_proto::DESCRIPTORS);
    files.unwrap_or_default().file.into_iter().flat_map(|file| {
        let package = file.package.unwrap_or_default();
        file.service.into_iter().flat_map(move |service| {
            let service_name = format!("/{package}.{}", service.name.unwrap_or_default());
            service.method.into_iter().map(move |method| {
                let path = format!("{service_name}/{}", method.name.unwrap_or_default());
                let streams = [method.server_streaming, method.client_streaming];
                rpc_method(&path, streams.contains(&Some(true)))
            })
        })
    })
}

fn rpc_method(path: &str, streaming: bool) -> (String, Arc<MethodFigures>) {
    let name = path.trim_start_matches('/').to_owned();
    let figures = MethodFigures::new(name, streaming);
    (path.to_owned(), Arc::new(figures))
}

impl MethodFigures {
    fn new(name: String, streaming: bool) -> Self {
        Self {
            name,
            streaming,
            rpc: Default::default(),
            http: Mutex::default(),
            duration: Histogram::new(&SECONDS),
        }
    }

    /// Whether machines ask it all the time: not worth a line in the log each.
    pub(crate) fn is_probe(&self) -> bool {
        let probes = ["GET /metrics", "GET /healthz", "GET /readyz"];
        probes.contains(&&*self.name) || self.name.starts_with("grpc.health.")
    }

    /// Counts a request that ended.
    pub(crate) fn ended(&self, how: Ended, took: Duration) {
        self.duration.observe_duration(took);
        match how {
            Ended::Rpc(code) => {
                if let Some(counter) = self.rpc.get(code as usize) {
                    counter.add(1);
                }
            }
            Ended::Http(status) => {
                let mut counts = self.http.lock().unwrap_or_else(PoisonError::into_inner);
                *counts.entry(status).or_default() += 1;
            }
        }
    }

    fn gather(&self, scrape: &mut Gather) {
        let method = || ("method", self.name.clone());
        let mut add = |ended: Ended, count| {
            let labels = vec![method(), ("code", ended.label())];
            scrape.add(Series::Requests, labels, Value::Number(float(count)));
        };
        for (code, count) in (0..).zip(self.rpc.iter().map(Counter::get)) {
            if count > 0 {
                add(Ended::Rpc(Code::from_i32(code)), count);
            }
        }
        let http = self
            .http
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (status, count) in http {
            add(Ended::Http(status), count);
        }
        let seen = self.duration.snapshot();
        // Methods that nobody calls are not worth 20 lines each.
        if seen.count > 0 {
            let seen = Value::Histogram(Box::new(seen));
            scrape.add(Series::RequestDuration, vec![method()], seen);
        }
    }
}

const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The methods that routes have, as constants.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_under_bounded_names() {
        let requests = Requests::new();
        let name = |method: Method, path: &str| requests.of(&method, path).name.clone();
        assert_eq!(
            name(Method::POST, "/stella.ledger.v1.LedgerService/Append"),
            "stella.ledger.v1.LedgerService/Append"
        );
        assert!(
            requests
                .of(&Method::POST, "/stella.ledger.v1.LedgerService/Tail")
                .streaming
        );
        assert_eq!(
            name(Method::GET, "/api/v1/scanner/scans/abc/manifest"),
            "GET /api/v1/scanner/scans/{scan_id}/manifest"
        );
        assert_eq!(name(Method::GET, "/tile/0/x001/000"), "GET /tile");
        assert_eq!(name(Method::GET, "/whatever/you/like"), "other");
    }
}
