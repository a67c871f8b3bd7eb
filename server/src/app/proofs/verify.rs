//! Verifying a bundle on the server, for those who trust it.

use super::App;
use crate::refusal::Refusal;
use serde::Deserialize;
use stella_proto::proof as wire;
use stella_proto::reason::Reason;
use stella_verify::bundle::{Report, TrustInput, verify};
use stella_verify::checkpoint::Origin;
use stella_verify::keys::PublicKey;
use stella_verify::note::VerifierKey;
use stella_verify::units::UnixMillis;

/// The anchor that stands for this ledger's own signing keys, the only one that it knows so far.
pub const OWN_ANCHOR: &str = "anchor-001";

/// The body of `POST /api/v1/proofs/verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyProofDocument {
    /// The bundle: its root.
    pub proof_bundle_id: String,
    /// Whether an entry in Rekor is demanded.
    #[serde(default)]
    pub check_rekor: bool,
    /// Anchors whose keys may have signed; empty for all that the server knows.
    #[serde(default)]
    pub anchor_ids: Vec<String>,
}

impl From<wire::VerifyProofRequest> for VerifyProofDocument {
    fn from(request: wire::VerifyProofRequest) -> Self {
        Self {
            proof_bundle_id: request.proof_bundle_id,
            check_rekor: request.check_rekor,
            anchor_ids: request.anchor_ids,
        }
    }
}

impl App {
    /// Builds a bundle and judges it as a stranger would, with this ledger's own keys: that which
    /// signs now, and those that the log recorded when they signed.
    ///
    /// [`Report::to_object`] is the answer of the HTTP route. A bundle that does not verify is a
    /// report too, not a refusal.
    pub(crate) fn verify_proof(
        &self,
        request: &VerifyProofDocument,
        now: UnixMillis,
    ) -> Result<Report, Refusal> {
        let (_, seal) = super::sealed(&self.newest()?, &request.proof_bundle_id)?;
        let mut keys = vec![self.signing_key()?];
        keys.extend(self.signatures(&seal)?.public_keys);
        keys.retain(|key| is_named(key, &request.anchor_ids));
        if let Some(unknown) = request.anchor_ids.iter().find(|id| !is_known(&keys, id)) {
            let message = format!(
                "no anchor {unknown}: this ledger's own is {OWN_ANCHOR}, its keys have their key ids"
            );
            return Err(Refusal::new(Reason::NotFound, message));
        }
        let log_keys: [VerifierKey; 1] = [self.vkey.parse().map_err(super::internal)?];
        let origin = Origin::new(&self.origin).map_err(super::internal)?;
        let trust = TrustInput {
            log_origin: Some(&origin),
            now: Some(now),
            require_rekor: request.check_rekor,
            ..TrustInput::new(&keys, &log_keys)
        };
        let download = wire::DownloadBundleRequest {
            root_hash: request.proof_bundle_id.clone(),
            ..wire::DownloadBundleRequest::default()
        };
        let report = verify(&self.bundle(&download)?, &trust);
        self.metrics.verified(&report);
        Ok(report)
    }

    fn signing_key(&self) -> Result<PublicKey, Refusal> {
        PublicKey::from_pem(&self.keys.signing_pem()?).map_err(super::internal)
    }
}

/// Whether an anchor id stands for this key: the ledger's own anchor, or the key's id.
fn names(anchor: &str, key: &PublicKey) -> bool {
    let digits = anchor.strip_prefix("sha256:").unwrap_or(anchor);
    anchor == OWN_ANCHOR || digits == key.id().to_string()
}

fn is_named(key: &PublicKey, anchors: &[String]) -> bool {
    anchors.is_empty() || anchors.iter().any(|anchor| names(anchor, key))
}

fn is_known(keys: &[PublicKey], anchor: &str) -> bool {
    keys.iter().any(|key| names(anchor, key))
}
