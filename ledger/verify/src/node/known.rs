//! Reading a node whose bytes are in canonical form, the way almost all are.

use super::{EvidenceRef, NODE_SCHEMA, NodeParts, ProofNode, Subject};
use crate::hash::NodeId;
use crate::json::Known;
use crate::units::BasisPoints;

/// What stands between two members, with the schema that is the same in every node.
const SCHEMA_AND_SCOPE: &str = ",\"schema\":\"stella.proof-node/v1\",\"scope\":";

const _: () = assert!(SCHEMA_AND_SCOPE.len() == NODE_SCHEMA.len() + ",'schema':'','scope':".len());

/// A node, and the id that it states about itself. `None` says nothing about what is wrong: the
/// general reader does.
pub(super) fn node(at: &mut Known<'_, '_>) -> Option<(Option<NodeId>, ProofNode)> {
    at.literal("{\"deltaBps\":")?;
    let delta = BasisPoints::new(at.integer()?.get());
    at.literal(",\"evidenceRefs\":[")?;
    let evidence = at.items(evidence)?;
    let mut id = None;
    if at.has(",\"id\":") {
        id = Some(at.parsed()?);
    }
    at.literal(",\"in\":")?;
    let inputs = at.object(1)?;
    at.literal(",\"kind\":")?;
    let kind = at.parsed()?;
    at.literal(",\"out\":")?;
    let outputs = at.object(1)?;
    at.literal(",\"parentIds\":[")?;
    let parents = at.items(Known::parsed::<NodeId>)?;
    at.literal(",\"ruleId\":")?;
    let rule_id = at.text()?;
    at.literal(SCHEMA_AND_SCOPE)?;
    let scope = at.parsed()?;
    at.literal(",\"subject\":{")?;
    let subject = subject(at)?;
    at.literal(",\"totalBps\":")?;
    let total = BasisPoints::new(at.integer()?.get());
    at.literal("}")?;
    if !parents.is_sorted_by(|left, right| left < right) {
        return None;
    }
    let parts = NodeParts {
        kind,
        rule_id,
        scope,
        subject,
        parents,
        evidence,
        inputs,
        outputs,
        delta,
        total,
    };
    ProofNode::new(parts).ok().map(|node| (id, node))
}

/// Members that may be absent; a comma where none belongs shows when the canonical form is compared.
fn subject(at: &mut Known<'_, '_>) -> Option<Subject> {
    let mut subject = Subject::default();
    if at.has("\"advisoryId\":") {
        subject.advisory_id = Some(at.text()?);
        at.has(",");
    }
    if at.has("\"component\":") {
        subject.component = Some(at.text()?);
        at.has(",");
    }
    if at.has("\"purl\":") {
        subject.purl = Some(at.text()?);
    }
    at.literal("}")?;
    Some(subject)
}

fn evidence(at: &mut Known<'_, '_>) -> Option<EvidenceRef> {
    at.literal("{")?;
    let mut entry = None;
    if at.has("\"entry\":") {
        entry = Some(at.text()?);
        at.literal(",")?;
    }
    at.literal("\"input\":")?;
    let input = at.parsed()?;
    let mut line = None;
    if at.has(",\"line\":") {
        line = Some(u32::try_from(at.integer()?.get()).ok()?);
    }
    let mut pointer = None;
    if at.has(",\"pointer\":") {
        pointer = Some(at.text()?);
    }
    at.literal("}")?;
    Some(EvidenceRef {
        input,
        entry,
        pointer,
        line,
    })
}
