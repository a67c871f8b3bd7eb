//! A message as a document.

use super::shape::{Bytes, Field, Kind, Shape, Shapes};
use crate::refusal::Refusal;
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};
use serde_json::{Map, Value, json};
use stella_proto::reason::Reason;
use stella_verify::base64;

/// How deep messages stand in each other, at most; the contract's do not get near it.
const MAX_DEPTH: u32 = 16;

/// The document of a message that the contract has under `name`.
///
/// # Errors
/// [`Reason::Internal`] when the message is not of that name, which would be a fault of ours.
pub(in crate::http) fn document(
    name: &str,
    message: &impl Message,
) -> Result<Map<String, Value>, Refusal> {
    let bytes = message.encode_to_vec();
    let read = object(name, &bytes, 0);
    read.ok_or_else(|| Refusal::new(Reason::Internal, format!("a message that is no {name}")))
}

fn object(name: &str, mut bytes: &[u8], depth: u32) -> Option<Map<String, Value>> {
    let shape = Shapes::get().message(name).filter(|_| depth < MAX_DEPTH)?;
    let mut members = absent(shape);
    while !bytes.is_empty() {
        let (number, wire) = decode_key(&mut bytes).ok()?;
        let field = shape.get(&number)?;
        let value = match wire {
            WireType::Varint => number_value(field, decode_varint(&mut bytes).ok()?)?,
            WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                if field.repeated && is_number(&field.kind) {
                    packed(field, value, &mut members)?;
                    continue;
                }
                bytes_value(field, value, depth)?
            }
            _ => return None,
        };
        put(&mut members, field, value);
    }
    Some(members)
}

/// A message without any of its fields: what is not optional is there.
fn absent(shape: &Shape) -> Map<String, Value> {
    let fields = shape.values().filter(|field| !field.optional);
    let members = fields.map(|field| {
        let value = match &field.kind {
            _ if field.repeated => json!([]),
            Kind::Text | Kind::Bytes(_) | Kind::Message(_) => json!(""),
            Kind::Flag => json!(false),
            Kind::Unsigned | Kind::Signed => json!(0),
            Kind::Word(words) => json!(words.get(&0)),
        };
        (field.name.clone(), value)
    });
    members.collect()
}

fn put(members: &mut Map<String, Value>, field: &Field, value: Value) {
    match members.get_mut(&field.name) {
        Some(Value::Array(items)) if field.repeated => items.push(value),
        _ => {
            members.insert(field.name.clone(), value);
        }
    }
}

const fn is_number(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Flag | Kind::Unsigned | Kind::Signed | Kind::Word(_)
    )
}

fn packed(field: &Field, mut values: &[u8], members: &mut Map<String, Value>) -> Option<()> {
    while !values.is_empty() {
        let value = number_value(field, decode_varint(&mut values).ok()?)?;
        put(members, field, value);
    }
    Some(())
}

fn number_value(field: &Field, number: u64) -> Option<Value> {
    Some(match &field.kind {
        Kind::Flag => json!(number != 0),
        Kind::Unsigned => json!(number),
        Kind::Signed => json!(number.cast_signed()),
        Kind::Word(words) => json!(words.get(&i32::try_from(number).ok()?)?),
        Kind::Text | Kind::Bytes(_) | Kind::Message(_) => return None,
    })
}

fn bytes_value(field: &Field, bytes: &[u8], depth: u32) -> Option<Value> {
    Some(match &field.kind {
        Kind::Text | Kind::Bytes(Bytes::Text) => json!(std::str::from_utf8(bytes).ok()?),
        Kind::Bytes(Bytes::Base64) => json!(base64::encode(bytes)),
        Kind::Bytes(Bytes::Json) => serde_json::from_slice(bytes).ok()?,
        Kind::Message(name) if name == "google.protobuf.Any" => any(bytes, depth)?,
        Kind::Message(name) => Value::Object(object(name, bytes, depth + 1)?),
        _ => return None,
    })
}

/// A message that says itself what it is: its document with `@type`.
fn any(bytes: &[u8], depth: u32) -> Option<Value> {
    let any = prost_types::Any::decode(bytes).ok()?;
    let (_, name) = any.type_url.rsplit_once('/')?;
    // What others defined, as the details of an error, is named only.
    let mut members = object(name, &any.value, depth + 1).unwrap_or_default();
    members.insert("@type".to_owned(), json!(any.type_url));
    Some(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_proto::{proof, replay, scan, snapshot};

    #[test]
    fn a_document_has_every_field_that_is_not_optional() {
        let scan = scan::Scan {
            scan_id: "scan-1".to_owned(),
            score_bps: -5,
            tree_size: u64::MAX,
            ..scan::Scan::default()
        };
        let document = document("stella.scan.v1.Scan", &scan).unwrap();
        assert_eq!(document["scanId"], "scan-1");
        assert_eq!(document["scoreBps"], -5);
        assert_eq!(document["treeSize"], u64::MAX);
        assert_eq!(document["rootHash"], "");
        assert_eq!(document.len(), 9);
    }

    #[test]
    fn lists_words_and_stored_documents_stand_as_what_they_are() {
        let change = snapshot::DiffSnapshotsResponse {
            changes: vec![snapshot::RowChange {
                kind: snapshot::RowChangeKind::Rescored.into(),
                ..snapshot::RowChange::default()
            }],
            totals: Vec::new(),
        };
        let found = document("stella.snapshot.v1.DiffSnapshotsResponse", &change).unwrap();
        assert_eq!(found["changes"][0]["kind"], "rescored");
        assert_eq!(found["totals"], json!([]));
        let node = proof::GetNodeResponse {
            node: bytes::Bytes::from_static(b"{\"kind\":\"delta\"}"),
            ..proof::GetNodeResponse::default()
        };
        let found = document("stella.proof.v1.GetNodeResponse", &node).unwrap();
        assert_eq!(found["node"]["kind"], "delta");
    }

    #[test]
    fn an_operation_says_what_its_metadata_is() {
        let operation = replay::Operation {
            name: "batch-1".to_owned(),
            progress: Some(replay::Progress {
                total: 3,
                ..replay::Progress::default()
            }),
            ..replay::Operation::default()
        };
        let operation = crate::app::long_running(&operation);
        let found = document("google.longrunning.Operation", &operation).unwrap();
        assert_eq!(found["metadata"]["progress"]["total"], 3);
        assert_eq!(
            found["metadata"]["@type"],
            "type.googleapis.com/stella.replay.v1.Operation"
        );
        assert!(found.get("response").is_none());
    }

    #[test]
    fn a_message_of_another_name_is_no_document() {
        let scan = scan::Scan {
            status: "sealed".to_owned(),
            ..scan::Scan::default()
        };
        assert!(document("stella.proof.v1.ProofSummary", &scan).is_err());
        assert!(document("stella.scan.v1.Nothing", &scan).is_err());
    }
}
