//! Facts of a finding besides its severity, each with its node.

use super::matched::{Flaw, Member};
use super::node::{Built, Draft, at_pointer, at_row, count, text};
use super::{Context, EngineError};
use crate::engine::VexOutcome;
use crate::limits::MAX_NODE_ITEMS;
use crate::model::{
    DependencyDepth, Reachability as _, ReachabilityLevel, Scope as Need, VexApplication, VexQuery,
};
use crate::policy::{Fact, FactValue, Facts};
use stella_verify::hash::NodeId;
use stella_verify::json::{Object, SafeInteger, Text, Value};
use stella_verify::node::{NodeKind, Scope, Subject};

fn word(text: &'static str) -> FactValue {
    FactValue::Word(Text::Borrowed(text))
}

/// Facts of the component.
pub(super) fn component(context: &Context<'_>, member: &Member<'_>, facts: &mut Facts) {
    let (steps, need) = need(context, member);
    if let Some(steps) = steps {
        facts.set(Fact::ComponentDepth, FactValue::count(steps));
    }
    facts.set(Fact::ComponentScope, word(need.name()));
    let kind = Text::Owned(member.matched.purl.kind().to_owned());
    facts.set(Fact::ComponentType, FactValue::Word(kind));
}

/// How a package is needed, over all its places: the fewest steps, the strongest scope.
pub(super) fn need(context: &Context<'_>, member: &Member<'_>) -> (Option<u32>, Need) {
    let places = || {
        (member.matched.components.iter()).filter_map(|index| {
            let place = usize::try_from(index.0).ok()?;
            context.inputs.bom.components.get(place)
        })
    };
    let steps = places().filter_map(|component| match component.depth {
        DependencyDepth::Steps(steps) => Some(steps),
        DependencyDepth::Unknown => None,
    });
    let strength = |need: &Need| match need {
        Need::Excluded => 0,
        Need::Optional => 1,
        Need::Unspecified => 2,
        Need::Required => 3,
    };
    let scope = places().map(|component| component.scope);
    let strongest = scope.max_by_key(strength).unwrap_or(Need::Unspecified);
    (steps.min(), strongest)
}

/// Facts that the matches themselves state.
pub(super) fn advisory(flaw: &Flaw<'_>, lead: &Member<'_>, facts: &mut Facts) {
    facts.set(Fact::AdvisoryKind, word(lead.advisory.kind.name()));
    let fixed = (flaw.members.iter()).any(|member| !member.matched.package.fixed.is_empty());
    facts.set(Fact::FixAvailable, FactValue::Flag(fixed));
}

/// EPSS: of several names of the flaw the one with the highest probability.
pub(super) fn epss(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    subject: &Subject,
    parent: NodeId,
    facts: &mut Facts,
) -> Result<Option<Built>, EngineError> {
    let stated = (flaw.group.fact_names())
        .filter_map(|name| Some((name, context.inputs.feed.epss(name)?)))
        // The first name wins a tie: `max_by_key` takes the last.
        .rev()
        .max_by_key(|(_, fact)| fact.score);
    let Some((name, fact)) = stated else {
        return Ok(None);
    };
    facts.set(Fact::EpssProbability, FactValue::count(fact.score.get()));
    facts.set(
        Fact::EpssPercentile,
        FactValue::count(fact.percentile.get()),
    );
    let snapshot = context.inputs.manifest.concelier_snapshot;
    let node = Draft::new(
        NodeKind::Transform,
        "fact.epss",
        Scope::Finding,
        subject.clone(),
    )
    .parent(parent)
    .evidence([at_row(snapshot, &fact.row, None)])
    .input("name", text(name))
    .output("probability", fact.score.get())
    .output("percentile", fact.percentile.get());
    node.seal().map(Some)
}

/// KEV: listed when any name of the flaw is. Not being listed is a value, not an unknown.
pub(super) fn kev(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    subject: &Subject,
    parent: NodeId,
    facts: &mut Facts,
) -> Result<Option<Built>, EngineError> {
    let entries: Vec<_> = (flaw.group.fact_names())
        .filter_map(|name| Some((name, context.inputs.feed.kev(name)?)))
        .collect();
    let ransomware = entries.iter().any(|(_, fact)| fact.ransomware);
    facts.set(Fact::KevListed, FactValue::Flag(!entries.is_empty()));
    facts.set(Fact::KevRansomware, FactValue::Flag(ransomware));
    let Some((name, first)) = entries.first() else {
        return Ok(None);
    };
    let snapshot = context.inputs.manifest.concelier_snapshot;
    let shown = entries.iter().take(MAX_NODE_ITEMS);
    let node = Draft::new(
        NodeKind::Transform,
        "fact.kev",
        Scope::Finding,
        subject.clone(),
    )
    .parent(parent)
    .evidence(shown.map(|(_, fact)| at_row(snapshot, &fact.row, None)))
    .input("name", text(name))
    .output("dateAdded", text(&first.date_added))
    .output("ransomware", ransomware);
    node.seal().map(Some)
}

