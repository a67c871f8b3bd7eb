//! A computation's nodes, arranged for a reader.

use super::read::{advisory, flag, integer, parts, purl, text, texts};
use super::rows::{ComponentRow, FactRow, FindingRow, GateRow, InputRow, RuleRow, WarningRow};
use super::share::shares;
use std::collections::{BTreeMap, BTreeSet};
use stella_verify::hash::{FindingId, NodeId, sha256};
use stella_verify::json::{Value, canonicalize};
use stella_verify::node::{NodeKind, Scope, SealedNode};
use stella_verify::units::BasisPoints;

/// Nodes are not those of a computation that this build can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// A step that every computation has is absent: the nodes are cut off, or of another engine.
    #[error(
        "no node of rule {0:?}: the nodes are incomplete or of an engine this build cannot read"
    )]
    Absent(&'static str),
}

/// A computation as scan, components, findings, rules, facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The manifest's hash, as node 0 states it.
    pub manifest: String,
    /// The score.
    pub score: BasisPoints,
    /// Whether no gate fails.
    pub passes: bool,
    /// The inputs, by rule id.
    pub inputs: Vec<InputRow>,
    /// What was odd about them.
    pub warnings: Vec<WarningRow>,
    /// Components with a finding that counts, greatest contribution first.
    pub components: Vec<ComponentRow>,
    /// Rules of scan scope.
    pub rules: Vec<RuleRow>,
    /// Gates.
    pub gates: Vec<GateRow>,
    /// Matches whose finding does not count: purl, advisory, node.
    pub uncounted: Vec<(String, String, NodeId)>,
    /// The node that states the score.
    pub node: NodeId,
}

impl Outline {
    /// Arranges the nodes of one computation, given in emission order.
    ///
    /// # Errors
    /// [`OutlineError`].
    pub fn of(nodes: &[SealedNode]) -> Result<Self, OutlineError> {
        let manifest = named(nodes, "manifest")?;
        let score = nodes
            .iter()
            .rfind(|node| parts(node).rule_id == "score.scan");
        let score = score.ok_or(OutlineError::Absent("score.scan"))?;
        let by_subject = BySubject::of(nodes);
        let components = components(nodes, &by_subject);
        let counted: BTreeSet<(&str, &str)> = (components.iter())
            .flat_map(|component| &component.findings)
            .map(|finding| (finding.purl.as_str(), finding.advisory.as_str()))
            .collect();
        let uncounted = (nodes.iter())
            .filter(|node| parts(node).rule_id == "match")
            .filter(|node| !counted.contains(&(purl(node), advisory(node))))
            .map(|node| (purl(node).to_owned(), advisory(node).to_owned(), node.id()))
            .collect();
        Ok(Self {
            manifest: text(&parts(manifest).inputs, "manifestHash"),
            score: parts(score).total,
            passes: text(&parts(score).outputs, "verdict") == "pass",
            inputs: inputs(nodes),
            warnings: warnings(nodes),
            rules: by_subject.rules(Scope::Scan, "", ""),
            gates: gates(nodes),
            uncounted,
            node: score.id(),
            components,
        })
    }

    /// Every finding that counts.
    pub fn findings(&self) -> impl Iterator<Item = &FindingRow> {
        self.components
            .iter()
            .flat_map(|component| &component.findings)
    }
}

/// Nodes by what they are about.
struct BySubject<'a>(BTreeMap<(Scope, &'a str, &'a str), Vec<&'a SealedNode>>);

impl<'a> BySubject<'a> {
    fn of(nodes: &'a [SealedNode]) -> Self {
        let mut map: BTreeMap<_, Vec<&SealedNode>> = BTreeMap::new();
        for node in nodes {
            let key = (parts(node).scope, purl(node), advisory(node));
            map.entry(key).or_default().push(node);
        }
        Self(map)
    }

    fn get(&self, scope: Scope, purl: &'a str, advisory: &'a str) -> &[&'a SealedNode] {
        self.0
            .get(&(scope, purl, advisory))
            .map_or(&[], Vec::as_slice)
    }

    fn rules(&self, scope: Scope, purl: &'a str, advisory: &'a str) -> Vec<RuleRow> {
        let nodes = self.get(scope, purl, advisory).iter();
        nodes.filter_map(|node| rule_row(node)).collect()
    }
}

fn rule_row(node: &SealedNode) -> Option<RuleRow> {
    let parts = parts(node);
    let rule = parts.rule_id.strip_prefix("rule.")?;
    Some(RuleRow {
        rule: rule.to_owned(),
        delta: parts.delta,
        total: parts.total,
        applied: flag(&parts.outputs, "applied"),
        because: text(&parts.outputs, "because"),
        missing: texts(&parts.outputs, "missing"),
        reads: parts.inputs.clone(),
        says: parts.outputs.clone(),
        evidence: parts.evidence.clone(),
        node: node.id(),
    })
}

fn named<'a>(nodes: &'a [SealedNode], rule: &'static str) -> Result<&'a SealedNode, OutlineError> {
    let found = nodes.iter().find(|node| parts(node).rule_id == rule);
    found.ok_or(OutlineError::Absent(rule))
}

