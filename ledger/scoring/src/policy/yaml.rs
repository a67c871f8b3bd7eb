//! Reading a policy's text: the part of YAML 1.2 that is JSON in other clothes.
//!
//! Block and flow collections, plain and quoted scalars, comments. Refused: anchors and aliases
//! (they multiply), tags, several documents, null, fractions, member names that are not text. A
//! policy has one meaning and one canonical form, whoever reads it.

use super::error::{Place, PolicyError, PolicyProblem};
use super::tree::{Tree, TreeValue, member_pointer};
use crate::limits::{MAX_POLICY_BYTES, MAX_POLICY_DEPTH, MAX_POLICY_VALUES};
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use stella_verify::json::SafeInteger;

/// Parses one document.
pub(super) fn parse(text: &str) -> Result<Tree, PolicyError> {
    if text.len() > MAX_POLICY_BYTES {
        return Err(limit(
            Place::default(),
            "the size in bytes",
            MAX_POLICY_BYTES,
        ));
    }
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| PolicyError {
            place: place_of(*error.marker(), String::new()),
            problem: PolicyProblem::Syntax(error.info().to_owned()),
        })?;
        builder.event(event, span)?;
    }
    builder.root.ok_or_else(|| PolicyError {
        place: Place::default(),
        problem: PolicyProblem::Syntax("the document is empty".into()),
    })
}

/// Collections that are open, innermost last, and the finished root.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Tree>,
    values: usize,
}

struct Open {
    place: Place,
    items: Items,
}

enum Items {
    List(Vec<Tree>),
    /// A map, and the member name whose value comes next.
    Map(Vec<(String, Tree)>, Option<String>),
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), PolicyError> {
        let place = place_of(span.start, self.next_pointer());
        let refuse = |what| {
            Err(PolicyError {
                place: place.clone(),
                problem: PolicyProblem::Unsupported(what),
            })
        };
        match event {
            Event::Alias(_) => refuse("an alias"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                refuse("an anchor")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => refuse("a tag"),
            Event::DocumentStart(_) if self.root.is_some() => refuse("a second document"),
            Event::Scalar(text, style, _, _) => self.scalar(place, &text, style),
            Event::SequenceStart(..) => self.start(place, Items::List(Vec::new())),
            Event::MappingStart(..) => self.start(place, Items::Map(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    /// Pointer of the value that comes next.
    fn next_pointer(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(open) => match &open.items {
                Items::List(items) => format!("{}/{}", open.place.pointer, items.len()),
                Items::Map(_, Some(name)) => member_pointer(&open.place.pointer, name),
                Items::Map(_, None) => open.place.pointer.clone(),
            },
        }
    }

    fn scalar(&mut self, place: Place, text: &str, style: ScalarStyle) -> Result<(), PolicyError> {
        if let Some(Open {
            items: Items::Map(members, name @ None),
            ..
        }) = self.open.last_mut()
        {
            if members.iter().any(|(member, _)| member == text) {
                return Err(PolicyError {
                    place,
                    problem: PolicyProblem::Duplicate(text.to_owned()),
                });
            }
            *name = Some(text.to_owned());
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => plain(&place, text)?,
            _ => TreeValue::Text(text.to_owned()),
        };
        self.place_value(Tree { place, value })
    }

    fn start(&mut self, place: Place, items: Items) -> Result<(), PolicyError> {
        if let Some(Open {
            items: Items::Map(_, None),
            ..
        }) = self.open.last()
        {
            return Err(PolicyError {
                place,
                problem: PolicyProblem::Unsupported("a member name that is not a text"),
            });
        }
        if self.open.len() >= MAX_POLICY_DEPTH {
            return Err(limit(place, "the depth", MAX_POLICY_DEPTH));
        }
        self.open.push(Open { place, items });
        Ok(())
    }

    fn end(&mut self) -> Result<(), PolicyError> {
        let Some(Open { place, items }) = self.open.pop() else {
            return Ok(());
        };
        let value = match items {
            Items::List(items) => TreeValue::List(items),
            Items::Map(members, _) => TreeValue::Map(members),
        };
        self.place_value(Tree { place, value })
    }

    fn place_value(&mut self, tree: Tree) -> Result<(), PolicyError> {
        self.values += 1;
        if self.values > MAX_POLICY_VALUES {
            return Err(limit(tree.place, "the number of values", MAX_POLICY_VALUES));
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(tree),
            Some(Items::List(items)) => items.push(tree),
            Some(Items::Map(members, name)) => {
                if let Some(name) = name.take() {
                    members.push((name, tree));
                }
            }
        }
        Ok(())
    }
}

/// What an unquoted scalar means: YAML 1.2's core schema without null and fractions.
fn plain(place: &Place, text: &str) -> Result<TreeValue, PolicyError> {
    let refuse = |what| {
        Err(PolicyError {
            place: place.clone(),
            problem: PolicyProblem::Unsupported(what),
        })
    };
    match text {
        "true" => return Ok(TreeValue::Bool(true)),
        "false" => return Ok(TreeValue::Bool(false)),
        "" | "~" | "null" | "Null" | "NULL" => return refuse("null"),
        "True" | "TRUE" | "False" | "FALSE" => return refuse("a truth value in capitals"),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Ok(TreeValue::Text(text.to_owned()));
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return refuse("an integer with leading zeros");
        }
        let number = text
            .parse()
            .ok()
            .and_then(|value| SafeInteger::new(value).ok());
        return match number {
            Some(number) => Ok(TreeValue::Integer(number)),
            None => refuse("an integer beyond 2^53-1"),
        };
    }
    if digits
        .bytes()
        .all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
    {
        return refuse("a fraction (amounts are integers in a stated unit)");
    }
    Ok(TreeValue::Text(text.to_owned()))
}

fn place_of(marker: saphyr_parser::Marker, pointer: String) -> Place {
    let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Place {
        pointer,
        line: count(marker.line()),
        column: count(marker.col().saturating_add(1)),
    }
}

fn limit(place: Place, what: &'static str, limit: usize) -> PolicyError {
    PolicyError {
        place,
        problem: PolicyProblem::Limit { what, limit },
    }
}