/// SSVC decision points: of the first name of the flaw that has any.
pub(super) fn ssvc(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    subject: &Subject,
    parent: NodeId,
    facts: &mut Facts,
) -> Result<Option<Built>, EngineError> {
    let mut names = flaw.group.fact_names();
    let Some((name, stated)) = names.find_map(|name| Some((name, context.inputs.feed.ssvc(name)?)))
    else {
        return Ok(None);
    };
    let snapshot = context.inputs.manifest.concelier_snapshot;
    let mut draft = Draft::new(
        NodeKind::Transform,
        "fact.ssvc",
        Scope::Finding,
        subject.clone(),
    )
    .parent(parent)
    .evidence([at_row(snapshot, &stated.row, None)])
    .input("name", text(name));
    for (fact, value) in [
        (Fact::SsvcExploitation, &stated.exploitation),
        (Fact::SsvcAutomatable, &stated.automatable),
        (Fact::SsvcTechnicalImpact, &stated.technical_impact),
    ] {
        if let Some(value) = value {
            facts.set(fact, FactValue::Word(Text::Owned(value.to_string())));
            draft = draft.output(fact.name(), text(value));
        }
    }
    draft.seal().map(Some)
}

/// VEX: the statement that prevails by the policy's precedence; a conflict is a node of its own
/// kind that shows every side.
pub(super) fn vex(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    lead: &Member<'_>,
    subject: &Subject,
    parent: NodeId,
    facts: &mut Facts,
) -> Result<Option<(Built, VexOutcome)>, EngineError> {
    let applications = context.inputs.vex.applications(VexQuery {
        artifacts: &context.artifacts,
        component: &lead.matched.purl,
        names: &flaw.group.names,
    });
    let Some(prevailing) = context.inputs.policy.vex.prevailing(&applications) else {
        return Ok(None);
    };
    let Some(winner) = applications.get(prevailing.place) else {
        return Ok(None);
    };
    let statement = winner.statement;
    facts.set(Fact::VexStatus, word(statement.status.name()));
    facts.set(Fact::VexConflict, FactValue::Flag(prevailing.conflict));
    let justification = statement.justification.as_ref();
    if let Some(why) = justification {
        facts.set(
            Fact::VexJustification,
            FactValue::Word(Text::Owned(why.0.to_string())),
        );
    }
    let rule = if prevailing.conflict {
        "fact.vex-conflict"
    } else {
        "fact.vex"
    };
    let snapshot = context.inputs.manifest.excititor_snapshot;
    // The winner first, so that it is shown however many there are.
    let others = applications
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != prevailing.place);
    let shown: Vec<_> = std::iter::once(winner)
        .chain(others.map(|(_, application)| application))
        .take(MAX_NODE_ITEMS)
        .collect();
    let node = Draft::new(NodeKind::Transform, rule, Scope::Finding, subject.clone())
        .parent(parent)
        .evidence(
            shown
                .iter()
                .map(|shown| at_row(snapshot, &shown.statement.row, None)),
        )
        .input(
            "statements",
            Value::Array(shown.iter().map(|shown| statement_json(shown)).collect()),
        )
        .input("statementCount", count(applications.len()))
        .output("status", statement.status.name())
        .output_if("justification", justification.map(|why| text(&why.0)))
        .output_if(
            "decidedBy",
            prevailing.conflict.then_some(prevailing.decided_by),
        )
        .seal()?;
    let outcome = VexOutcome {
        status: statement.status,
        justification: justification.map(|why| why.0.clone()),
        conflict: prevailing.conflict,
    };
    Ok(Some((node, outcome)))
}

fn statement_json(application: &VexApplication<'_>) -> Value {
    let statement = application.statement;
    let mut object = Object::new()
        .with("author", text(&statement.author))
        .with("fit", application.fit.name())
        .with("status", statement.status.name());
    if let Some(time) = statement
        .time
        .and_then(|time| SafeInteger::try_from(time.get()).ok())
    {
        object.insert("timeMs", time);
    }
    Value::Object(object)
}

/// Reachability: what the analysis says of the package and any name of the flaw.
pub(super) fn reachability(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    lead: &Member<'_>,
    subject: &Subject,
    parent: NodeId,
    facts: &mut Facts,
) -> Result<Option<(Built, ReachabilityLevel)>, EngineError> {
    let Some(set) = context.inputs.reachability else {
        return Ok(None);
    };
    let names: Vec<&str> = flaw.group.names.iter().map(|name| &**name).collect();
    let Some(fact) = set.fact(&lead.matched.purl, &names) else {
        return Ok(None);
    };
    facts.set(Fact::ReachabilityLevel, word(fact.level.name()));
    let mut draft = Draft::new(
        NodeKind::Transform,
        "fact.reachability",
        Scope::Finding,
        subject.clone(),
    )
    .parent(parent)
    .evidence([at_pointer(set.digest, &fact.pointer)])
    .input("name", text(&fact.vulnerability))
    .output("level", fact.level.name());
    if let Some(path) = &fact.path {
        let gates: Vec<Text> = path
            .gates
            .iter()
            .map(|gate| Text::Owned(gate.0.to_string()))
            .collect();
        let shown: Vec<Value> = gates
            .iter()
            .take(MAX_NODE_ITEMS)
            .cloned()
            .map(Value::String)
            .collect();
        facts.set(Fact::ReachabilityHops, FactValue::count(path.hops));
        facts.set(Fact::ReachabilityGates, FactValue::Words(gates));
        draft = draft
            .output("hops", path.hops)
            .output("gates", Value::Array(shown));
    }
    Ok(Some((draft.seal()?, fact.level)))
}
