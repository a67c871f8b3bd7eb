//! One line of cases: its members, read so that nothing of it is lost or doubtful.

use super::{CaseFailure, Members};
use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde_core::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of a case.
///
/// An envelope that is an object stays the text that it is: its own parser must see each of its bytes
/// (members that stand twice, numbers beyond 2^53). Of other objects nothing is looked at.
pub(super) fn case(line: &[u8]) -> Result<Members, CaseFailure> {
    let malformed = |why: String| CaseFailure::Malformed(why);
    let text = core::str::from_utf8(line)
        .map_err(|problem| malformed(format!("not UTF-8 from byte {}", problem.valid_up_to())))?;
    if !text.trim_start().starts_with('{') {
        return Err(malformed("a case is a JSON object".to_owned()));
    }
    let read: RawMembers =
        serde_json::from_str(text).map_err(|error| malformed(format!("not JSON: {error}")))?;
    let mut members = Members::new();
    for (name, raw) in read.0 {
        let value = if name == "envelope" && raw.get().starts_with('{') {
            Value::String(raw.get().to_owned())
        } else {
            value(&raw).map_err(|error| malformed(format!("{name}: {error}")))?
        };
        if members.insert(name.clone(), value).is_some() {
            let reason = format!("member \"{name}\" stands twice");
            return Err(CaseFailure::Refused(reason));
        }
    }
    Ok(members)
}

/// A value as far as a kind may look at it: scalars, and arrays of them. What is in an object, or in an
/// array of an array, stands for nothing.
fn value(raw: &RawValue) -> Result<Value, serde_json::Error> {
    let scalar = |raw: &RawValue| match raw.get().as_bytes() {
        [b'{', ..] => Ok(Value::Object(Members::new())),
        [b'[', ..] => Ok(Value::Array(Vec::new())),
        _ => serde_json::from_str(raw.get()),
    };
    if !raw.get().starts_with('[') {
        return scalar(raw);
    }
    let items: Vec<Box<RawValue>> = serde_json::from_str(raw.get())?;
    let items: Result<Vec<Value>, _> = items.iter().map(|item| scalar(item)).collect();
    items.map(Value::Array)
}

/// Members in the order of the text, each with the text of its value.
struct RawMembers(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for RawMembers {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = RawMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<RawMembers, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(RawMembers(members))
    }
}
