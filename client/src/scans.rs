//! Submitting scans, each under an idempotency key, and finding them again.

use crate::fields::{present, text_of, wrong};
use crate::ids::{Keyed, random_ids};
use crate::pages::Place;
use crate::retry::repeat;
use crate::{Authorized, ClientError, Connection, NewScan, Pages, RequestIds, RetryPolicy, Scan};
use stella_proto::scan as wire;
use stella_proto::scan::scan_service_client::ScanServiceClient;
use stella_verify::event::payload::ScanId;
use stella_verify::hash::BlobDigest;
use stella_verify::units::{TreeSize, UnixMillis};

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedScan {
    /// The scan; its events are durable.
    pub scan: Scan,
    /// Whether the manifest was registered before: then nothing was computed again.
    pub existing: bool,
    /// What the readers noticed, one sentence each.
    pub warnings: Vec<String>,
}

/// Which scans are listed; the default is all, as of the newest tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanFilter {
    /// Those requested at or after this time.
    pub since: Option<UnixMillis>,
    /// Those of this artifact.
    pub artifact: Option<BlobDigest>,
    /// Those whose SBOM has this package, a purl whose version does not matter.
    pub package: Option<String>,
    /// As of this tree.
    pub at: Option<TreeSize>,
}

/// Submits scans and finds them, repeating what may not have arrived. Cheap to clone.
///
/// A key is drawn once for a submission and stays the same for all its tries: a connection that
/// breaks never submits twice.
#[derive(Debug, Clone)]
pub struct Scans {
    wire: ScanServiceClient<Authorized>,
    keyed: Keyed,
}

impl Scans {
    /// Scans over a connection, with random keys of 128 bits.
    #[must_use]
    pub fn new(connection: &Connection, policy: RetryPolicy) -> Self {
        Self::with_ids(connection, policy, random_ids())
    }

    /// The same with keys from `ids`: for callers whose own requests have names already.
    #[must_use]
    pub fn with_ids(connection: &Connection, policy: RetryPolicy, ids: RequestIds) -> Self {
        Self {
            wire: connection.scans(),
            keyed: Keyed::new(policy, ids),
        }
    }

    /// Submits a scan. When this answers, it is scored, sealed and durable.
    ///
    /// # Errors
    /// [`ClientError`]. After an error other than a refusal for good the outcome is unknown: submit
    /// under the same key to learn it.
    pub async fn submit(&self, scan: &NewScan) -> Result<SubmittedScan, ClientError> {
        self.submit_as(&self.keyed.draw()?, scan).await
    }

    /// Submits a scan under a key of the caller, for example again after an unknown outcome.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_as(&self, id: &str, scan: &NewScan) -> Result<SubmittedScan, ClientError> {
        let request = scan.to_wire(id);
        let answer = repeat(&self.keyed.policy, || {
            let (mut wire, request) = (self.wire.clone(), request.clone());
            async move { wire.submit_scan(request).await }
        });
        let answer = answer.await?.into_inner();
        Ok(SubmittedScan {
            scan: Scan::read(&present("scan", answer.scan)?)?,
            existing: answer.existing,
            warnings: answer.warnings,
        })
    }

    /// One scan, as of a tree; of the newest when absent.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when there is no such scan.
    pub async fn get(&self, id: &ScanId, at: Option<TreeSize>) -> Result<Scan, ClientError> {
        let request = wire::GetScanRequest {
            scan_id: id.to_string(),
            tree_size: at.map(TreeSize::get),
        };
        let answer = repeat(&self.keyed.policy, || {
            let (mut wire, request) = (self.wire.clone(), request.clone());
            async move { wire.get_scan(request).await }
        });
        let scan = Scan::read(&present("scan", answer.await?.into_inner().scan)?)?;
        if scan.id != *id {
            return Err(wrong("scan_id", "it is of another scan"));
        }
        Ok(scan)
    }

    /// Scans, newest first.
    #[must_use]
    pub fn list(&self, filter: &ScanFilter) -> Pages<Scan> {
        let wire = self.wire.clone();
        let request = wire::ListScansRequest {
            since_unix_ms: filter.since.map_or(0, UnixMillis::get),
            artifact_digest: text_of(filter.artifact),
            package: filter.package.clone().unwrap_or_default(),
            tree_size: filter.at.map(TreeSize::get),
            ..wire::ListScansRequest::default()
        };
        let ask = move |place: Place| {
            let (mut wire, mut request) = (wire.clone(), request.clone());
            (request.page_token, request.page_size) = (place.token, place.size.get());
            async move {
                let answer = wire.list_scans(request).await?.into_inner();
                Ok((answer.scans, answer.next_page_token))
            }
        };
        Pages::new(&self.keyed.policy, ask, Scan::read)
    }
}
