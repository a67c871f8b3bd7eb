//! Rules: every application is a node, also when it changes nothing.

use super::node::{Built, Draft, amount, in_policy, minus};
use super::{Context, EngineError};
use crate::engine::RuleStep;
use crate::policy::{Applied, Fact, FactRef, Facts, Outcome, Rule, RuleIndex, Situation, apply};
use std::collections::BTreeMap;
use stella_verify::hash::NodeId;
use stella_verify::json::Value;
use stella_verify::node::{NodeKind, Scope, Subject};
use stella_verify::units::BasisPoints;

/// Where the rules of one subject start.
pub(super) struct Start<'a> {
    pub(super) scope: Scope,
    pub(super) subject: &'a Subject,
    pub(super) facts: &'a Facts,
    /// Nodes that established facts, by the part of the fact's name before its point.
    pub(super) established: &'a [(&'static str, NodeId)],
    /// The node before the first rule.
    pub(super) after: NodeId,
    /// The total before the first rule.
    pub(super) total: BasisPoints,
}

/// What the rules of one subject came to.
pub(super) struct Ruled {
    pub(super) nodes: Vec<Built>,
    pub(super) steps: Vec<RuleStep>,
    pub(super) total: BasisPoints,
    /// The last rule's node, or the one before the first when there is no rule.
    pub(super) last: NodeId,
}

/// Applies the rules of a scope in the policy's order.
pub(super) fn run(context: &Context<'_>, start: &Start<'_>) -> Result<Ruled, EngineError> {
    let mut situation = Situation {
        facts: start.facts,
        knobs: &context.knobs,
        decisions: BTreeMap::new(),
        total: start.total,
    };
    let mut ruled = Ruled {
        nodes: Vec::new(),
        steps: Vec::new(),
        total: start.total,
        last: start.after,
    };
    for (index, rule) in context.inputs.policy.rules_of(start.scope) {
        let outcome = apply(rule, &situation).map_err(|problem| EngineError::Amount {
            rule: rule.id.clone(),
            problem,
        })?;
        let built = node(context, start, index, rule, &ruled, &outcome)?;
        ruled.steps.push(RuleStep {
            rule: rule.id.as_str().into(),
            delta: minus(outcome.after, ruled.total),
            total: outcome.after,
            applied: outcome.result,
            node: built.id(),
        });
        if let Some(decision) = outcome.decision {
            situation.decisions.insert(rule.id.clone(), decision);
        }
        situation.total = outcome.after;
        ruled.total = outcome.after;
        ruled.last = built.id();
        ruled.nodes.push(built);
    }
    Ok(ruled)
}

fn node(
    context: &Context<'_>,
    start: &Start<'_>,
    index: RuleIndex,
    rule: &Rule,
    before: &Ruled,
    outcome: &Outcome,
) -> Result<Built, EngineError> {
    let pointer = format!("/rules/{}", index.0);
    let draft = Draft::new(
        NodeKind::Delta,
        format!("rule.{}", rule.id),
        start.scope,
        start.subject.clone(),
    )
    .rule(index)
    .parent(before.last)
    .parents(sources(start, outcome))
    .evidence([in_policy(context.inputs.policy.hash(), pointer)])
    .inputs(outcome.read.clone())
    .input("total", amount(before.total))
    .amounts(before.total, outcome.after)
    .output("applied", outcome.result == Applied::Yes)
    .output("effect", rule.effect.name())
    .output_if(
        "amount",
        outcome
            .amount
            .map(|exact| crate::policy::FactValue::Number(exact).to_json()),
    )
    .output_if("decision", outcome.decision.clone());
    let draft = match &outcome.result {
        Applied::Yes => draft,
        Applied::Condition => draft.output("because", "condition"),
        Applied::NoRow => draft.output("because", "no-row"),
        Applied::Unknown(missing) => draft.output("because", "unknown").output(
            "missing",
            Value::Array(missing.iter().map(|name| super::node::text(name)).collect()),
        ),
    };
    draft.seal()
}

/// Nodes that established the facts that were read.
fn sources(start: &Start<'_>, outcome: &Outcome) -> Vec<NodeId> {
    let families = outcome.sources.iter().filter_map(|fact| match fact {
        FactRef::Engine(fact) => family(*fact),
        FactRef::Knob(_) | FactRef::Decision(_) | FactRef::Total => None,
    });
    families
        .filter_map(|family| {
            let found = start.established.iter().find(|(name, _)| *name == family);
            found.map(|(_, node)| *node)
        })
        .collect()
}

/// Which node establishes a fact; facts of the match itself are in every rule's ancestry.
const fn family(fact: Fact) -> Option<&'static str> {
    match fact {
        Fact::SeverityScore
        | Fact::SeverityWord
        | Fact::SeverityVersion
        | Fact::SeverityProvider
        | Fact::CvssMean => Some("severity"),
        Fact::EpssProbability | Fact::EpssPercentile => Some("epss"),
        Fact::KevListed | Fact::KevRansomware => Some("kev"),
        Fact::SsvcExploitation | Fact::SsvcAutomatable | Fact::SsvcTechnicalImpact => Some("ssvc"),
        Fact::VexStatus | Fact::VexJustification | Fact::VexConflict => Some("vex"),
        Fact::ReachabilityLevel | Fact::ReachabilityHops | Fact::ReachabilityGates => {
            Some("reachability")
        }
        Fact::FixAvailable
        | Fact::AdvisoryKind
        | Fact::ComponentDepth
        | Fact::ComponentScope
        | Fact::ComponentType
        | Fact::ComponentFindings
        | Fact::ScanComponents
        | Fact::ScanAffected
        | Fact::ScanFindings
        | Fact::ScanKev
        | Fact::ScanUnknown
        | Fact::ScanWorst => None,
    }
}
