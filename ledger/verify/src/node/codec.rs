//! Reading and writing a proof node's canonical JSON.

use super::{EvidenceRef, NODE_SCHEMA, NodeError, NodeParts, ProofNode, Subject};
use crate::hash::NodeId;
use crate::json::{
    ArrayWriter, FieldError, FieldProblem, Fields, Object, ObjectWriter, SafeInteger, Text, Value,
    check_same, parse_hashed, write_hash, write_object,
};
use crate::units::BasisPoints;
use alloc::vec::Vec;

impl ProofNode {
    /// Reads a node's canonical bytes (without `id`).
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NodeError> {
        let node = Self::from_value(parse_hashed(bytes)?)?;
        let mut canonical = Vec::with_capacity(bytes.len());
        node.write(&mut canonical);
        check_same(&canonical, bytes)?;
        Ok(node)
    }

    /// Reads a node from a parsed hashed object (without `id`).
    ///
    /// # Errors
    /// [`NodeError::Field`].
    pub fn from_value(value: Value) -> Result<Self, NodeError> {
        let mut object = node_object(value)?;
        let (inputs, outputs) = (
            take_object(&mut object, "in")?,
            take_object(&mut object, "out")?,
        );
        let mut fields = Fields::new(&object);
        let node = Self::from_fields(&mut fields, inputs, outputs)?;
        fields.finish()?;
        Ok(node)
    }

    /// Reads a node with its stated id, as in `score_proof.json`.
    pub(crate) fn with_stated_id(value: Value) -> Result<(NodeId, Self), NodeError> {
        let mut object = node_object(value)?;
        let (inputs, outputs) = (
            take_object(&mut object, "in")?,
            take_object(&mut object, "out")?,
        );
        let mut fields = Fields::new(&object);
        let id = fields.parsed("id", "an id")?;
        let node = Self::from_fields(&mut fields, inputs, outputs)?;
        fields.finish()?;
        Ok((id, node))
    }

    /// Takes a node's other members out of an object that may hold more.
    fn from_fields(
        fields: &mut Fields<'_>,
        inputs: Object,
        outputs: Object,
    ) -> Result<Self, NodeError> {
        if fields.text("schema")? != NODE_SCHEMA {
            return Err(FieldError::value("schema", NODE_SCHEMA).into());
        }
        let parts = NodeParts {
            kind: fields.parsed("kind", "input, transform, delta or score")?,
            rule_id: owned(fields.text("ruleId")?),
            scope: fields.parsed("scope", "finding, component or scan")?,
            subject: subject(fields.object("subject")?)?,
            parents: parents(fields.array("parentIds")?)?,
            evidence: fields
                .array("evidenceRefs")?
                .iter()
                .map(evidence)
                .collect::<Result<_, _>>()?,
            inputs,
            outputs,
            delta: BasisPoints::new(fields.integer("deltaBps")?.get()),
            total: BasisPoints::new(fields.integer("totalBps")?.get()),
        };
        Self::new(parts)
    }

    /// Appends the canonical bytes, which are the node's leaf in the proof root.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_members(out);
    }

    /// Appends the canonical bytes with the member `id`, as in `score_proof.json`. A sealed node
    /// does so without writing the rest again: [`SealedNode::write_with_id`].
    ///
    /// [`SealedNode::write_with_id`]: super::SealedNode::write_with_id
    pub fn write_with_id(&self, id: &NodeId, out: &mut Vec<u8>) {
        let mut bytes = Vec::with_capacity(768);
        let before_id = self.write_members(&mut bytes);
        write_with_id(&bytes, before_id, id, out);
    }

    /// As [`write`](Self::write); tells how many bytes stand before the place of the member `id`.
    pub(super) fn write_members(&self, out: &mut Vec<u8>) -> usize {
        let (start, parts) = (out.len(), &self.0);
        let mut node = ObjectWriter::new(out);
        node.integer("deltaBps", safe(parts.delta));
        write_evidence(&parts.evidence, node.member("evidenceRefs"));
        let inputs = node.member("in");
        let before_id = inputs.len() - start - b"\"in\":".len();
        write_object(inputs, &parts.inputs);
        node.text("kind", parts.kind.as_str());
        node.object("out", &parts.outputs);
        let mut ids = ArrayWriter::new(node.member("parentIds"));
        for parent in &parts.parents {
            write_hash(ids.item(), parent.as_bytes());
        }
        ids.end();
        node.text("ruleId", &parts.rule_id);
        node.text("schema", NODE_SCHEMA);
        node.text("scope", parts.scope.as_str());
        let mut subject = ObjectWriter::new(node.member("subject"));
        subject.optional_text("advisoryId", parts.subject.advisory_id.as_deref());
        subject.optional_text("component", parts.subject.component.as_deref());
        subject.optional_text("purl", parts.subject.purl.as_deref());
        subject.end();
        node.integer("totalBps", safe(parts.total));
        node.end();
        before_id
    }
}

