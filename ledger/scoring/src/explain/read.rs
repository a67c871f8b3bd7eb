//! Reading members of nodes.

use stella_verify::json::{Object, Value};
use stella_verify::node::{NodeParts, SealedNode};

pub(super) fn parts(node: &SealedNode) -> &NodeParts {
    node.node().parts()
}

pub(super) fn text(object: &Object, name: &str) -> String {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn integer(object: &Object, name: &str) -> i64 {
    let number = object.get(name).and_then(Value::as_integer);
    number.map_or(0, stella_verify::json::SafeInteger::get)
}

pub(super) fn flag(object: &Object, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn texts(object: &Object, name: &str) -> Vec<String> {
    let items = object
        .get(name)
        .and_then(Value::as_array)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

pub(super) fn purl(node: &SealedNode) -> &str {
    parts(node).subject.purl.as_deref().unwrap_or_default()
}

pub(super) fn advisory(node: &SealedNode) -> &str {
    parts(node)
        .subject
        .advisory_id
        .as_deref()
        .unwrap_or_default()
}

/// A value in one line, for people.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Integer(number) => number.get().to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = (members.iter())
                .map(|(name, value)| format!("{name}: {}", shown(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Null | Value::Double(_) => String::new(),
    }
}
