//! Reading and writing a proof node's canonical JSON.

use super::{EvidenceRef, NODE_SCHEMA, NodeError, NodeParts, ProofNode, Subject};
use crate::hash::NodeId;
use crate::json::{
    ArrayWriter, FieldError, Fields, Object, ObjectWriter, SafeInteger, Text, Value,
    parse_canonical, write_hash,
};
use crate::units::BasisPoints;
use alloc::vec::Vec;

impl ProofNode {
    /// Reads a node's canonical bytes (without `id`).
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NodeError> {
        Self::from_value(&parse_canonical(bytes)?)
    }

    /// Reads a node from a parsed hashed object (without `id`).
    ///
    /// # Errors
    /// [`NodeError::Field`].
    pub fn from_value(value: &Value) -> Result<Self, NodeError> {
        let mut fields = Fields::of_schema(value, NODE_SCHEMA)?;
        let node = Self::from_fields(&mut fields)?;
        fields.finish()?;
        Ok(node)
    }

    /// Takes a node's members (all but `schema`) out of an object that may hold more.
    pub(crate) fn from_fields(fields: &mut Fields<'_>) -> Result<Self, NodeError> {
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
            inputs: fields.object("in")?.clone(),
            outputs: fields.object("out")?.clone(),
            delta: BasisPoints::new(fields.integer("deltaBps")?.get()),
            total: BasisPoints::new(fields.integer("totalBps")?.get()),
        };
        Self::new(parts)
    }

    /// Appends the canonical bytes, which are the node's leaf in the proof root.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_members(out, None);
    }

    /// Appends the canonical bytes with the member `id`, as in `score_proof.json`.
    pub fn write_with_id(&self, id: &NodeId, out: &mut Vec<u8>) {
        self.write_members(out, Some(id));
    }

    fn write_members(&self, out: &mut Vec<u8>, id: Option<&NodeId>) {
        let parts = &self.0;
        let mut node = ObjectWriter::new(out);
        node.integer("deltaBps", safe(parts.delta));
        write_evidence(&parts.evidence, node.member("evidenceRefs"));
        if let Some(id) = id {
            node.hash("id", id.as_bytes());
        }
        node.object("in", &parts.inputs);
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
