//! A server for a test: a real one on a loopback port, in a directory of its own.

pub(crate) mod bounded;
pub(crate) mod peers;
pub(crate) mod wire;
pub(crate) mod world;

use std::sync::Arc;
use stella_client::Connection;
use stella_server::{App, AppOptions, Policy};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const TOKEN: &str = "a-token-for-tests-only";

/// A running server.
pub(crate) struct TestServer {
    pub(crate) url: String,
    pub(crate) directory: TempDir,
    app: Arc<App>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::over(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn over(directory: TempDir) -> Self {
        Self::with(directory, Policy::token(TOKEN, "tester", true)).await
    }

    pub(crate) async fn with(directory: TempDir, policy: Policy) -> Self {
        let options = AppOptions::new(directory.path());
        Self::opened(directory, options, policy).await
    }

    /// Serves at an address of before.
    pub(crate) async fn at(directory: TempDir, address: &str) -> Self {
        let options = AppOptions::new(directory.path());
        let policy = Policy::token(TOKEN, "tester", true);
        Self::listening(address, directory, options, policy).await
    }

    pub(crate) async fn opened(directory: TempDir, options: AppOptions, policy: Policy) -> Self {
        Self::listening("127.0.0.1:0", directory, options, policy).await
    }

    async fn listening(
        address: &str,
        directory: TempDir,
        options: AppOptions,
        policy: Policy,
    ) -> Self {
        let opening = tokio::task::spawn_blocking(|| App::open(options, &|_, _| ()));
        let app = opening.await.unwrap().unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(stella_server::serve(app.clone(), listener, policy, async {
            stopped.await.ok();
        }));
        Self {
            url,
            directory,
            app,
            stop,
            serving,
        }
    }

    /// The use cases behind the server.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// A connection that may write.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::to(&self.url, Some(TOKEN)).await.unwrap()
    }

    /// A connection without a token.
    pub(crate) async fn anonymous(&self) -> Connection {
        Connection::to(&self.url, None).await.unwrap()
    }

    /// Stops it cleanly and gives its directory back. Connections must be gone by then.
    pub(crate) async fn stop(self) -> TempDir {
        let Self {
            directory,
            app,
            stop,
            serving,
            ..
        } = self;
        stop.send(()).ok();
        serving.await.unwrap().unwrap();
        tokio::task::spawn_blocking(move || app.close())
            .await
            .unwrap()
            .unwrap();
        directory
    }
}

/// An advisory about every version of `demo-lib` before 2.0.0, in crates.io.
const ADVISORY: &str = r#"{
  "id": "DEMO-2024-0001",
  "modified": "2024-01-01T00:00:00Z",
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
  "affected": [{
    "package": {"ecosystem": "crates.io", "name": "demo-lib"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]
  }]
}"#;

/// Imports a feed of one advisory, submits an SBOM of one component that it is about, and answers
/// the sealed scan.
pub(crate) async fn scored(connection: &Connection, version: &str) -> stella_proto::scan::Scan {
    use stella_proto::snapshot as feed;
    use stella_proto::snapshot::import_snapshot_request::Part;
    let parts = [
        Part::Header(feed::ImportHeader {
            kind: feed::SnapshotKind::Concelier.into(),
            publish: true,
            ..feed::ImportHeader::default()
        }),
        Part::File(feed::SourceFile {
            name: "demo.json".to_owned(),
        }),
        Part::Chunk(ADVISORY.into()),
    ];
    let parts = parts.map(|part| feed::ImportSnapshotRequest { part: Some(part) });
    let imported = connection
        .snapshots()
        .import_snapshot(tokio_stream::iter(parts))
        .await;
    imported.unwrap();
    let sbom = format!(
        r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
            {{"type": "library", "name": "demo-lib", "version": "{version}",
              "purl": "pkg:cargo/demo-lib@{version}"}}]}}"#
    );
    let request = stella_proto::scan::SubmitScanRequest {
        sbom: sbom.into(),
        ..stella_proto::scan::SubmitScanRequest::default()
    };
    let submitted = connection.scans().submit_scan(request).await.unwrap();
    submitted.into_inner().scan.unwrap()
}
