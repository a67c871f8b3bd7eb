//! Whether any object of a document has a member twice, also where nothing reads it.
//!
//! Readers differ in which of the two they take, so such a document says different things to different
//! readers. The members that are read here refuse it by themselves; this looks at all of them, once,
//! when a document is taken in. A document that was taken in is not looked at again.
//!
//! It looks at brackets and names alone: whether the rest is JSON is for the reader, who passes over
//! much in what it does not read (escapes that are no text, numbers that no double holds).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::locate::{inside_string, pointer_to, unquote};
use super::{DocumentError, without_mark};

/// Members up to which names are compared with each other; beyond that they are sorted.
const FEW: usize = 16;

/// Levels that are looked into; a document with more is refused. Readers elsewhere stop sooner.
const MAX_DEPTH: usize = 1_000;

/// Refuses a document with a member that stands twice in its object; of several documents one behind
/// the other, as some tools write, each is looked at.
///
/// # Errors
/// [`DocumentError::Json`] with the place of the second.
pub fn check_members(bytes: &[u8]) -> Result<(), DocumentError> {
    let text = without_mark(bytes);
    let mut open: Vec<Option<Names<'_>>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' if open.len() == MAX_DEPTH => {
                let reason = format!("nested deeper than {MAX_DEPTH} levels");
                return Err(refused(text, at, reason));
            }
            b'{' => open.push(Some(Names::default())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let inside = inside_string(text.get(at..).unwrap_or_default());
                at += inside.len() + 1;
                if is_name(text.get(at..).unwrap_or_default())
                    && let Some(Some(names)) = open.last_mut()
                    && !names.insert(decoded(inside))
                {
                    let name = String::from_utf8_lossy(inside);
                    return Err(refused(
                        text,
                        at,
                        format!("the member \"{name}\" stands twice"),
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn refused(text: &[u8], at: usize, reason: String) -> DocumentError {
    DocumentError::Json {
        pointer: pointer_to(text, at),
        reason: reason.into(),
    }
}

/// Whether the string before this is a member's name: a colon follows.
fn is_name(after: &[u8]) -> bool {
    after.trim_ascii_start().first() == Some(&b':')
}

/// A name without its escapes, so that two spellings of one are the same; as it is written where the
/// escapes are no text.
fn decoded(inside: &[u8]) -> Cow<'_, [u8]> {
    if !inside.contains(&b'\\') {
        return Cow::Borrowed(inside);
    }
    unquote(inside).map_or(Cow::Borrowed(inside), |name| Cow::Owned(name.into_bytes()))
}

/// The names of an object so far.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, [u8]>>,
    many: BTreeSet<Cow<'a, [u8]>>,
}

impl<'a> Names<'a> {
    /// Adds a name; false when it is there.
    fn insert(&mut self, name: Cow<'a, [u8]>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
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
            r#"{"a":{"a":[{"a":1},{"a":1}]},"b":"a\":{\"a","c":"a"}"#.to_owned(),
            r#"[null,true,-1,18446744073709551616,1e999,"x","\ud83d"]"#.to_owned(),
            r#"{"\ud83d":1,"\ud83e":2,"\u0061":3}"#.to_owned(),
            "{\"a\":1}\n{\"a\":1}".to_owned(),
            format!("{{{}}}", many.join(",")),
            format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)),
            "\u{feff}{\"a\" : 1}".to_owned(),
        ] {
            assert_eq!(check_members(good.as_bytes()), Ok(()), "{good}");
        }
        for (bad, place) in [
            (r#"{"a":1,"b":2,"a" : 1}"#.to_owned(), "/a"),
            (
                r#"{"x":[0,{"y":{"a":1,"\u0061":2}}]}"#.to_owned(),
                "/x/1/y/a",
            ),
            ("{\"a\":1}\n{\"a\":1,\"a\":1}".to_owned(), "/a"),
            (format!("{{{},\"m3\":0}}", many.join(",")), "/m3"),
            (format!("{{{},\"m39\":0}}", many.join(",")), "/m39"),
        ] {
            let error = check_members(bad.as_bytes()).unwrap_err();
            let DocumentError::Json { pointer, reason } = &error else {
                panic!("{error}");
            };
            assert!(reason.contains("stands twice"), "{bad}: {error}");
            assert_eq!(pointer.as_str(), place, "{bad}");
        }
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert!(check_members(deep.as_bytes()).is_err());
    }
}
