//! One table: every HTTP route, and what a call of it needs.

use crate::auth::Scope;
use crate::auth::table::Need;
use http::Method;

/// A route by its method and its path template; `{name}` stands for one segment of a path.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    pub(crate) need: Need,
}

const fn get(template: &'static str) -> Route {
    Route {
        method: Method::GET,
        template,
        need: Need::Read(Scope::ScannerProofs),
    }
}

/// A question too long for a URL: it changes nothing.
const fn asks(template: &'static str) -> Route {
    Route {
        method: Method::POST,
        template,
        need: Need::Read(Scope::ScannerProofs),
    }
}

const fn post(template: &'static str, scope: Scope) -> Route {
    Route {
        method: Method::POST,
        template,
        need: Need::Write(scope),
    }
}

pub(crate) const SCANS: &str = "/api/v1/scanner/scans";
pub(crate) const SCAN: &str = "/api/v1/scanner/scans/{scan_id}";
pub(crate) const MANIFEST: &str = "/api/v1/scanner/scans/{scan_id}/manifest";
pub(crate) const REPLAY: &str = "/api/v1/scanner/scans/{scan_id}/score/replay";
pub(crate) const BATCH: &str = "/api/v1/scanner/batch/replay";
pub(crate) const OPERATION: &str = "/api/v1/scanner/batch/replay/{name}";
pub(crate) const CANCEL: &str = "/api/v1/scanner/batch/replay/{name}:cancel";
pub(crate) const VERIFY: &str = "/api/v1/proofs/verify";
pub(crate) const PROOFS: &str = "/api/v1/scanner/scans/{scan_id}/proofs";
pub(crate) const BUNDLE: &str = "/api/v1/scanner/scans/{scan_id}/proofs/{root_hash}";
pub(crate) const SNAPSHOTS: &str = "/api/v1/snapshots";
pub(crate) const SNAPSHOT: &str = "/api/v1/snapshots/{hash}";

/// Every route below `/api`. The tiles of the log stand apart: their paths have their own grammar.
pub(crate) const ROUTES: &[Route] = &[
    get(SCANS),
    post(SCANS, Scope::ScannerScans),
    get(SCAN),
    get(MANIFEST),
    post(REPLAY, Scope::ScannerProofs),
    get(BATCH),
    post(BATCH, Scope::ScannerProofs),
    get(OPERATION),
    post(CANCEL, Scope::ScannerProofs),
    asks(VERIFY),
    get(PROOFS),
    get(BUNDLE),
    get(SNAPSHOTS),
    get(SNAPSHOT),
];

/// What a call needs; `None` when nothing answers there. `HEAD` is asked for as `GET` is.
pub(crate) fn needed(method: &Method, path: &str) -> Option<Need> {
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let route = ROUTES
        .iter()
        .find(|route| route.method == *method && matches(route.template, path))?;
    Some(route.need)
}

/// Whether a path has the segments of a template.
fn matches(template: &str, path: &str) -> bool {
    let mut asked = path.split('/');
    let same = template
        .split('/')
        .all(|wanted| asked.next().is_some_and(|segment| fits(wanted, segment)));
    same && asked.next().is_none()
}

/// Whether a segment is what a template's segment says: a word, or `{name}` with what follows it.
fn fits(wanted: &str, segment: &str) -> bool {
    match wanted.split_once('}') {
        Some((_, suffix)) => segment
            .strip_suffix(suffix)
            .is_some_and(|name| !name.is_empty()),
        None => wanted == segment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;
    use stella_proto::options::HttpRoute;

    /// Number of the method option `stella.options.v1.http`.
    const HTTP_OPTION: u32 = 50201;

    /// The routes that the contract declares beside its methods, with the method each stands by.
    fn declared() -> Vec<(String, HttpRoute)> {
        let files = Files::decode(stella_proto::DESCRIPTORS).unwrap();
        let mut found = Vec::new();
        for file in files.file {
            for service in file.service {
                for method in service.method {
                    let name = format!("/{}.{}/{}", file.package, service.name, method.name);
                    if let Some(route) = method.options.and_then(|options| options.http) {
                        found.push((name, route));
                    }
                }
            }
        }
        found
    }

    // The descriptor types of prost-types drop extensions: these keep the one that is ours.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Files {
        #[prost(message, repeated, tag = "1")]
        file: Vec<File>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct File {
        #[prost(string, tag = "2")]
        package: String,
        #[prost(message, repeated, tag = "6")]
        service: Vec<Service>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Service {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, repeated, tag = "2")]
        method: Vec<MethodDescriptor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct MethodDescriptor {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, optional, tag = "4")]
        options: Option<Options>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Options {
        #[prost(message, optional, tag = "50201")]
        http: Option<HttpRoute>,
    }

    #[test]
    fn every_annotated_method_has_its_route_with_the_same_access() {
        let declared = declared();
        assert!(!declared.is_empty(), "option {HTTP_OPTION} was not found");
        for (name, route) in declared {
            let method: Method = route.method.parse().unwrap();
            let asked = route.path.replace(['{', '}'], "");
            let http = crate::auth::table::needed(&method, &asked);
            assert!(http.is_some(), "{name}: {} {}", route.method, route.path);
            if asked != "/checkpoint" {
                let rpc = crate::auth::table::needed(&Method::POST, &name);
                assert_eq!(http, rpc, "{name}");
            }
        }
    }

    #[test]
    fn paths_match_whole_templates_only() {
        assert_eq!(
            needed(&Method::GET, "/api/v1/scanner/scans"),
            Some(Need::Read(Scope::ScannerProofs))
        );
        assert_eq!(
            needed(&Method::HEAD, "/api/v1/scanner/scans"),
            Some(Need::Read(Scope::ScannerProofs))
        );
        assert_eq!(
            needed(&Method::POST, "/api/v1/scanner/scans"),
            Some(Need::Write(Scope::ScannerScans))
        );
        assert_eq!(
            needed(&Method::POST, "/api/v1/scanner/batch/replay/job-1:cancel"),
            Some(Need::Write(Scope::ScannerProofs))
        );
        assert_eq!(
            needed(&Method::POST, "/api/v1/scanner/batch/replay/job-1"),
            None
        );
        assert_eq!(needed(&Method::DELETE, "/api/v1/scanner/scans"), None);
        for path in [
            "/api/v1/scanner/scans/",
            "/api/v1/scanner/scans/a/b",
            "/api/v1/scanner/scans//manifest",
            "/api/v1/scanner/batch",
            "/api/v1/scanner/scans/a/manifest/",
            "/api",
        ] {
            assert_eq!(needed(&Method::GET, path), None, "{path}");
        }
    }
}
