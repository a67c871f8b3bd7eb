//! Judging a bundle.
//!
//! Every file is read once; each check then looks at what it needs. A file that cannot be read fails
//! the check that answers for it, and the checks that would have needed it are skipped, so the first
//! cause is the one that is named:
//!
//! | damaged | check that fails |
//! |---|---|
//! | the archive, `manifest.json`, `score_proof.json`, `meta.json` | `idRecomputed` |
//! | an envelope, or a signature | `signatureValid` |
//! | order or number of nodes, the root | `merklePathValid` |
//! | the seal event, the tlog-proof | `logInclusion` |
//! | the time stated | `timestampValid` |
//! | `chain/` | `chainValid` |

mod chain;
mod content;
mod inputs;
mod log;
mod signature;

use super::report::{Report, Verdict};
use super::{BundleFiles, BundleMeta, MetaError};
use crate::checkpoint::Origin;
use crate::dsse::{Envelope, EnvelopeError, Threshold};
use crate::keys::{PublicKey, PureRust, SignatureProvider};
use crate::manifest::{ManifestError, ScanManifest};
use crate::note::VerifierKey;
use crate::score_proof::{ScoreProof, ScoreProofError};
use crate::units::UnixMillis;
use alloc::string::String;
use core::fmt::Display;

pub use log::MAX_CLOCK_SKEW;

/// Whom the caller trusts, and the caller's time. Nothing of this is taken from a bundle.
#[derive(Clone, Copy)]
pub struct TrustInput<'a> {
    /// Keys that may sign manifests and roots.
    pub keys: &'a [PublicKey],
    /// How many distinct ones of them must have signed each envelope.
    pub threshold: Threshold,
    /// Keys of the log (not of witnesses). Without any, nothing that the log says is proved.
    pub log_keys: &'a [VerifierKey],
    /// The log that is expected; `None` accepts whichever log the keys belong to.
    pub log_origin: Option<&'a Origin>,
    /// The caller's time; `None` when there is no clock to trust.
    pub now: Option<UnixMillis>,
    /// Whether an entry in Rekor is demanded.
    pub require_rekor: bool,
    /// Who computes signatures.
    pub provider: &'a dyn SignatureProvider,
}

impl<'a> TrustInput<'a> {
    /// Trusts these keys, any one of them, with pure-Rust verification and without a clock.
    #[must_use]
    pub const fn new(keys: &'a [PublicKey], log_keys: &'a [VerifierKey]) -> Self {
        Self {
            keys,
            threshold: Threshold::ONE,
            log_keys,
            log_origin: None,
            now: None,
            require_rekor: false,
            provider: &PureRust,
        }
    }
}

/// Judges a bundle: no I/O, no clock but the caller's, no key but the caller's.
#[must_use]
pub fn verify(bytes: &[u8], trust: &TrustInput<'_>) -> Report {
    let files = match BundleFiles::open(bytes) {
        Ok(files) => files,
        Err(error) => return unreadable(&error),
    };
    let parts = Parts::read(&files);
    let log = log::inclusion(&parts, trust);
    let verdicts = [
        verdict(signature::signatures(&files, &parts, trust)),
        verdict(content::ids(&files, &parts)),
        verdict(content::merkle(&parts)),
        verdict(log::timestamp(&parts, &log, trust)),
        verdict(log),
        rekor(trust),
        verdict(chain::chain(&files, &parts, trust)),
    ];
    Report::new(verdicts, parts.meta.as_ref().ok())
        .with_unchecked(files.anchors().map(|(name, _)| name.into()).collect())
}

fn rekor(trust: &TrustInput<'_>) -> Verdict {
    let none = "bundles of this version carry no Rekor entry";
    if trust.require_rekor {
        Verdict::Fail(none.into())
    } else {
        Verdict::Skipped(none.into())
    }
}

/// Why a check did not pass.
enum Doubt {
    Fail(String),
    Skip(String),
}

/// What a check that passed has to say.
type Finding = Result<String, Doubt>;

fn fail(reason: impl Display) -> Doubt {
    Doubt::Fail(alloc::format!("{reason}"))
}

fn verdict(finding: Finding) -> Verdict {
    match finding {
        Ok(message) => Verdict::Pass(message),
        Err(Doubt::Fail(reason)) => Verdict::Fail(reason),
        Err(Doubt::Skip(reason)) => Verdict::Skipped(reason),
    }
}

fn unreadable(error: &dyn Display) -> Report {
    let skipped = || Verdict::Skipped("the archive could not be read".into());
    let failed = Verdict::Fail(alloc::format!("{error}"));
    Report::new(
        [
            skipped(),
            failed,
            skipped(),
            skipped(),
            skipped(),
            skipped(),
            skipped(),
        ],
        None,
    )
}

/// The files as far as they could be read.
struct Parts {
    manifest: Result<ScanManifest, ManifestError>,
    manifest_envelope: Result<Envelope, EnvelopeError>,
    proof: Result<ScoreProof, ScoreProofError>,
    root_envelope: Result<Envelope, EnvelopeError>,
    meta: Result<BundleMeta, MetaError>,
}

impl Parts {
    fn read(files: &BundleFiles<'_>) -> Self {
        Self {
            manifest: ScanManifest::parse(files.manifest),
            manifest_envelope: Envelope::parse(files.manifest_envelope),
            proof: ScoreProof::parse(files.score_proof),
            root_envelope: Envelope::parse(files.root_envelope),
            meta: BundleMeta::parse(files.meta),
        }
    }
}

/// The part, or skips a check for which another one answers.
fn need<'p, T, E>(part: &'p Result<T, E>, file: &str) -> Result<&'p T, Doubt> {
    part.as_ref()
        .map_err(|_| Doubt::Skip(alloc::format!("{file} could not be read")))
}
