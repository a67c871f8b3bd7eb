//! What each route takes and answers, beside what the contract says of its method: a file for each
//! tag.

mod admin;
mod log;
mod long;
mod proofs;
mod scans;
mod snapshots;

use super::schemas;
use serde_json::{Value, json};

/// A parameter behind the `?`: its name, what it is, and what it is for.
pub(super) type Parameter = (&'static str, Query, &'static str);

/// One operation.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [Parameter],
    /// Media type, schema, and whether it must be there.
    pub(super) body: Option<(&'static str, &'static str, bool)>,
    pub(super) answers: Vec<Answer>,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Query {
    Text,
    Number,
    Flag,
    /// A kind of snapshot.
    Word,
    /// Milliseconds to wait.
    Wait,
}

/// Whether a body must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Required,
    Optional,
}

/// One way in which an operation answers.
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) media: &'static str,
    pub(super) schema: &'static str,
    pub(super) about: &'static str,
}

const JSON: &str = "application/json";

const PAGE_SIZE: Parameter = (
    "page_size",
    Query::Number,
    "At most this many; 0 for 50, at most 500.",
);
const PAGE_TOKEN: Parameter = (
    "page_token",
    Query::Text,
    "Token of an earlier answer to the same request.",
);
const TREE_SIZE: Parameter = (
    "tree_size",
    Query::Number,
    "As of this tree size; the newest when absent.",
);

/// Every operation, under its tag.
pub(super) fn all() -> Vec<Operation> {
    let tags = [
        ("scans", scans::operations()),
        ("proofs", proofs::operations()),
        ("snapshots", snapshots::operations()),
        ("log", log::operations()),
        ("operations", long::operations()),
        ("admin", admin::operations()),
    ];
    let tagged = tags.into_iter().flat_map(|(tag, operations)| {
        let operations = operations.into_iter();
        operations.map(move |of| Operation { tag, ..of })
    });
    tagged.collect()
}

fn get(id: &'static str, path: &'static str, summary: &'static str) -> Operation {
    operation("GET", id, path, summary)
}

fn post(id: &'static str, path: &'static str, summary: &'static str) -> Operation {
    operation("POST", id, path, summary)
}

fn delete(id: &'static str, path: &'static str, summary: &'static str) -> Operation {
    operation("DELETE", id, path, summary)
}

fn operation(
    method: &'static str,
    id: &'static str,
    path: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        id,
        tag: "",
        method,
        path,
        summary,
        query: &[],
        body: None,
        answers: Vec::new(),
    }
}

impl Operation {
    /// Takes these parameters.
    fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// Takes a JSON document.
    fn body(self, schema: &'static str, must: Body) -> Self {
        let body = Some((JSON, schema, must == Body::Required));
        Self { body, ..self }
    }

    /// Takes its body in another form than JSON.
    fn written_as(self, media: &'static str) -> Self {
        let body = self.body.map(|(_, schema, must)| (media, schema, must));
        Self { body, ..self }
    }

    /// Answers 200 with a document.
    fn gives(self, schema: &'static str) -> Self {
        self.answers("200", JSON, schema, "The answer.")
    }

    /// Answers in one more way.
    fn answers(
        mut self,
        status: &'static str,
        media: &'static str,
        schema: &'static str,
        about: &'static str,
    ) -> Self {
        self.answers.push(Answer {
            status,
            media,
            schema,
            about,
        });
        self
    }
}

impl Query {
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Number => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            Self::Flag => json!({"type": "boolean"}),
            Self::Word => json!({"type": "string", "enum": ["concelier", "excititor"]}),
            Self::Wait => {
                json!({"type": "integer", "minimum": 0, "maximum": 300_000, "examples": [0]})
            }
        }
    }
}

impl Answer {
    pub(super) fn schema(&self) -> Value {
        schemas::named(self.schema)
    }
}
