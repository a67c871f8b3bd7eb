//! Requests that changed nothing, and have to be remembered.

use super::PayloadError;
use crate::json::{Fields, ObjectWriter, parse_canonical};
use alloc::string::String;
use alloc::vec::Vec;

const SCHEMA: &str = "stella.request-answered/v1";

/// `request.answered`: a request with a request id changed nothing, because what it asks for was
/// there. Without this a repetition at a later time could change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestAnswered {
    /// The method, as `ImportSnapshot`.
    pub method: String,
    /// What the answer names: a hash, a name.
    pub subject: String,
}

impl RequestAnswered {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        let mut object = ObjectWriter::new(&mut out);
        object.text("method", &self.method);
        object.text("schema", SCHEMA);
        object.text("subject", &self.subject);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, SCHEMA)?;
        let payload = Self {
            method: fields.text("method")?.into(),
            subject: fields.text("subject")?.into(),
        };
        fields.finish()?;
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_has_one_spelling() {
        let payload = RequestAnswered {
            method: "ImportSnapshot".into(),
            subject: "sha256:00".into(),
        };
        let bytes = payload.to_bytes();
        assert_eq!(
            bytes,
            br#"{"method":"ImportSnapshot","schema":"stella.request-answered/v1","subject":"sha256:00"}"#
        );
        assert_eq!(RequestAnswered::parse(&bytes).unwrap(), payload);
        assert!(RequestAnswered::parse(b"{}").is_err());
    }
}
