//! Proof bundles: one archive that verifies a score offline (FORMATS.md section 9).
//!
//! ```text
//! manifest.json          the inputs, by hash                     manifestHash = its SHA-256
//! manifest.dsse.json     envelope over it
//! score_proof.json       every rule application, in order        rootHash = Merkle root over them
//! proof_root.dsse.json   envelope over root and score
//! meta.json              the log's seal event, with a proof that it is in the log
//! inputs/<sha256 hex>    a replayable bundle's inputs, named by content
//! chain/                 the log's events of the computation, the scan's other seals
//! anchors/               public keys, for information: never trusted
//! ```
//!
//! [`build`] puts one together, [`verify`] judges one. Keys come from the caller, never from the
//! bundle. The same parts give the same bytes.

mod chain;
mod check_name;
mod files;
mod meta;
mod report;
mod verify;

pub use chain::{
    ANCHOR_LOG_FILE, ANCHORS_FOLDER, CHAIN_EXPORT_FILE, CHAIN_SEALS_FOLDER, ChainSeal,
};
pub use check_name::CheckName;
pub use files::{BundleError, BundleFiles};
pub use meta::{BundleMeta, META_SCHEMA, MetaError, SealEvent};
pub use report::{Check, Claims, Outcome, Report};
pub use verify::{MAX_CLOCK_SKEW, TrustInput, verify};

use crate::dsse::Envelope;
use crate::event::payload::ScanId;
use crate::manifest::ScanManifest;
use crate::score_proof::ScoreProof;
use crate::zip::{self, ZipEntry, ZipError};
use alloc::string::String;
use alloc::vec::Vec;

/// Name of the scan manifest's file.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the file with the envelope over the manifest.
pub const MANIFEST_ENVELOPE_FILE: &str = "manifest.dsse.json";
/// Name of the file with the proof nodes.
pub const SCORE_PROOF_FILE: &str = "score_proof.json";
/// Name of the file with the envelope over the root and the score.
pub const ROOT_ENVELOPE_FILE: &str = "proof_root.dsse.json";
/// Name of the file that ties the bundle to the log.
pub const META_FILE: &str = "meta.json";
/// Folder of a replayable bundle's inputs, each named by the hex digits of its SHA-256.
pub const INPUTS_FOLDER: &str = "inputs/";

/// What a bundle is made of. Nothing here is checked against anything else: that is [`verify`]'s.
#[derive(Debug, Clone, Copy)]
pub struct BundleParts<'a> {
    /// The inputs.
    pub manifest: &'a ScanManifest,
    /// Over [`ScanManifestStatement`](crate::statement::ScanManifestStatement).
    pub manifest_envelope: &'a Envelope,
    /// The computation.
    pub proof: &'a ScoreProof,
    /// Over [`ScoreProofStatement`](crate::statement::ScoreProofStatement).
    pub root_envelope: &'a Envelope,
    /// The scan that the computation belongs to.
    pub scan: &'a ScanId,
    /// The `root.sealed` event.
    pub seal: &'a SealEvent,
    /// A tlog-proof of that event's leaf, as text.
    pub tlog_proof: &'a str,
    /// Further entries under `inputs/`, `chain/` or `anchors/`.
    pub further: &'a [ZipEntry<'a>],
}

/// Why a bundle was not built. The caller's parts do not belong together, or are too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The seal event's leaf or time cannot stand in `meta.json`.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// A name or a size is outside the archive's bounds.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// A further entry is none that bundles have.
    #[error("entry {name:?} is none that a bundle has in inputs/, chain/ or anchors/")]
    Further {
        /// The entry.
        name: String,
    },
}

/// Puts a bundle together: the archive's bytes.
///
/// # Errors
/// [`BuildError`].
pub fn build(parts: &BundleParts<'_>) -> Result<Vec<u8>, BuildError> {
    if let Some(entry) = parts
        .further
        .iter()
        .find(|entry| !files::is_optional(entry.name))
    {
        return Err(BuildError::Further {
            name: entry.name.into(),
        });
    }
    let manifest = parts.manifest.to_bytes();
    let manifest_envelope = parts.manifest_envelope.to_bytes();
    let proof = parts.proof.to_bytes();
    let root_envelope = parts.root_envelope.to_bytes();
    let meta = BundleMeta::of(parts)?.to_bytes()?;
    let mut entries = Vec::from([
        ZipEntry {
            name: MANIFEST_FILE,
            content: &manifest,
        },
        ZipEntry {
            name: MANIFEST_ENVELOPE_FILE,
            content: &manifest_envelope,
        },
        ZipEntry {
            name: SCORE_PROOF_FILE,
            content: &proof,
        },
        ZipEntry {
            name: ROOT_ENVELOPE_FILE,
            content: &root_envelope,
        },
        ZipEntry {
            name: META_FILE,
            content: &meta,
        },
    ]);
    entries.extend_from_slice(parts.further);
    Ok(zip::write(&entries)?)
}

#[cfg(test)]
mod tests;
