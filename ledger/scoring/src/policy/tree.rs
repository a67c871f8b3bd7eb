//! A policy document as a tree whose every value knows its place.

use super::error::{Place, PolicyError, PolicyProblem};
use stella_verify::json::{Object, SafeInteger, Text, Value};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) place: Place,
    pub(super) value: TreeValue,
}

/// The values that have a canonical JSON form: no null, no fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TreeValue {
    Bool(bool),
    Integer(SafeInteger),
    Text(String),
    List(Vec<Tree>),
    /// In document order; names are unique.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub(super) fn error(&self, problem: PolicyProblem) -> PolicyError {
        PolicyError {
            place: self.place.clone(),
            problem,
        }
    }

    pub(super) fn expected(&self, expected: impl Into<String>) -> PolicyError {
        self.error(PolicyProblem::Expected {
            expected: expected.into(),
            found: self.describe(),
        })
    }

    fn describe(&self) -> String {
        match &self.value {
            TreeValue::Bool(value) => value.to_string(),
            TreeValue::Integer(value) => value.get().to_string(),
            TreeValue::Text(text) => {
                let short: String = text.chars().take(60).collect();
                format!("{short:?}")
            }
            TreeValue::List(_) => "a list".into(),
            TreeValue::Map(_) => "a map".into(),
        }
    }

    /// The document as JSON.
    pub(super) fn to_json(&self) -> Value {
        match &self.value {
            TreeValue::Bool(value) => Value::Bool(*value),
            TreeValue::Integer(value) => Value::Integer(*value),
            TreeValue::Text(text) => Value::String(Text::Owned(text.clone())),
            TreeValue::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            TreeValue::Map(members) => Value::Object(
                (members.iter())
                    .map(|(name, tree)| (name.clone(), tree.to_json()))
                    .collect::<Object>(),
            ),
        }
    }

    /// The tree of a parsed JSON document, which has pointers and no lines.
    pub(super) fn from_json(value: &Value, pointer: String) -> Result<Self, PolicyError> {
        let place = Place {
            pointer,
            line: 0,
            column: 0,
        };
        let refuse = |what| PolicyError {
            place: place.clone(),
            problem: PolicyProblem::Unsupported(what),
        };
        let value = match value {
            Value::Null => return Err(refuse("null")),
            Value::Double(_) => return Err(refuse("a fraction")),
            Value::Bool(value) => TreeValue::Bool(*value),
            Value::Integer(value) => TreeValue::Integer(*value),
            Value::String(text) => TreeValue::Text(text.to_string()),
            Value::Array(items) => TreeValue::List(
                (items.iter().enumerate())
                    .map(|(index, item)| {
                        Self::from_json(item, format!("{}/{index}", place.pointer))
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => TreeValue::Map(
                (members.iter())
                    .map(|(name, value)| {
                        let pointer = member_pointer(&place.pointer, name);
                        Ok((name.to_owned(), Self::from_json(value, pointer)?))
                    })
                    .collect::<Result<_, PolicyError>>()?,
            ),
        };
        Ok(Self { place, value })
    }

    pub(super) fn text(&self) -> Result<&str, PolicyError> {
        match &self.value {
            TreeValue::Text(text) => Ok(text),
            _ => Err(self.expected("a text")),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, PolicyError> {
        match &self.value {
            TreeValue::Bool(value) => Ok(*value),
            _ => Err(self.expected("true or false")),
        }
    }

    pub(super) fn integer(&self, least: i64, most: i64) -> Result<i64, PolicyError> {
        let TreeValue::Integer(value) = &self.value else {
            return Err(self.expected("an integer"));
        };
        let value = value.get();
        if value < least || value > most {
            return Err(self.error(PolicyProblem::Range { value, least, most }));
        }
        Ok(value)
    }

    pub(super) fn list(&self) -> Result<&[Self], PolicyError> {
        match &self.value {
            TreeValue::List(items) => Ok(items),
            _ => Err(self.expected("a list")),
        }
    }

    pub(super) fn map(&self) -> Result<Members<'_>, PolicyError> {
        match &self.value {
            TreeValue::Map(members) => Ok(Members {
                tree: self,
                members,
            }),
            _ => Err(self.expected("a map")),
        }
    }

    /// One of `words`.
    pub(super) fn word<'w>(&self, words: &[&'w str]) -> Result<&'w str, PolicyError> {
        let text = self.text()?;
        (words.iter().find(|word| **word == text).copied())
            .ok_or_else(|| self.expected(format!("one of {}", words.join(", "))))
    }
}

/// Members of a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a> {
    tree: &'a Tree,
    members: &'a [(String, Tree)],
}

impl<'a> Members<'a> {
    /// Refuses members that are none of `known`.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, PolicyError> {
        for (name, tree) in self.members {
            if !known.contains(&name.as_str()) {
                return Err(tree.error(PolicyProblem::UnknownMember {
                    member: name.clone(),
                    expected: known.join(", "),
                }));
            }
        }
        Ok(self)
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Tree> {
        let found = self.members.iter().find(|(member, _)| member == name);
        found.map(|(_, tree)| tree)
    }

    pub(super) fn need(self, name: &'static str) -> Result<&'a Tree, PolicyError> {
        self.get(name)
            .ok_or_else(|| self.tree.error(PolicyProblem::Missing(name)))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, &'a Tree)> {
        self.members
            .iter()
            .map(|(name, tree)| (name.as_str(), tree))
    }

    pub(super) fn tree(self) -> &'a Tree {
        self.tree
    }
}

/// Pointer to the member `name` of the map at `pointer`.
pub(super) fn member_pointer(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
