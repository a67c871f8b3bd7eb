//! CVE records, JSON 5.x, with CISA's additions (SSVC decision points, CVSS) in `containers.adp`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::SeverityRecord;
use super::join::decision;
use crate::inputs::json::{self, DocumentError, List, Object, Text};
use crate::model::{
    JsonPointer, RowKey, ScoreTenths, SeverityFact, SeverityScheme, SeverityWord, SsvcFact, Table,
    unpackaged,
};

/// Name of this source in snapshot rows.
pub const SOURCE: &str = "cve";

/// Reads one record. A rejected CVE states nothing.
///
/// # Errors
/// [`DocumentError`].
pub fn read(bytes: &[u8]) -> Result<(RowKey, SeverityRecord), DocumentError> {
    let raw: RawRecord<'_> = json::parse(bytes)?;
    let root = JsonPointer::root();
    if raw.data_type.get() != Some("CVE_RECORD") {
        return Err(DocumentError::content(
            root.member("dataType"),
            "not CVE_RECORD",
        ));
    }
    let place = root.member("cveMetadata");
    let metadata = raw
        .cve_metadata
        .get()
        .ok_or_else(|| DocumentError::content(place.clone(), "not an object"))?;
    let id = metadata
        .cve_id
        .get()
        .ok_or_else(|| DocumentError::content(place.member("cveId"), "not a string"))?;
    let containers = raw
        .containers
        .get()
        .ok_or_else(|| DocumentError::content(root.member("containers"), "not an object"))?;
    let row = unpackaged(Table::Severity, SOURCE, id);
    let mut record = SeverityRecord {
        id: id.into(),
        severities: Vec::new(),
        ssvc: None,
    };
    if metadata.state.get() == Some("REJECTED") {
        return Ok((row, record));
    }
    if let Some(container) = containers.cna.get() {
        read_container(container, "cna", &row, &mut record);
    }
    for container in containers.adp.as_slice().iter().filter_map(Object::get) {
        read_container(container, "adp", &row, &mut record);
    }
    record.severities.sort_unstable();
    record.severities.dedup();
    Ok((row, record))
}

/// Adds what a container states; `role` and the container's short name make the provider, written
/// as in joins: `cna:github_m`, `adp:cisa-adp`.
fn read_container(raw: &RawContainer<'_>, role: &str, row: &RowKey, record: &mut SeverityRecord) {
    let name = raw
        .provider_metadata
        .get()
        .and_then(|metadata| metadata.short_name.get());
    let provider = format!("{role}:{}", name.unwrap_or_default()).to_ascii_lowercase();
    for metric in raw.metrics.as_slice().iter().filter_map(Object::get) {
        let cvss = [
            (&metric.v2, SeverityScheme::CvssV2),
            (&metric.v3_0, SeverityScheme::CvssV3),
            (&metric.v3_1, SeverityScheme::CvssV3),
            (&metric.v4, SeverityScheme::CvssV4),
        ];
        for (raw, scheme) in cvss {
            let Some(raw) = raw.get() else { continue };
            let Some(vector) = raw.vector_string.get() else {
                continue;
            };
            record.severities.push(SeverityFact {
                scheme,
                vector: vector.into(),
                // The number's own text: it is never a floating point number here.
                published: raw
                    .base_score
                    .and_then(|number| ScoreTenths::parse(number.get())),
                word: raw.base_severity.get().and_then(SeverityWord::parse),
                provider: provider.as_str().into(),
                row: row.clone(),
            });
        }
        if let Some(other) = metric.other.get() {
            read_other(other, &provider, row, record);
        }
    }
}