/// Puts the member `id` into a node's canonical bytes.
pub(super) fn write_with_id(bytes: &[u8], before_id: usize, id: &NodeId, out: &mut Vec<u8>) {
    let (before, after) = bytes.split_at_checked(before_id).unwrap_or((bytes, &[]));
    out.extend_from_slice(before);
    out.extend_from_slice(b"\"id\":");
    write_hash(out, id.as_bytes());
    out.push(b',');
    out.extend_from_slice(after);
}

fn node_object(value: Value) -> Result<Object, FieldError> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(FieldError::value("schema", "an object with a schema")),
    }
}

/// Takes an object out of another one instead of copying it.
fn take_object(object: &mut Object, name: &'static str) -> Result<Object, FieldError> {
    match object.remove(name) {
        Some(Value::Object(inner)) => Ok(inner),
        Some(_) => Err(FieldError::new(
            name,
            FieldProblem::Type {
                expected: "an object",
            },
        )),
        None => Err(FieldError::new(name, FieldProblem::Missing)),
    }
}

/// In range: `ProofNode::new` checked it.
fn safe(amount: BasisPoints) -> SafeInteger {
    SafeInteger::new(amount.get()).unwrap_or(SafeInteger::ZERO)
}

fn owned(text: &str) -> Text {
    Text::Owned(text.into())
}

fn write_evidence(evidence: &[EvidenceRef], out: &mut Vec<u8>) {
    let mut refs = ArrayWriter::new(out);
    for reference in evidence {
        let mut object = ObjectWriter::new(refs.item());
        object.optional_text("entry", reference.entry.as_deref());
        object.hash("input", reference.input.as_bytes());
        if let Some(line) = reference.line {
            object.integer("line", line.into());
        }
        object.optional_text("pointer", reference.pointer.as_deref());
        object.end();
    }
    refs.end();
}

fn subject(object: &Object) -> Result<Subject, FieldError> {
    let mut fields = Fields::new(object);
    let subject = Subject {
        purl: fields.optional_text("purl")?.map(owned),
        component: fields.optional_text("component")?.map(owned),
        advisory_id: fields.optional_text("advisoryId")?.map(owned),
    };
    fields.finish()?;
    Ok(subject)
}

fn parents(items: &[Value]) -> Result<Vec<NodeId>, FieldError> {
    let refuse = |reason| FieldError::value("parentIds", reason);
    let parse = |item: &Value| item.as_str().and_then(|text| text.parse::<NodeId>().ok());
    let ids: Option<Vec<NodeId>> = items.iter().map(parse).collect();
    let ids = ids.ok_or_else(|| refuse("node ids"))?;
    if ids.is_sorted_by(|left, right| left < right) {
        Ok(ids)
    } else {
        Err(refuse("sorted ids without duplicates"))
    }
}

fn evidence(item: &Value) -> Result<EvidenceRef, FieldError> {
    let object = item.as_object();
    let object = object.ok_or_else(|| FieldError::value("evidenceRefs", "objects"))?;
    let mut fields = Fields::new(object);
    let reference = EvidenceRef {
        input: fields.parsed("input", "an id")?,
        entry: fields.optional_text("entry")?.map(owned),
        pointer: fields.optional_text("pointer")?.map(owned),
        line: fields.optional_integer_as("line")?,
    };
    fields.finish()?;
    Ok(reference)
}
