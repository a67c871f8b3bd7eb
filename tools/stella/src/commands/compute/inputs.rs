//! The inputs of `stella score compute`, read from files, and what is said of them.

use super::Compute;
use crate::commands::policy;
use crate::commands::scan::read;
use crate::failure::Failure;
use crate::output;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use stella_proto::reason::Reason;
use stella_scoring::inputs::sbom::{self, SbomError, Signed};
use stella_scoring::inputs::{check_members, decompress, reachability};
use stella_scoring::model::{Bom, ReachabilitySet};
use stella_scoring::policy::{BUILT_IN, Policy};
use stella_scoring::snapshot::{
    BadRecords, Builder, FeedIndex, ImportError, ImportReport, VexIndex,
};
use stella_verify::keys::{KeyId, PublicKey};
use stella_verify::snapshot::{SnapshotHeader, SnapshotKind};

/// Bad records that an error names; the report of `--skip-bad-records` names all.
const SHOWN: usize = 20;

/// Everything that a score depends on.
pub(super) struct Inputs {
    pub(super) bom: Bom,
    /// The keys of which one signed the SBOM, where that was asked.
    pub(super) verified_by: Option<Vec<KeyId>>,
    pub(super) feed: Imported,
    pub(super) feed_index: FeedIndex,
    pub(super) vex: Imported,
    pub(super) vex_index: VexIndex,
    pub(super) reachability: Option<ReachabilitySet>,
    pub(super) policy: Policy,
}

/// A snapshot, without its records.
pub(super) struct Imported {
    pub(super) header: SnapshotHeader,
    pub(super) report: ImportReport,
    /// When the youngest of its files was written.
    pub(super) newest: Option<SystemTime>,
}

impl Inputs {
    /// Reads what was named. The small inputs first: what is wrong with them is said at once.
    pub(super) fn read(options: &Compute) -> Result<Self, Failure> {
        let policy = policy_of(options)?;
        let keys = keys(&options.sbom_key)?;
        let bom = bom(&options.sbom, &keys)?;
        let reachability = facts(options.reachability.as_deref())?;
        let feeds = [&options.osv, &options.epss, &options.kev, &options.severity];
        let (vex, records) = snapshot(SnapshotKind::Excititor, &[&options.vex], options)?;
        let vex_index = VexIndex::load(&records).map_err(Failure::operational)?;
        let (feed, records) = snapshot(SnapshotKind::Concelier, &feeds, options)?;
        let feed_index = FeedIndex::load(&records).map_err(Failure::operational)?;
        Ok(Self {
            bom,
            verified_by: (!keys.is_empty()).then(|| keys.iter().map(PublicKey::id).collect()),
            feed,
            feed_index,
            vex,
            vex_index,
            reachability,
            policy,
        })
    }

    /// What was read, by input; bad records are named and counted.
    pub(super) fn to_json(&self) -> Value {
        let signature = match &self.verified_by {
            None => json!({"verified": false}),
            Some(keys) => {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                json!({"verified": true, "keys": keys})
            }
        };
        let mut inputs = json!({
            "sbom": {
                "digest": self.bom.digest.to_string(),
                "format": self.bom.format.to_string(),
                "components": self.bom.components.len(),
                "signature": signature,
            },
            "feed": self.feed.to_json(),
            "vex": self.vex.to_json(),
            "policy": {"name": self.policy.name, "hash": self.policy.hash().to_string()},
        });
        if let (Some(facts), Some(members)) = (&self.reachability, inputs.as_object_mut()) {
            let facts = json!({
                "digest": facts.digest.to_string(),
                "facts": facts.facts.len(),
            });
            members.insert("reachability".to_owned(), facts);
        }
        inputs
    }
}

impl Imported {
    fn to_json(&self) -> Value {
        let report = &self.report;
        let read: serde_json::Map<String, Value> = (report.read.iter())
            .map(|(table, count)| (table.as_str().to_owned(), (*count).into()))
            .collect();
        let bad: Vec<Value> = (report.bad.iter())
            .map(|record| json!({"place": record.place, "reason": record.reason}))
            .collect();
        let notes: Vec<Value> = (report.notes.iter())
            .map(|note| json!({"place": note.place, "text": note.text}))
            .collect();
        json!({
            "hash": self.header.hash().to_string(),
            "rows": self.header.rows().get(),
            "sources": self.header.sources(),
            "read": read,
            "badCount": report.bad.len(),
            "bad": bad,
            "skipped": report.skipped,
            "notes": notes,
        })
    }
}

