//! The body of `stella check KIND`: one JSON case a line in, one JSON result a line out.
//!
//! Anyone's vectors can be run against this verifier, without a server or a data directory. Bytes in
//! a case are base64 (either alphabet, padding optional) or hex after `hex:`. A case whose members
//! are missing or of the wrong type is *malformed*: the vectors are wrong. A case that is well formed
//! and does not verify (a hash, key or signature of the wrong length included) is *refused*: that is
//! a result.

mod case;
mod formats;
mod line;
mod signatures;
mod tlog;

pub use case::{
    bytes, bytes_list, hash32, members, number, optional_text, text, text_list, text_or_bytes,
};

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use serde_json::{Map, Value};

/// The members of one case or of one result.
pub type Members = Map<String, Value>;

/// What came of one case.
#[derive(Debug, Clone, PartialEq)]
pub enum CaseOutcome {
    /// The line is not a case of this kind.
    Malformed(String),
    /// The case does not verify.
    Refused(String),
    /// The case verifies; members to print beside `ok`.
    Ok(Members),
}

/// Why a case did not come out [`CaseOutcome::Ok`]; lets handlers use `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseFailure {
    /// As [`CaseOutcome::Malformed`].
    Malformed(String),
    /// As [`CaseOutcome::Refused`].
    Refused(String),
}

impl CaseFailure {
    /// Refuses with an error's text.
    pub fn refused(error: impl core::fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<Result<Members, CaseFailure>> for CaseOutcome {
    fn from(result: Result<Members, CaseFailure>) -> Self {
        match result {
            Ok(members) => Self::Ok(members),
            Err(CaseFailure::Malformed(reason)) => Self::Malformed(reason),
            Err(CaseFailure::Refused(reason)) => Self::Refused(reason),
        }
    }
}

/// How one line came out: the command's exit code is 0 when all are `Ok`, 2 when one is
/// `Malformed`, else 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineStatus {
    /// Verified.
    Ok,
    /// Well formed, not verified.
    Refused,
    /// Not a case of this kind.
    Malformed,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// How it came out.
    pub status: LineStatus,
    /// `{"ok": bool, "error"?: text, ...}` without a line end; repeats the case's `name`.
    pub json: String,
}

/// Reads a file that a case names; kinds that name none never call it.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Every kind of case, in the order of the command's help.
pub const KINDS: &[&str] = &[
    "inclusion",
    "consistency",
    "root",
    "note",
    "checkpoint",
    "tlog-proof",
    "cosignature",
    "dsse",
    "jcs",
    "ed25519",
    "bundle",
    "export",
    "signature",
    "event",
    "payload",
    "rule-applied",
    "manifest",
    "node",
    "score-proof",
    "snapshot",
    "snapshot-row",
    "snapshot-proof",
    "statement",
    "zip",
];

/// Runs one case; `None` when there is no such kind.
#[must_use]
pub fn run(kind: &str, line: &[u8], files: ReadFile<'_>) -> Option<CheckLine> {
    if !KINDS.contains(&kind) {
        return None;
    }
    let case = match line::case(line) {
        Ok(case) => case,
        Err(failure) => return Some(line_of(None, Err(failure).into())),
    };
    let outcome = dispatch(kind, &case, files)?;
    Some(line_of(case.get("name"), outcome))
}

fn dispatch(kind: &str, case: &Members, files: ReadFile<'_>) -> Option<CaseOutcome> {
    Some(match kind {
        "inclusion" => tlog::inclusion(case).into(),
        "consistency" => tlog::consistency(case).into(),
        "root" => tlog::root(case).into(),
        "note" => tlog::note(case).into(),
        "checkpoint" => tlog::checkpoint(case).into(),
        "tlog-proof" => tlog::tlog_proof(case).into(),
        "cosignature" => tlog::cosignature(case).into(),
        "dsse" => signatures::dsse(case).into(),
        "jcs" => formats::jcs(case).into(),
        "ed25519" => signatures::ed25519(case).into(),
        "bundle" => signatures::bundle(case, files).into(),
        "export" => tlog::export(case, files).into(),
        "signature" => signatures::signature(case).into(),
        "event" => formats::event(case).into(),
        "payload" => formats::payload(case).into(),
        "rule-applied" => formats::rule_applied(case).into(),
        "manifest" => formats::manifest(case).into(),
        "node" => formats::node(case).into(),
        "score-proof" => formats::score_proof(case).into(),
        "snapshot" => formats::snapshot(case).into(),
        "snapshot-row" => formats::snapshot_row(case).into(),
        "snapshot-proof" => formats::snapshot_proof(case).into(),
        "statement" => formats::statement(case).into(),
        "zip" => formats::zip(case).into(),
        _ => return None,
    })
}

fn line_of(name: Option<&Value>, outcome: CaseOutcome) -> CheckLine {
    let (status, mut members, error) = match outcome {
        CaseOutcome::Ok(members) => (LineStatus::Ok, members, None),
        CaseOutcome::Refused(reason) => (LineStatus::Refused, Members::new(), Some(reason)),
        CaseOutcome::Malformed(reason) => (
            LineStatus::Malformed,
            Members::new(),
            Some(format!("malformed case: {reason}")),
        ),
    };
    members.insert("ok".into(), Value::Bool(status == LineStatus::Ok));
    if let Some(error) = error {
        members.insert("error".into(), Value::String(error));
    }
    if let Some(name) = name {
        members.insert("name".into(), name.clone());
    }
    CheckLine {
        status,
        json: Value::Object(members).to_string(),
    }
}
