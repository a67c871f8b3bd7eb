//! Reading and writing a proof node's canonical JSON.

use super::{EvidenceRef, NODE_SCHEMA, NodeError, NodeParts, ProofNode, Subject, known};
use crate::hash::NodeId;
use crate::json::{
    ArrayWriter, FieldError, Item, Known, Object, ObjectWriter, OwnedFields, SafeInteger, Value,
    check_same, parse_hashed, read_known, write_hash, write_object,
};
use crate::units::BasisPoints;
use alloc::vec::Vec;

impl ProofNode {
    /// Reads a node's canonical bytes (without `id`).
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NodeError> {
        let node = match read_known(bytes, known::node)? {
            Some((None, node)) => node,
            _ => Self::from_value(parse_hashed(bytes)?)?,
        };
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
        let mut fields = OwnedFields::new(value, "node")?;
        let node = Self::from_fields(&mut fields)?;
        fields.finish()?;
        Ok(node)
    }

    /// Reads a node with its stated id where it has its canonical form, as in `score_proof.json`.
    pub(crate) fn known_with_id(at: &mut Known<'_, '_>) -> Option<(NodeId, Self)> {
        let (id, node) = known::node(at)?;
        id.map(|id| (id, node))
    }

    /// Reads a node with its stated id, as in `score_proof.json`.
    pub(crate) fn with_stated_id(item: Item<(NodeId, Self)>) -> Result<(NodeId, Self), NodeError> {
        let value = match item {
            Item::Known(node) => return Ok(node),
            Item::Other(value) => value,
        };
        let mut fields = OwnedFields::new(value, "node")?;
        let id = fields.parsed("id", "an id")?;
        let node = Self::from_fields(&mut fields)?;
        fields.finish()?;
        Ok((id, node))
    }

    /// Takes a node's members out of an object that may hold more.
    fn from_fields(fields: &mut OwnedFields) -> Result<Self, NodeError> {
        if fields.text("schema")? != NODE_SCHEMA {
            return Err(FieldError::value("schema", NODE_SCHEMA).into());
        }
        let evidence = fields.array("evidenceRefs")?.into_iter().map(evidence);
        let parts = NodeParts {
            kind: fields.parsed("kind", "input, transform, delta or score")?,
            rule_id: fields.text("ruleId")?,
            scope: fields.parsed("scope", "finding, component or scan")?,
            subject: subject(fields.object("subject")?)?,
            parents: parents(&fields.array("parentIds")?)?,
            evidence: evidence.collect::<Result<_, _>>()?,
            inputs: fields.object("in")?,
            outputs: fields.object("out")?,
            delta: BasisPoints::new(fields.integer("deltaBps")?.get()),
            total: BasisPoints::new(fields.integer("totalBps")?.get()),
        };
        Self::new(parts)
    }

    /// Appends the canonical bytes, which are the node's leaf in the proof root.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_members(out);
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

/// In range: `ProofNode::new` checked it.
fn safe(amount: BasisPoints) -> SafeInteger {
    SafeInteger::new(amount.get()).unwrap_or(SafeInteger::ZERO)
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

fn subject(object: Object) -> Result<Subject, FieldError> {
    let mut fields = OwnedFields::of(object);
    let subject = Subject {
        purl: fields.optional_text("purl")?,
        component: fields.optional_text("component")?,
        advisory_id: fields.optional_text("advisoryId")?,
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

fn evidence(item: Value) -> Result<EvidenceRef, FieldError> {
    let mut fields = OwnedFields::new(item, "evidenceRefs")?;
    let reference = EvidenceRef {
        input: fields.parsed("input", "an id")?,
        entry: fields.optional_text("entry")?,
        pointer: fields.optional_text("pointer")?,
        line: fields.optional_integer("line")?,
    };
    fields.finish()?;
    Ok(reference)
}
