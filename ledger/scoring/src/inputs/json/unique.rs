//! Whether any object of a document has a member twice, also where nothing reads it.
//!
//! Readers differ in which of the two they take, so such a document says different things to different
//! readers. The members that are read here refuse it by themselves; this looks at all of them, once,
//! when a document is taken in. A document that was taken in is not looked at again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{DocumentError, json_error, without_mark};

/// Members up to which names are compared with each other; beyond that they are sorted.
const FEW: usize = 16;

/// Refuses a document with a member that stands twice in its object; of several documents one behind
/// the other, as some tools write, each is looked at.
///
/// # Errors
/// [`DocumentError::Json`], also for what is no JSON.
pub fn check_members(bytes: &[u8]) -> Result<(), DocumentError> {
    let text = without_mark(bytes);
    for document in serde_json::Deserializer::from_slice(text).into_iter::<Looked>() {
        document.map_err(|error| json_error(text, &error))?;
    }
    Ok(())
}

/// Any value, looked through.
struct Looked;

impl<'de> Deserialize<'de> for Looked {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Look)
    }
}

struct Look;

macro_rules! scalars {
    ($($visit:ident: $from:ty),*) => {
        $(fn $visit<E: de::Error>(self, _: $from) -> Result<Looked, E> {
            Ok(Looked)
        })*
    };
}

impl<'de> Visitor<'de> for Look {
    type Value = Looked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: de::Error>(self) -> Result<Looked, E> {
        Ok(Looked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Looked, A::Error> {
        while items.next_element::<Looked>()?.is_some() {}
        Ok(Looked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Looked, A::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = object.next_key()? {
            if names.have(&name) {
                let twice = format!("the member {name:?} stands twice");
                return Err(de::Error::custom(twice));
            }
            names.keep(name);
            object.next_value::<Looked>()?;
        }
        Ok(Looked)
    }
}

/// The names of an object so far.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    fn have(&self, name: &str) -> bool {
        self.few.iter().any(|other| other == name) || self.many.contains(name)
    }

    fn keep(&mut self, name: Cow<'a, str>) {
        if self.few.len() < FEW {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
    }
}

/// A name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        source.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_found_wherever_it_is() {
        let many: Vec<String> = (0..40).map(|n| format!("\"m{n}\":{n}")).collect();
        for good in [
            "{}".to_owned(),
            r#"{"a":{"a":[{"a":1},{"a":1}]},"b":1e40}"#.to_owned(),
            r#"[null,true,-1,18446744073709551616,"x"]"#.to_owned(),
            format!("{{{}}}", many.join(",")),
        ] {
            assert_eq!(check_members(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in [
            r#"{"a":1,"b":2,"a":1}"#.to_owned(),
            r#"{"x":[0,{"y":{"a":1,"\u0061":2}}]}"#.to_owned(),
            format!("{{{},\"m3\":0}}", many.join(",")),
            format!("{{{},\"m39\":0}}", many.join(",")),
        ] {
            let error = check_members(bad.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("stands twice"), "{bad}: {error}");
        }
        assert!(check_members(b"{").is_err());
        assert!(check_members(b"{\"a\":1}\n{\"a\":1}").is_ok());
        assert!(check_members(b"{\"a\":1}\n{\"a\":1,\"a\":1}").is_err());
        assert!(check_members(b"\xEF\xBB\xBF{}").is_ok());
    }
}
