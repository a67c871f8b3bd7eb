//! Answers that no proof can show to be wrong, and that cannot be right.

use super::patient;
use std::sync::{Arc, Mutex};
use stella_client::{ClientError, Connection, NewScan, ScanFilter, Scans};
use stella_proto::reason::Reason;
use stella_proto::scan as wire;
use stella_proto::scan::scan_service_server::{ScanService, ScanServiceServer};
use stella_verify::event::payload::ScanId;
use stella_verify::hash::ManifestHash;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// A server of scans that answers what it is told to.
#[derive(Clone)]
struct Puppet(Arc<Mutex<Script>>);

struct Script {
    scan: wire::Scan,
    /// Token of every page.
    token: String,
    /// Lists that fail before one is answered.
    failures: usize,
    /// Tokens that were asked with.
    asked: Vec<String>,
}

impl Puppet {
    async fn start() -> (Self, Connection) {
        let puppet = Self(Arc::new(Mutex::new(Script {
            scan: plausible(),
            token: String::new(),
            failures: 0,
            asked: Vec::new(),
        })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = Server::builder()
            .add_service(ScanServiceServer::new(puppet.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        (puppet, Connection::to(&url, None).await.unwrap())
    }

    fn tell(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.0.lock().unwrap());
    }
}

#[tonic::async_trait]
impl ScanService for Puppet {
    async fn submit_scan(
        &self,
        _: Request<wire::SubmitScanRequest>,
    ) -> Result<Response<wire::SubmitScanResponse>, Status> {
        let scan = Some(self.0.lock().unwrap().scan.clone());
        Ok(Response::new(wire::SubmitScanResponse {
            scan,
            ..wire::SubmitScanResponse::default()
        }))
    }

    async fn get_scan(
        &self,
        _: Request<wire::GetScanRequest>,
    ) -> Result<Response<wire::GetScanResponse>, Status> {
        let scan = Some(self.0.lock().unwrap().scan.clone());
        Ok(Response::new(wire::GetScanResponse { scan }))
    }

    async fn list_scans(
        &self,
        request: Request<wire::ListScansRequest>,
    ) -> Result<Response<wire::ListScansResponse>, Status> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(request.into_inner().page_token);
        if let Some(left) = script.failures.checked_sub(1) {
            script.failures = left;
            return Err(Status::unavailable("not now"));
        }
        Ok(Response::new(wire::ListScansResponse {
            scans: vec![script.scan.clone()],
            next_page_token: script.token.clone(),
        }))
    }
}

fn id(of: ManifestHash) -> ScanId {
    ScanId::of(of, ScanId::MIN_DIGITS)
}

fn plausible() -> wire::Scan {
    let manifest = ManifestHash::new([1; 32]);
    wire::Scan {
        scan_id: id(manifest).to_string(),
        manifest_hash: manifest.to_string(),
        created_at: "2026-01-01T00:00:00.000Z".to_owned(),
        artifact_digest: manifest.to_string(),
        ..wire::Scan::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_scan_is_none() {
    let (puppet, connection) = Puppet::start().await;
    let scans = Scans::new(&connection, patient());
    let asked = id(ManifestHash::new([1; 32]));
    scans.get(&asked, None).await.unwrap();
    let lies: [fn(&mut wire::Scan); 5] = [
        |scan| scan.manifest_hash = ManifestHash::new([2; 32]).to_string(),
        |scan| scan.scan_id = scan.scan_id.to_uppercase(),
        |scan| scan.created_at = "yesterday".to_owned(),
        |scan| scan.artifact_digest.clear(),
        |scan| {
            scan.root_hash.clone_from(&scan.manifest_hash);
            scan.node_count = u64::MAX;
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        puppet.tell(|script| {
            script.scan = plausible();
            lie(&mut script.scan);
        });
        for answer in [
            scans.get(&asked, None).await.map(|_| ()),
            scans.submit(&NewScan::default()).await.map(|_| ()),
            scans.list(&ScanFilter::default()).next().await.map(|_| ()),
        ] {
            let refused = matches!(answer, Err(ClientError::Unverified(_)));
            assert!(refused, "lie {number}: {answer:?}");
        }
    }
    // A scan, and not the one that was asked for.
    puppet.tell(|script| script.scan = plausible());
    let other = id(ManifestHash::new([2; 32]));
    let other = scans.get(&other, None).await.unwrap_err();
    assert_eq!(other.reason(), Reason::VerificationFailed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_does_not_go_in_circles_and_a_page_that_fails_is_asked_for_again() {
    let (puppet, connection) = Puppet::start().await;
    let scans = Scans::new(&connection, patient());
    puppet.tell(|script| {
        script.token = "more".to_owned();
        script.failures = 2;
    });
    let mut pages = scans.list(&ScanFilter::default());
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 1);
    let circle = pages.next().await.unwrap_err();
    assert_eq!(circle.reason(), Reason::VerificationFailed);
    puppet.tell(|script| {
        assert_eq!(script.asked, ["", "", "", "more"]);
        script.token.clear();
    });
    // An error loses nothing: the page behind the first one is still the next.
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 1);
    assert!(pages.next().await.unwrap().is_none());
}
