//! What a scan's answer says of its score, held against what was signed.

use crate::error::{refused, unverified};
use crate::scan::is_named_after;
use crate::{ClientError, Scan, Verified, VerifyingScores};
use stella_proto::reason::Reason;
use stella_verify::manifest::ScanManifest;
use stella_verify::statement::ScoreProofStatement;

/// A scan's newest computation, as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredScan {
    /// What was signed: root, score, nodes, computation.
    pub statement: ScoreProofStatement,
    /// All inputs of that computation, by hash.
    pub manifest: ScanManifest,
    /// All inputs as they were submitted; equal unless the scan was replayed since.
    pub submitted: ScanManifest,
}

impl VerifyingScores {
    /// Shows that a [`Scan`] says what was signed: its root and score, for a computation whose
    /// manifest hashes to the signed hash, of the same SBOM and artifact as the manifest that the
    /// scan is named after.
    ///
    /// Whoever submitted a scan compares `submitted.sbom_digest` with the SHA-256 of the
    /// (decompressed) SBOM, and is then told of the score of that document and no other. That no
    /// newer computation exists remains the server's word.
    ///
    /// # Errors
    /// [`ClientError::Unverified`]; [`ClientError::Refused`] when nothing is sealed yet.
    pub async fn scored(&self, scan: &Scan) -> Result<Verified<ScoredScan>, ClientError> {
        let Some(sealed) = scan.sealed else {
            let message = format!("{} is not sealed yet", scan.id);
            return Err(refused(Reason::ProofNotFound, message));
        };
        // Anyone can make a `Scan`: nothing is taken from how this one was read.
        if !is_named_after(&scan.id, scan.manifest) {
            return Err(unverified("the scan is not named after its manifest"));
        }
        let statement = self.root(sealed.root).await?;
        if (statement.score, statement.nodes) != (sealed.score, sealed.nodes) {
            return Err(unverified("another score was signed for the root"));
        }
        let id = scan.id.to_string();
        let submitted = self.fetch_manifest(id.clone(), None, scan.manifest).await?;
        let manifest = if statement.manifest == scan.manifest {
            submitted.clone()
        } else {
            let root = Some(statement.root);
            self.fetch_manifest(id, root, statement.manifest).await?
        };
        let scanned = |of: &ScanManifest| (of.sbom_digest, of.artifact_digest);
        if scanned(&manifest) != scanned(&submitted) || submitted.artifact_digest != scan.artifact {
            return Err(unverified("the score is of something else than the scan"));
        }
        Ok(Verified::new(ScoredScan {
            statement: statement.into_inner(),
            manifest,
            submitted,
        }))
    }
}
