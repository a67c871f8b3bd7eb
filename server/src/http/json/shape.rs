//! What the messages of the contract look like, from its descriptors.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A field of bytes that is not base64: what it holds, and where it stands.
const BYTES: &[(&str, &str, Bytes)] = &[
    (
        "stella.ledger.v1.GetConsistencyProofResponse",
        "checkpoint",
        Bytes::Text,
    ),
    (
        "stella.ledger.v1.GetInclusionProofResponse",
        "checkpoint",
        Bytes::Text,
    ),
    ("stella.proof.v1.GetNodeResponse", "node", Bytes::Json),
    (
        "stella.proof.v1.GetProofRootResponse",
        "envelope",
        Bytes::Json,
    ),
    (
        "stella.score.v1.GetManifestResponse",
        "manifest",
        Bytes::Json,
    ),
    (
        "stella.snapshot.v1.GetPolicyResponse",
        "policy",
        Bytes::Json,
    ),
    (
        "stella.snapshot.v1.GetSnapshotResponse",
        "header",
        Bytes::Json,
    ),
];

/// How bytes stand in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Bytes {
    /// In base64.
    Base64,
    /// They are UTF-8.
    Text,
    /// They are a JSON document.
    Json,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    Text,
    Bytes(Bytes),
    Flag,
    /// Not negative.
    Unsigned,
    Signed,
    /// One of these words, by number.
    Word(BTreeMap<i32, String>),
    /// A message of this name.
    Message(String),
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Field {
    /// Its name in documents.
    pub(in crate::http) name: String,
    pub(in crate::http) kind: Kind,
    pub(in crate::http) repeated: bool,
    /// Whether it is left out when it is absent.
    pub(in crate::http) optional: bool,
    /// Its place among the fields of the message's descriptor.
    #[cfg(test)]
    pub(in crate::http) place: usize,
}

/// A message: its fields by number.
pub(in crate::http) type Shape = BTreeMap<u32, Field>;

/// Every message of the contract by its full name.
pub(in crate::http) struct Shapes(BTreeMap<String, Shape>);

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    // The checked-in descriptors are read by tests; without them there would be no documents.
    let files = FileDescriptorSet::decode(stella_proto::DESCRIPTORS).unwrap_or_default();
    Shapes::of(&files)
});

impl Shapes {
    /// Those of this contract.
    pub(in crate::http) fn get() -> &'static Self {
        &SHAPES
    }

    /// A message.
    pub(in crate::http) fn message(&self, name: &str) -> Option<&Shape> {
        self.0.get(name)
    }

    fn of(files: &FileDescriptorSet) -> Self {
        let mut words = BTreeMap::new();
        for file in &files.file {
            for of in &file.enum_type {
                let prefix = format!("{}_", screaming(of.name()));
                let values = of.value.iter().map(|value| {
                    let word = value.name().strip_prefix(&prefix).unwrap_or(value.name());
                    (value.number(), word.to_lowercase())
                });
                let name = format!(".{}.{}", file.package(), of.name());
                words.insert(name, values.collect::<BTreeMap<_, _>>());
            }
        }
        let mut shapes = BTreeMap::new();
        for file in &files.file {
            for message in &file.message_type {
                let name = format!("{}.{}", file.package(), message.name());
                let shape = shape(&name, message, &words);
                shapes.insert(name, shape);
            }
        }
        Self(shapes)
    }
}

fn shape(
    message: &str,
    descriptor: &DescriptorProto,
    words: &BTreeMap<String, BTreeMap<i32, String>>,
) -> Shape {
    let fields = descriptor.field.iter().enumerate();
    let fields = fields.filter_map(|(place, field)| {
        let name = match field.name() {
            // As those who page through these lists already know it.
            "next_page_token" => "next_page_token".to_owned(),
            name => camel(name),
        };
        let repeated = field.label() == Label::Repeated;
        let kind = kind(message, &name, field, words)?;
        let optional = field.oneof_index.is_some() || matches!(kind, Kind::Message(_));
        let number = u32::try_from(field.number()).ok()?;
        let field = Field {
            name,
            kind,
            repeated,
            optional: optional && !repeated,
            #[cfg(test)]
            place,
        };
        let _ = place;
        Some((number, field))
    });
    fields.collect()
}

fn kind(
    message: &str,
    name: &str,
    field: &FieldDescriptorProto,
    words: &BTreeMap<String, BTreeMap<i32, String>>,
) -> Option<Kind> {
    Some(match field.r#type() {
        Type::String => Kind::Text,
        Type::Bool => Kind::Flag,
        Type::Uint32 | Type::Uint64 => Kind::Unsigned,
        Type::Int32 | Type::Int64 => Kind::Signed,
        Type::Enum => Kind::Word(words.get(field.type_name())?.clone()),
        Type::Message => Kind::Message(field.type_name().trim_start_matches('.').to_owned()),
        Type::Bytes => {
            let mut stated = BYTES.iter();
            let stated = stated.find(|(of, field, _)| (*of, *field) == (message, name));
            Kind::Bytes(stated.map_or(Bytes::Base64, |(_, _, bytes)| *bytes))
        }
        // The contract has none of these.
        _ => return None,
    })
}

/// `snake_case` as `camelCase`.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for character in name.chars() {
        match character {
            '_' => upper = true,
            character if upper => {
                out.push(character.to_ascii_uppercase());
                upper = false;
            }
            character => out.push(character),
        }
    }
    out
}

/// `CamelCase` as `SCREAMING_CASE`, as prefixes of enum values are spelt.
fn screaming(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(character.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_documents_have_them() {
        assert_eq!(camel("tree_size"), "treeSize");
        assert_eq!(camel("hash"), "hash");
        assert_eq!(screaming("RowChangeKind"), "ROW_CHANGE_KIND");
    }

    #[test]
    fn every_field_of_ours_has_a_kind() {
        let files = FileDescriptorSet::decode(stella_proto::DESCRIPTORS).unwrap();
        let ours = files
            .file
            .iter()
            .filter(|file| file.package().starts_with("stella."));
        for file in ours {
            for message in &file.message_type {
                let name = format!("{}.{}", file.package(), message.name());
                let shape = Shapes::get().message(&name).unwrap();
                // Maps stand in requests only.
                let maps = message.nested_type.len();
                assert_eq!(shape.len(), message.field.len(), "{name}, {maps} maps");
            }
        }
        for (message, field, _) in BYTES {
            let shape = Shapes::get().message(message).unwrap();
            let bytes = shape.values().find(|of| of.name == *field).unwrap();
            assert!(matches!(bytes.kind, Kind::Bytes(_)), "{message}.{field}");
        }
    }
}
