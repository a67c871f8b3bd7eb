//! in-toto Statement v1: what an envelope of ours says, and how to read what others say.
//!
//! [`Statement`] reads any producer's statement and tolerates what it does not know, as the
//! specification asks. [`ScoreProofStatement`] and [`ScanManifestStatement`] are ours: canonical
//! bytes, exactly the members of FORMATS.md section 8.

mod ours;

pub use ours::{
    ArtifactSubject, SCAN_MANIFEST_PREDICATE, SCORE_PROOF_PREDICATE, ScanManifestStatement,
    ScoreProofStatement, StatementError,
};

use crate::json::{FieldError, Fields, JsonError, Object, Value, parse_strict};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// `_type` of a statement of version 1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// `_type` of a statement of version 0.1, which many producers still write.
pub const STATEMENT_TYPE_V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// Bytes are not an in-toto statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignStatementError {
    /// Not unambiguous JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing or of the wrong type.
    #[error("statement: {0}")]
    Field(#[from] FieldError),
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDescriptor {
    /// Name of the artifact; the specification lets it be absent.
    pub name: Option<String>,
    /// Digests by algorithm, in lower-case hex as in-toto writes them. At least one: a subject must be
    /// immutable, and names are not.
    pub digest: BTreeMap<String, String>,
}

/// A statement of any producer. Members that are not named here are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `_type`: [`STATEMENT_TYPE`] or [`STATEMENT_TYPE_V0_1`].
    pub statement_type: String,
    /// What the predicate means.
    pub predicate_type: String,
    /// What the statement is about; at least one artifact.
    pub subject: Vec<ResourceDescriptor>,
    /// What is said about it.
    pub predicate: Option<Value>,
}

impl Statement {
    /// Reads a statement of version 0.1 or 1.
    ///
    /// # Errors
    /// [`ForeignStatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ForeignStatementError> {
        let value = parse_strict(bytes)?;
        let object = value.as_object();
        let object = object.ok_or_else(|| FieldError::value("statement", "an object"))?;
        let mut fields = Fields::new(object);
        let statement_type = fields.text("_type")?;
        if ![STATEMENT_TYPE, STATEMENT_TYPE_V0_1].contains(&statement_type) {
            return Err(FieldError::value("_type", "an in-toto statement of v0.1 or v1").into());
        }
        let subject: Vec<_> = fields
            .array("subject")?
            .iter()
            .map(descriptor)
            .collect::<Result<_, _>>()?;
        if subject.is_empty() {
            return Err(FieldError::value("subject", "at least one artifact").into());
        }
        let predicate_type = fields.text("predicateType")?;
        if predicate_type.is_empty() {
            return Err(FieldError::value("predicateType", "a URI").into());
        }
        // Some producers write `null` for what is absent.
        let predicate = fields.optional("predicate").cloned();
        let predicate = predicate.filter(|value| *value != Value::Null);
        if predicate
            .as_ref()
            .is_some_and(|it| it.as_object().is_none())
        {
            return Err(FieldError::value("predicate", "an object").into());
        }
        Ok(Self {
            statement_type: statement_type.into(),
            predicate_type: predicate_type.into(),
            subject,
            predicate,
        })
    }
}

fn descriptor(item: &Value) -> Result<ResourceDescriptor, FieldError> {
    let object = item
        .as_object()
        .ok_or_else(|| FieldError::value("subject", "objects"))?;
    let mut fields = Fields::new(object);
    let name = fields.optional_text("name")?.map(Into::into);
    let digests: &Object = fields.object("digest")?;
    let digest: BTreeMap<_, _> = digests.iter().map(digest_entry).collect::<Result<_, _>>()?;
    if digest.is_empty() {
        return Err(FieldError::value("digest", "at least one digest"));
    }
    Ok(ResourceDescriptor { name, digest })
}

fn digest_entry((algorithm, hex): (&str, &Value)) -> Result<(String, String), FieldError> {
    let hex = hex
        .as_str()
        .ok_or_else(|| FieldError::value("digest", "strings"))?;
    Ok((algorithm.into(), hex.into()))
}

#[cfg(test)]
mod tests;
