//! The scan: components' totals become the score; gates decide.

use super::node::{Built, Draft, amount, plus};
use super::rules::{self, Ruled, Start};
use super::{Context, EngineError, aggregate};
use crate::engine::{ComponentScore, Finding, GateOutcome};
use crate::policy::{Fact, FactValue, Facts, Gate, Situation, holds};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use stella_verify::hash::NodeId;
use stella_verify::json::{Text, Value};
use stella_verify::node::{NodeKind, Scope, Subject};
use stella_verify::units::BasisPoints;

/// What the scan came to.
pub(super) struct Scored {
    pub(super) nodes: Vec<Built>,
    pub(super) total: BasisPoints,
    pub(super) gates: Vec<GateOutcome>,
}

/// Scores the scan, and fills in what each component adds to it.
pub(super) fn score(
    context: &Context<'_>,
    components: &mut [ComponentScore],
    findings: &[Finding],
) -> Result<Scored, EngineError> {
    let (mut nodes, sum, last) = add_components(context, components)?;
    let facts = facts(context, components, findings);
    let stated = facts_node(&facts, last)?;
    let stated_id = stated.id();
    nodes.push(stated);
    let subject = Subject::default();
    let mut ruled = rules::run(
        context,
        &Start {
            scope: Scope::Scan,
            subject: &subject,
            facts: &facts,
            established: &[],
            after: stated_id,
            total: sum,
        },
    )?;
    nodes.append(&mut ruled.nodes);
    let mut gates = Vec::new();
    for gate in &context.inputs.policy.gates {
        let (node, outcome) = decide(context, gate, &facts, &ruled)?;
        gates.push(outcome);
        nodes.push(node);
    }
    let fails = gates.iter().any(|gate| gate.fails);
    // Parent of nothing and child of everything, so it is the last node emitted.
    let score = Draft::new(NodeKind::Score, "score.scan", Scope::Scan, subject)
        .parent(ruled.last)
        .parents(gates.iter().map(|gate| gate.node))
        .output("verdict", if fails { "fail" } else { "pass" })
        .amounts(ruled.total, ruled.total)
        .seal()?;
    nodes.push(score);
    Ok(Scored {
        nodes,
        total: ruled.total,
        gates,
    })
}

/// A node for each component, from the greatest total to the least, ties by least purl.
fn add_components(
    context: &Context<'_>,
    components: &mut [ComponentScore],
) -> Result<(Vec<Built>, BasisPoints, NodeId), EngineError> {
    let method = &context.inputs.policy.scan;
    let mut contributors: Vec<&mut ComponentScore> = components.iter_mut().collect();
    contributors.sort_by(|a, b| (Reverse(a.total), &a.purl).cmp(&(Reverse(b.total), &b.purl)));
    let totals: Vec<_> = contributors
        .iter()
        .map(|component| component.total)
        .collect();
    let mut nodes = Vec::with_capacity(contributors.len());
    let mut sum = BasisPoints::ZERO;
    let mut last = context.matching;
    for (component, delta) in contributors
        .into_iter()
        .zip(aggregate::deltas(method, &totals)?)
    {
        let after = plus(sum, delta);
        let subject = Subject {
            purl: Some(Text::Owned(component.purl.as_str().to_owned())),
            ..Subject::default()
        };
        let node = Draft::new(NodeKind::Delta, "aggregate.scan", Scope::Scan, subject)
            .parent(component.node)
            .parent(last)
            .input("total", amount(component.total))
            .output("method", method.name())
            .amounts(sum, after)
            .seal()?;
        component.contribution = delta;
        sum = after;
        last = node.id();
        nodes.push(node);
    }
    Ok((nodes, sum, last))
}

/// Counts over the whole scan.
fn facts(context: &Context<'_>, components: &[ComponentScore], findings: &[Finding]) -> Facts {
    let counted = || findings.iter().filter(|finding| finding.score.is_some());
    let number = |count: usize| FactValue::count(i64::try_from(count).unwrap_or(i64::MAX));
    let mut facts = Facts::new();
    facts.set(
        Fact::ScanComponents,
        number(context.inputs.bom.components.len()),
    );
    facts.set(Fact::ScanAffected, number(components.len()));
    facts.set(Fact::ScanFindings, number(counted().count()));
    facts.set(
        Fact::ScanKev,
        number(counted().filter(|finding| finding.kev.is_some()).count()),
    );
    let unknown = counted()
        .filter(|finding| finding.severity.is_none())
        .count();
    facts.set(Fact::ScanUnknown, number(unknown));
    let worst = counted().filter_map(|finding| finding.score).max();
    facts.set(
        Fact::ScanWorst,
        FactValue::Number(worst.unwrap_or(BasisPoints::ZERO).into()),
    );
    facts
}

fn facts_node(facts: &Facts, last: NodeId) -> Result<Built, EngineError> {
    let scan = (Fact::ALL.iter()).filter(|fact| fact.scope() == Scope::Scan);
    let mut draft = Draft::new(
        NodeKind::Transform,
        "fact.scan",
        Scope::Scan,
        Subject::default(),
    )
    .parent(last);
    for fact in scan {
        if let Some(value) = facts.get(*fact) {
            draft = draft.output(fact.name(), value.to_json());
        }
    }
    draft.seal()
}

fn decide(
    context: &Context<'_>,
    gate: &Gate,
    facts: &Facts,
    ruled: &Ruled,
) -> Result<(Built, GateOutcome), EngineError> {
    let situation = Situation {
        facts,
        knobs: &context.knobs,
        decisions: BTreeMap::new(),
        total: ruled.total,
    };
    let result = holds(&gate.fail_when, &situation).map_err(|problem| EngineError::Amount {
        rule: gate.id.clone(),
        problem,
    })?;
    let unknown: Vec<Value> = result
        .unknown
        .iter()
        .map(|name| super::node::text(name))
        .collect();
    let node = Draft::new(
        NodeKind::Transform,
        format!("gate.{}", gate.id),
        Scope::Scan,
        Subject::default(),
    )
    .parent(ruled.last)
    .inputs(result.read)
    .output("fails", result.holds)
    .output_if("missing", (!unknown.is_empty()).then_some(unknown))
    .seal()?;
    let outcome = GateOutcome {
        id: gate.id.as_str().into(),
        fails: result.holds,
        node: node.id(),
    };
    Ok((node, outcome))
}
