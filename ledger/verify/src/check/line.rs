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
/// An object among them stays the text that it is: only an envelope may be one, and the envelope's own
/// parser must see each of its bytes (members that stand twice, numbers beyond 2^53).
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
        let raw = raw.get();
        let value = if raw.starts_with('{') {
            Value::String(raw.to_owned())
        } else {
            serde_json::from_str(raw).map_err(|error| malformed(format!("{name}: {error}")))?
        };
        if members.insert(name.clone(), value).is_some() {
            let reason = format!("member \"{name}\" stands twice");
            return Err(CaseFailure::Refused(reason));
        }
    }
    Ok(members)
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