/// `other` metrics: SSVC, or a word of the provider's own scale (`value` or `text`).
fn read_other(raw: &RawOther<'_>, provider: &str, row: &RowKey, record: &mut SeverityRecord) {
    let Some(content) = raw.content.get() else {
        return;
    };
    if raw
        .kind
        .get()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("ssvc"))
    {
        let find = |pick: fn(&RawOption<'_>) -> Option<Box<str>>| {
            content
                .options
                .as_slice()
                .iter()
                .filter_map(Object::get)
                .find_map(pick)
        };
        let fact = SsvcFact {
            exploitation: find(|option| option.exploitation.get().and_then(decision)),
            automatable: find(|option| option.automatable.get().and_then(decision)),
            technical_impact: find(|option| option.technical_impact.get().and_then(decision)),
            row: row.clone(),
        };
        record.ssvc.get_or_insert(fact);
    } else if let Some(word) = content
        .value
        .get()
        .or(content.text.get())
        .and_then(SeverityWord::parse)
    {
        record.severities.push(SeverityFact {
            scheme: SeverityScheme::Word,
            vector: "".into(),
            published: None,
            word: Some(word),
            provider: provider.into(),
            row: row.clone(),
        });
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawRecord<'a> {
    #[serde(borrow)]
    data_type: Text<'a>,
    cve_metadata: Object<RawMetadata<'a>>,
    containers: Object<RawContainers<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawMetadata<'a> {
    #[serde(borrow)]
    cve_id: Text<'a>,
    state: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawContainers<'a> {
    #[serde(borrow)]
    cna: Object<RawContainer<'a>>,
    adp: List<Object<RawContainer<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawContainer<'a> {
    #[serde(borrow)]
    provider_metadata: Object<RawProvider<'a>>,
    metrics: List<Object<RawMetric<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawProvider<'a> {
    #[serde(borrow)]
    short_name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawMetric<'a> {
    #[serde(rename = "cvssV2_0", borrow)]
    v2: Object<RawCvss<'a>>,
    #[serde(rename = "cvssV3_0")]
    v3_0: Object<RawCvss<'a>>,
    #[serde(rename = "cvssV3_1")]
    v3_1: Object<RawCvss<'a>>,
    #[serde(rename = "cvssV4_0")]
    v4: Object<RawCvss<'a>>,
    other: Object<RawOther<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawCvss<'a> {
    #[serde(borrow)]
    vector_string: Text<'a>,
    base_score: Option<&'a RawValue>,
    base_severity: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawOther<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    content: Object<RawContent<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawContent<'a> {
    #[serde(borrow)]
    options: List<Object<RawOption<'a>>>,
    value: Text<'a>,
    text: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawOption<'a> {
    #[serde(rename = "Exploitation", borrow)]
    exploitation: Text<'a>,
    #[serde(rename = "Automatable")]
    automatable: Text<'a>,
    #[serde(rename = "Technical Impact")]
    technical_impact: Text<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_and_decision_points_are_read() {
        let text = br#"{"dataType": "CVE_RECORD", "cveMetadata": {"cveId": "CVE-1", "state": "PUBLISHED"},
          "containers": {"cna": {"providerMetadata": {"shortName": "GitHub_M"}, "metrics": [
              {"cvssV3_1": {"vectorString": "CVSS:3.1/x", "baseScore": 7.5, "baseSeverity": "HIGH"}},
              {"other": {"type": "Red Hat severity rating", "content": {"value": "Moderate"}}}]},
           "adp": [{"providerMetadata": {"shortName": "CISA-ADP"}, "metrics": [{"other": {"type": "ssvc",
              "content": {"options": [{"Exploitation": "PoC"}, {"Automatable": "no"},
              {"Technical Impact": "total"}]}}}]}]}}"#;
        let (row, record) = read(text).unwrap();
        assert_eq!(row.to_entry(), r#"["severity","","","cve","CVE-1"]"#);
        let [cvss, word] = record.severities.as_slice() else {
            panic!("two")
        };
        assert_eq!(
            (cvss.published.map(ScoreTenths::get), cvss.word),
            (Some(75), Some(SeverityWord::High))
        );
        assert_eq!(
            (&*cvss.provider, word.word),
            ("cna:github_m", Some(SeverityWord::Medium))
        );
        assert_eq!(record.ssvc.unwrap().exploitation.as_deref(), Some("poc"));
    }

    #[test]
    fn a_rejected_record_states_nothing() {
        let text =
            br#"{"dataType": "CVE_RECORD", "cveMetadata": {"cveId": "CVE-1", "state": "REJECTED"},
          "containers": {"cna": {"metrics": [{"cvssV3_1": {"vectorString": "x"}}]}}}"#;
        assert_eq!(read(text).unwrap().1.severities, []);
        assert!(read(br#"{"dataType": "CVE_RECORD"}"#).is_err());
        assert!(read(b"{}").is_err());
    }
}