fn policy_of(options: &Compute) -> Result<Policy, Failure> {
    let default = BUILT_IN.first().map(|policy| policy.name);
    policy::load(options.policy.as_deref().or(default).unwrap_or_default())
}

fn keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, Failure> {
    let key = |path: &PathBuf| {
        let bad = |problem: String| {
            let sentence = format!("{}: {problem}", path.display());
            Failure::usage(sentence, "name a public key in PEM form")
        };
        let text = String::from_utf8(read(path)?).map_err(|problem| bad(problem.to_string()))?;
        PublicKey::from_pem(&text).map_err(|problem| bad(problem.to_string()))
    };
    paths.iter().map(key).collect()
}

fn bom(path: &Path, keys: &[PublicKey]) -> Result<Bom, Failure> {
    let signed = match keys {
        [] => Signed::Unchecked,
        keys => Signed::By(keys),
    };
    let document = document(path)?;
    let bom = sbom::read_signed(&document, signed).map_err(|problem| {
        let reason = match &problem {
            SbomError::Signature(_) | SbomError::Unsigned => Reason::VerificationFailed,
            SbomError::Document(_) | SbomError::Envelope(_) => Reason::BadSbom,
        };
        Failure::of(reason, format!("{}: {problem}", path.display()))
    })?;
    check_members(&document).map_err(|problem| bad(path, &problem))?;
    Ok(bom)
}

/// A file's document, decompressed.
fn document(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read(path)?;
    let document = decompress(&bytes).map_err(|problem| bad(path, &problem))?;
    Ok(document.into_owned())
}

fn bad(path: &Path, problem: &dyn std::fmt::Display) -> Failure {
    Failure::of(Reason::BadSbom, format!("{}: {problem}", path.display()))
}

fn facts(path: Option<&Path>) -> Result<Option<ReachabilitySet>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let document = document(path)?;
    let facts = reachability::read(&document).map_err(|problem| bad(path, &problem))?;
    check_members(&document).map_err(|problem| bad(path, &problem))?;
    Ok(Some(facts))
}

/// Makes a snapshot; gives it with its records.
fn snapshot<P: AsRef<[PathBuf]>>(
    kind: SnapshotKind,
    paths: &[P],
    options: &Compute,
) -> Result<(Imported, Vec<u8>), Failure> {
    let mut files = Files {
        builder: Builder::new(kind),
        newest: None,
    };
    for path in paths.iter().flat_map(AsRef::as_ref) {
        files.add(path)?;
    }
    let bad = if options.skip_bad_records {
        BadRecords::LeaveOut
    } else {
        BadRecords::Refuse
    };
    let imported = (files.builder.finish(bad)).map_err(|problem| import_failure(&problem))?;
    for record in &imported.report.bad {
        output::warn(&format!("left out {record}"));
    }
    let snapshot = Imported {
        header: imported.header,
        report: imported.report,
        newest: files.newest,
    };
    Ok((snapshot, imported.records))
}

struct Files {
    builder: Builder,
    newest: Option<SystemTime>,
}

impl Files {
    /// Adds a file, or every file below a folder in order of their names.
    fn add(&mut self, path: &Path) -> Result<(), Failure> {
        let failed = |problem: std::io::Error| Failure::file(path, &problem);
        if path.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path).map_err(failed)? {
                inside.push(entry.map_err(failed)?.path());
            }
            inside.sort();
            return inside.iter().try_for_each(|path| self.add(path));
        }
        let bytes = read(path)?;
        let written = std::fs::metadata(path).and_then(|about| about.modified());
        self.newest = self.newest.max(written.ok());
        (self.builder.add(&path.display().to_string(), &bytes))
            .map_err(|problem| import_failure(&problem))
    }
}

fn import_failure(problem: &ImportError) -> Failure {
    let ImportError::BadRecords(report) = problem else {
        return Failure::of(Reason::SnapshotBadRecord, problem.to_string());
    };
    let shown = report.bad.iter().take(SHOWN);
    let mut named: Vec<String> = shown.map(ToString::to_string).collect();
    if let Some(more) = report.bad.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        named.push(format!("and {more} more"));
    }
    let sentence = format!("{problem}: {}", named.join("; "));
    Failure::of(Reason::SnapshotBadRecord, sentence)
        .hint("correct or remove the named records, or say --skip-bad-records")
}