fn inputs(nodes: &[SealedNode]) -> Vec<InputRow> {
    let inputs = nodes.iter().filter_map(|node| {
        let name = parts(node).rule_id.strip_prefix("input.")?;
        let digest = parts(node)
            .evidence
            .first()
            .map(|evidence| evidence.input.to_string());
        Some(InputRow {
            name: name.to_owned(),
            digest: digest.unwrap_or_default(),
            says: parts(node).outputs.clone(),
            node: node.id(),
        })
    });
    let mut inputs: Vec<_> = inputs.collect();
    inputs.sort_by(|a, b| a.name.cmp(&b.name));
    inputs
}

fn warnings(nodes: &[SealedNode]) -> Vec<WarningRow> {
    let warnings = nodes.iter().filter(|node| parts(node).rule_id == "warning");
    warnings
        .map(|node| WarningRow {
            code: text(&parts(node).inputs, "code"),
            count: integer(&parts(node).outputs, "count"),
            evidence: parts(node).evidence.clone(),
            node: node.id(),
        })
        .collect()
}

fn gates(nodes: &[SealedNode]) -> Vec<GateRow> {
    let gates = nodes.iter().filter_map(|node| {
        let id = parts(node).rule_id.strip_prefix("gate.")?;
        Some(GateRow {
            id: id.to_owned(),
            fails: flag(&parts(node).outputs, "fails"),
            reads: parts(node).inputs.clone(),
            node: node.id(),
        })
    });
    gates.collect()
}

fn components(nodes: &[SealedNode], by_subject: &BySubject<'_>) -> Vec<ComponentRow> {
    let contributions = nodes
        .iter()
        .filter(|node| parts(node).rule_id == "aggregate.scan");
    let mut rows: Vec<_> = contributions
        .map(|contribution| component(contribution, by_subject))
        .collect();
    rows.sort_by(|a, b| {
        (b.contribution, b.total)
            .cmp(&(a.contribution, a.total))
            .then(a.purl.cmp(&b.purl))
    });
    rows
}

fn component(contribution: &SealedNode, by_subject: &BySubject<'_>) -> ComponentRow {
    let package = purl(contribution);
    let own = by_subject.get(Scope::Component, package, "");
    let total = own.iter().find(|node| parts(node).kind == NodeKind::Score);
    let mut findings: Vec<FindingRow> = finding_rows(package, own, by_subject);
    let added: Vec<_> = findings
        .iter()
        .map(|finding| finding.contribution)
        .collect();
    for (finding, share) in findings
        .iter_mut()
        .zip(shares(parts(contribution).delta, &added))
    {
        finding.share = share;
    }
    ComponentRow {
        purl: package.to_owned(),
        total: total.map_or(BasisPoints::ZERO, |node| parts(node).total),
        contribution: parts(contribution).delta,
        rules: by_subject.rules(Scope::Component, package, ""),
        findings,
        node: total.map_or(contribution.id(), |node| node.id()),
    }
}

/// Findings in the order of their aggregation: greatest total first.
fn finding_rows(package: &str, own: &[&SealedNode], by_subject: &BySubject<'_>) -> Vec<FindingRow> {
    let findings = (by_subject.0.range((Scope::Finding, package, "")..))
        .take_while(|((scope, purl, _), _)| *scope == Scope::Finding && *purl == package)
        .filter_map(|((_, _, advisory), nodes)| {
            let total = nodes
                .iter()
                .find(|node| parts(node).kind == NodeKind::Score)?;
            Some((finding_id(package, advisory), (*advisory, nodes, *total)))
        })
        .collect::<BTreeMap<_, _>>();
    let aggregated = own
        .iter()
        .filter(|node| parts(node).rule_id == "aggregate.component");
    aggregated
        .filter_map(|node| {
            let id = text(&parts(node).inputs, "finding");
            let (advisory, nodes, total) = findings.get(&id)?;
            let facts: Vec<_> = nodes.iter().filter_map(|node| fact_row(node)).collect();
            let group = facts.iter().find(|fact| fact.what == "alias-group");
            Some(FindingRow {
                purl: package.to_owned(),
                advisory: (*advisory).to_owned(),
                flaw: group
                    .map(|group| text(&group.says, "flaw"))
                    .unwrap_or_default(),
                total: parts(total).total,
                contribution: parts(node).delta,
                share: BasisPoints::ZERO,
                rules: nodes.iter().filter_map(|node| rule_row(node)).collect(),
                facts,
                node: total.id(),
                id,
            })
        })
        .collect()
}

fn fact_row(node: &SealedNode) -> Option<FactRow> {
    let parts = parts(node);
    (parts.kind == NodeKind::Transform).then(|| FactRow {
        what: parts.rule_id.to_string(),
        reads: parts.inputs.clone(),
        says: parts.outputs.clone(),
        evidence: parts.evidence.clone(),
        node: node.id(),
    })
}

/// SHA-256 of the canonical JSON of `[purl, advisoryId]` (FORMATS.md section 6).
fn finding_id(purl: &str, advisory: &str) -> String {
    let pair = Value::Array(vec![
        Value::from(purl.to_owned()),
        Value::from(advisory.to_owned()),
    ]);
    FindingId::new(sha256(&canonicalize(&pair))).to_string()
}
