//! What verification found: a report, never a bare yes or no.

use super::{BundleMeta, CheckName};
use crate::event::payload::ScanId;
use crate::hash::{BlobDigest, ManifestHash, ProofRoot};
use crate::json::{Object, SafeInteger, Value, canonicalize};
use crate::manifest::EngineVersion;
use crate::time::format_time;
use crate::units::{BasisPoints, NodeSequence, UnixMillis};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What it asks is so.
    Pass,
    /// What it asks is not so.
    Fail,
    /// It could not be asked; the message says why.
    Skipped,
}

impl Outcome {
    /// The word as users read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One check of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which question.
    pub name: CheckName,
    /// The answer.
    pub outcome: Outcome,
    /// What was found; of a failure, how the runbooks call it and what exactly is wrong.
    pub message: String,
    /// What to do about a failure.
    pub hint: Option<&'static str>,
}

/// What a bundle says of itself. True only as far as the report's checks passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The computation.
    pub manifest: ManifestHash,
    /// Root over its nodes, which is also the bundle's id.
    pub root: ProofRoot,
    /// How many nodes it has.
    pub nodes: NodeSequence,
    /// The score.
    pub score: BasisPoints,
    /// The engine that computed.
    pub engine_version: EngineVersion,
    /// What was scanned.
    pub artifact: BlobDigest,
    /// The log.
    pub log_origin: String,
    /// The scan.
    pub scan: ScanId,
    /// When the log sealed the root.
    pub sealed_at: UnixMillis,
}

impl From<&BundleMeta> for Claims {
    fn from(meta: &BundleMeta) -> Self {
        Self {
            manifest: meta.manifest,
            root: meta.root,
            nodes: meta.nodes,
            score: meta.score,
            engine_version: meta.engine_version,
            artifact: meta.artifact,
            log_origin: meta.log_origin.clone(),
            scan: meta.scan.clone(),
            sealed_at: meta.sealed_at,
        }
    }
}

/// The answer to every check, in the order of [`CheckName::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    checks: Vec<Check>,
    claims: Option<Claims>,
    unchecked: Vec<String>,
}

/// How one check came out, before it is told in a report's words.
pub(super) enum Verdict {
    Pass(String),
    Fail(String),
    Skipped(String),
}

impl Report {
    pub(super) fn new(verdicts: [Verdict; 7], meta: Option<&BundleMeta>) -> Self {
        let checks = CheckName::ALL
            .into_iter()
            .zip(verdicts)
            .map(|(name, verdict)| {
                let (outcome, message) = match verdict {
                    Verdict::Pass(message) => (Outcome::Pass, message),
                    Verdict::Skipped(message) => (Outcome::Skipped, message),
                    Verdict::Fail(reason) => (
                        Outcome::Fail,
                        alloc::format!("{}: {reason}", name.failure()),
                    ),
                };
                let hint = (outcome == Outcome::Fail).then(|| name.hint());
                Check {
                    name,
                    outcome,
                    message,
                    hint,
                }
            });
        Self {
            checks: checks.collect(),
            claims: meta.map(Claims::from),
            unchecked: Vec::new(),
        }
    }

    pub(super) fn with_unchecked(mut self, names: Vec<String>) -> Self {
        self.unchecked = names;
        self
    }

    /// Whether every required check passed and none failed.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.checks.iter().all(|check| match check.outcome {
            Outcome::Pass => true,
            Outcome::Fail => false,
            Outcome::Skipped => !check.name.is_required(),
        })
    }

    /// The checks, in the order of [`CheckName::ALL`].
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// One check.
    #[must_use]
    pub fn outcome(&self, name: CheckName) -> Outcome {
        let check = self.checks.iter().find(|check| check.name == name);
        check.map_or(Outcome::Skipped, |check| check.outcome)
    }

    /// What the bundle says of itself, when `meta.json` could be read.
    #[must_use]
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// Entries that the bundle carries for information: nothing in them is trusted.
    #[must_use]
    pub fn unchecked(&self) -> &[String] {
        &self.unchecked
    }

    /// The report as JSON: `verified`, `checks` by name with `status`, `message` and `hint`, and
    /// the claims.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        canonicalize(&Value::Object(self.to_object()))
    }

    /// As [`Report::to_json`], as an object to add to.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let checks = self.checks.iter().map(|check| {
            let object = Object::new()
                .with("status", check.outcome.as_str())
                .with("message", check.message.clone());
            let object = match check.hint {
                Some(hint) => object.with("hint", hint),
                None => object,
            };
            (check.name.as_str(), object)
        });
        let mut report = Object::new()
            .with("verified", self.verified())
            .with("checks", checks.collect::<Object>())
            .with("uncheckedEntries", self.unchecked.clone());
        if let Some(claims) = &self.claims {
            claims.write(&mut report);
        }
        report
    }
}

impl Claims {
    fn write(&self, report: &mut Object) {
        report.insert("proofBundleId", self.root.to_string());
        report.insert("rootHash", self.root.to_string());
        report.insert("manifestHash", self.manifest.to_string());
        report.insert("nodeCount", self.nodes.get());
        // Read from JSON, so in range.
        let score = SafeInteger::new(self.score.get()).unwrap_or(SafeInteger::ZERO);
        report.insert("scoreBps", score);
        report.insert("engineVersion", self.engine_version.get());
        report.insert("artifactDigest", self.artifact.to_string());
        report.insert("logOrigin", self.log_origin.clone());
        report.insert("scanId", self.scan.to_string());
        report.insert("sealedAt", format_time(self.sealed_at).unwrap_or_default());
    }
}
