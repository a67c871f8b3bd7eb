//! One package: its flaws, and its total.

use super::matched::{Matched, flaws};
use super::node::{Built, Draft, amount, plus};
use super::rules::{self, Start};
use super::{Context, EngineError, aggregate, finding};
use crate::engine::{ComponentScore, Contribution, Finding};
use crate::policy::{Fact, FactValue, Facts};
use std::cmp::Reverse;
use stella_verify::hash::{FindingId, NodeId};
use stella_verify::json::Text;
use stella_verify::node::{NodeKind, Scope, Subject};
use stella_verify::units::BasisPoints;

/// What a package came to.
pub(super) struct Scored {
    pub(super) nodes: Vec<Built>,
    /// Sorted by advisory id.
    pub(super) findings: Vec<Finding>,
    /// Absent when no finding counts.
    pub(super) component: Option<ComponentScore>,
}

/// Scores a package.
pub(super) fn score(context: &Context<'_>, matched: &Matched<'_>) -> Result<Scored, EngineError> {
    let mut scored = Scored {
        nodes: Vec::new(),
        findings: Vec::new(),
        component: None,
    };
    let mut component = None;
    let flaws = flaws(context, matched)?;
    for flaw in &flaws {
        let elsewhere = flaw.counted_elsewhere(context, &flaws);
        let mut part = finding::score(context, flaw, elsewhere.as_ref())?;
        scored.nodes.append(&mut part.nodes);
        scored.findings.append(&mut part.findings);
        component = component.or(part.component);
    }
    scored
        .findings
        .sort_by(|a, b| a.advisory_id.cmp(&b.advisory_id));
    if let Some(facts) = component {
        let (nodes, total) = total(context, matched, &scored.findings, facts)?;
        scored.nodes.extend(nodes);
        scored.component = Some(total);
    }
    Ok(scored)
}

/// A finding that counts, as a contributor.
struct Contributor {
    total: BasisPoints,
    id: FindingId,
    node: NodeId,
}

fn total(
    context: &Context<'_>,
    matched: &Matched<'_>,
    findings: &[Finding],
    mut facts: Facts,
) -> Result<(Vec<Built>, ComponentScore), EngineError> {
    let mut contributors: Vec<Contributor> = (findings.iter())
        .filter_map(|finding| {
            Some(Contributor {
                total: finding.score?,
                id: finding.id,
                node: finding.node,
            })
        })
        .collect();
    contributors.sort_by_key(|contributor| (Reverse(contributor.total), contributor.id));
    let first = findings
        .first()
        .and_then(|finding| finding.components.first());
    let subject = Subject {
        purl: Some(Text::Owned(matched.purl.as_str().to_owned())),
        component: first.map(|pointer| Text::Owned(pointer.as_str().to_owned())),
        advisory_id: None,
    };
    let method = &context.inputs.policy.component;
    let totals: Vec<_> = contributors
        .iter()
        .map(|contributor| contributor.total)
        .collect();
    let mut nodes = Vec::new();
    let mut contributions = Vec::with_capacity(contributors.len());
    let mut sum = BasisPoints::ZERO;
    let mut last: Option<NodeId> = None;
    for (contributor, delta) in contributors.iter().zip(aggregate::deltas(method, &totals)?) {
        let after = plus(sum, delta);
        let node = Draft::new(
            NodeKind::Delta,
            "aggregate.component",
            Scope::Component,
            subject.clone(),
        )
        .parent(contributor.node)
        .parents(last)
        .input("finding", contributor.id.to_string())
        .input("total", amount(contributor.total))
        .output("method", method.name())
        .amounts(sum, after)
        .seal()?;
        contributions.push(Contribution {
            of: contributor.id,
            total: contributor.total,
            delta,
            node: node.id(),
        });
        sum = after;
        last = Some(node.id());
        nodes.push(node);
    }
    let counted = i64::try_from(contributors.len()).unwrap_or(i64::MAX);
    facts.set(Fact::ComponentFindings, FactValue::count(counted));
    let ruled = rules::run(
        context,
        &Start {
            scope: Scope::Component,
            subject: &subject,
            facts: &facts,
            established: &[],
            after: last.unwrap_or(context.matching),
            total: sum,
        },
    )?;
    let node = Draft::new(
        NodeKind::Score,
        "score.component",
        Scope::Component,
        subject,
    )
    .parent(ruled.last)
    .amounts(ruled.total, ruled.total)
    .seal()?;
    let id = node.id();
    nodes.extend(ruled.nodes);
    nodes.push(node);
    let component = ComponentScore {
        purl: matched.purl.clone(),
        total: ruled.total,
        findings: contributions,
        rules: ruled.steps,
        contribution: BasisPoints::ZERO,
        node: id,
    };
    Ok((nodes, component))
}
