//! CISA's catalogue of known exploited vulnerabilities, JSON.

use stella_verify::json::{JsonError, Value, canonicalize, parse_strict};

use crate::inputs::json::{self, DocumentError, Text};
use crate::model::{JsonPointer, KevFact, RowKey, Table, unpackaged};

/// Name of this source in snapshot rows.
pub const SOURCE: &str = "cisa-kev";

/// Splits a catalogue into its entries, each as canonical JSON: the records of the snapshot.
///
/// # Errors
/// [`DocumentError`] when the document is no catalogue. Entries are not yet read.
pub fn split(bytes: &[u8]) -> Result<Vec<Vec<u8>>, DocumentError> {
    let bytes = json::without_mark(bytes);
    let document = parse_strict(bytes).map_err(|error| strict_error(&error))?;
    let entries = document
        .as_object()
        .and_then(|members| members.get("vulnerabilities"))
        .and_then(Value::as_array)
        .ok_or_else(|| {
            let place = JsonPointer::root().member("vulnerabilities");
            DocumentError::content(place, "not an array; a catalogue has one")
        })?;
    Ok(entries.iter().map(canonicalize).collect())
}

pub(crate) fn strict_error(error: &JsonError) -> DocumentError {
    DocumentError::Json {
        pointer: JsonPointer::root(),
        reason: error.to_string().into(),
    }
}

/// Reads one entry.
///
/// # Errors
/// [`DocumentError`] with the pointer within the entry.
pub fn read(record: &[u8]) -> Result<KevFact, DocumentError> {
    #[derive(serde::Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Raw<'a> {
        #[serde(rename = "cveID", borrow)]
        cve_id: Text<'a>,
        date_added: Text<'a>,
        due_date: Text<'a>,
        known_ransomware_campaign_use: Text<'a>,
    }
    let raw: Raw<'_> = json::parse(record)?;
    let root = JsonPointer::root();
    let id = raw
        .cve_id
        .get()
        .ok_or_else(|| DocumentError::content(root.member("cveID"), "not a string"))?;
    let date_added = raw
        .date_added
        .get()
        .ok_or_else(|| DocumentError::content(root.member("dateAdded"), "not a string"))?;
    let ransomware = raw.known_ransomware_campaign_use.get().unwrap_or_default();
    Ok(KevFact {
        ransomware: ransomware.eq_ignore_ascii_case("known"),
        date_added: date_added.into(),
        due_date: raw.due_date.get().unwrap_or_default().into(),
        row: row(id),
    })
}

/// The row of a vulnerability's entry.
#[must_use]
pub fn row(id: &str) -> RowKey {
    unpackaged(Table::Kev, SOURCE, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_canonical_whatever_their_spelling() {
        let spaced = br#"{"catalogVersion": "1", "vulnerabilities": [
            {"dateAdded": "2024-01-02", "cveID": "CVE-1", "notes": "a\/b",
             "knownRansomwareCampaignUse": "Known"}]}"#;
        let records = split(spaced).unwrap();
        let expected = r#"{"cveID":"CVE-1","dateAdded":"2024-01-02","knownRansomwareCampaignUse":"Known","notes":"a/b"}"#;
        assert_eq!(records, [expected.as_bytes()]);
        let fact = read(&records[0]).unwrap();
        assert!(fact.ransomware);
        assert_eq!(fact.row.to_entry(), r#"["kev","","","cisa-kev","CVE-1"]"#);
    }

    #[test]
    fn other_documents_are_refused() {
        for text in ["{}", "[]", r#"{"vulnerabilities": {}}"#, "{"] {
            assert!(split(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(br#"{"cveID": 1, "dateAdded": "x"}"#).is_err());
        assert!(read(br#"{"cveID": "CVE-1"}"#).is_err());
    }
}
