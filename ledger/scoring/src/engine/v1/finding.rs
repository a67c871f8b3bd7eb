//! One flaw in one package: its matches, its facts, its rules, its total.

use super::finding_id::finding_id;
use super::matched::{Flaw, Member};
use super::node::{Built, Draft, at_pointer, at_row, count, text};
use super::rules::{self, Ruled, Start};
use super::{Context, EngineError, facts, severity};
use crate::engine::{Finding, SeverityOutcome, SsvcOutcome, VexOutcome};
use crate::limits::MAX_NODE_ITEMS;
use crate::model::{Component, JsonPointer, MatchedBy, ReachabilityLevel, Until};
use crate::policy::{Fact, FactValue, Facts};
use stella_verify::hash::{FindingId, NodeId};
use stella_verify::json::{Object, Text, Value};
use stella_verify::node::{NodeKind, Scope, Subject};
use stella_verify::units::BasisPoints;

/// What a flaw in a package came to.
pub(super) struct Scored {
    pub(super) nodes: Vec<Built>,
    /// One for each advisory that matches, the one that counts among them.
    pub(super) findings: Vec<Finding>,
    /// Facts of the component, when a finding counts.
    pub(super) component: Option<Facts>,
}

/// Facts with the nodes that establish them.
#[derive(Default)]
struct Established {
    nodes: Vec<Built>,
    ids: Vec<(&'static str, NodeId)>,
    severity: Option<SeverityOutcome>,
    vex: Option<VexOutcome>,
    reachability: Option<ReachabilityLevel>,
}

/// Scores a flaw. With `elsewhere`, its advisories are listed and that one counts instead.
pub(super) fn score(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    elsewhere: Option<&Member<'_>>,
) -> Result<Scored, EngineError> {
    let mut nodes = Vec::with_capacity(32);
    for member in &flaw.members {
        nodes.push(match_node(context, member)?);
    }
    let matches: Vec<NodeId> = nodes.iter().map(Built::id).collect();
    if let (Some(counts), Some(first)) = (elsewhere, flaw.members.first()) {
        let subject = subject(context, first);
        nodes.push(group_node(flaw, counts, &subject, &matches)?);
        let counts = finding_id(counts.matched.purl.as_str(), &counts.advisory.id);
        return Ok(Scored {
            nodes,
            findings: uncounted(context, flaw, Some(counts), &matches),
            component: None,
        });
    }
    let Some(lead) = flaw.lead(context) else {
        return Ok(Scored {
            findings: uncounted(context, flaw, None, &matches),
            nodes,
            component: None,
        });
    };
    let subject = subject(context, &lead);
    let group = group_node(flaw, &lead, &subject, &matches)?;
    let group_id = group.id();
    nodes.push(group);
    let mut known = Facts::new();
    facts::component(context, &lead, &mut known);
    let component = known.clone();
    facts::advisory(flaw, &lead, &mut known);
    let mut established = establish(context, flaw, &lead, &subject, group_id, &mut known)?;
    nodes.append(&mut established.nodes);
    let ruled = rules::run(
        context,
        &Start {
            scope: Scope::Finding,
            subject: &subject,
            facts: &known,
            established: &established.ids,
            after: group_id,
            total: BasisPoints::ZERO,
        },
    )?;
    let total = Draft::new(
        NodeKind::Score,
        "score.finding",
        Scope::Finding,
        subject.clone(),
    )
    .parent(ruled.last)
    .amounts(ruled.total, ruled.total)
    .seal()?;
    let lead_id = finding_id(lead.matched.purl.as_str(), &lead.advisory.id);
    let mut findings = uncounted(context, flaw, Some(lead_id), &matches);
    if let Some(finding) = findings.iter_mut().find(|finding| finding.id == lead_id) {
        count_finding(finding, &ruled, established, &known, total.id());
    }
    nodes.extend(ruled.nodes);
    nodes.push(total);
    Ok(Scored {
        nodes,
        findings,
        component: Some(component),
    })
}

/// Makes the lead's entry that of a finding that counts.
fn count_finding(
    finding: &mut Finding,
    ruled: &Ruled,
    established: Established,
    known: &Facts,
    node: NodeId,
) {
    let number = |fact| match known.get(fact) {
        Some(FactValue::Number(value)) => value.as_whole().and_then(|v| u32::try_from(v).ok()),
        _ => None,
    };
    let flag = |fact| matches!(known.get(fact), Some(FactValue::Flag(true)));
    let word = |fact| match known.get(fact) {
        Some(FactValue::Word(word)) => Some(Box::from(&**word)),
        _ => None,
    };
    finding.ssvc = SsvcOutcome {
        exploitation: word(Fact::SsvcExploitation),
        automatable: word(Fact::SsvcAutomatable),
        technical_impact: word(Fact::SsvcTechnicalImpact),
    };
    finding.duplicate_of = None;
    finding.severity = established.severity;
    finding.epss = number(Fact::EpssProbability);
    finding.kev = flag(Fact::KevListed).then(|| flag(Fact::KevRansomware));
    finding.vex = established.vex;
    finding.reachability = established.reachability;
    finding.score = Some(ruled.total);
    finding.rules.clone_from(&ruled.steps);
    finding.node = node;
}

/// Every fact that somebody states, with its node.
fn establish(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    lead: &Member<'_>,
    subject: &Subject,
    parent: NodeId,
    known: &mut Facts,
) -> Result<Established, EngineError> {
    let mut all = Established::default();
    if let Some((node, outcome)) = severity::establish(context, flaw, subject, parent, known)? {
        all.severity = outcome;
        all.add("severity", node);
    }
    if let Some(node) = facts::epss(context, flaw, subject, parent, known)? {
        all.add("epss", node);
    }
    if let Some(node) = facts::kev(context, flaw, subject, parent, known)? {
        all.add("kev", node);
    }
    if let Some(node) = facts::ssvc(context, flaw, subject, parent, known)? {
        all.add("ssvc", node);
    }
    if let Some((node, outcome)) = facts::vex(context, flaw, lead, subject, parent, known)? {
        all.vex = Some(outcome);
        all.add("vex", node);
    }
    if let Some((node, level)) = facts::reachability(context, flaw, lead, subject, parent, known)? {
        all.reachability = Some(level);
        all.add("reachability", node);
    }
    Ok(all)
}

impl Established {
    fn add(&mut self, family: &'static str, node: Built) {
        self.ids.push((family, node.id()));
        self.nodes.push(node);
    }
}

/// Findings of a flaw before one of them counts: one for each advisory id.
fn uncounted(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    lead: Option<FindingId>,
    matches: &[NodeId],
) -> Vec<Finding> {
    let members = flaw.members.iter().zip(matches);
    let mut findings: Vec<Finding> = Vec::with_capacity(flaw.members.len());
    for (member, node) in members {
        let id = finding_id(member.matched.purl.as_str(), &member.advisory.id);
        if findings.iter().any(|finding| finding.id == id) {
            continue;
        }
        let aliases = flaw
            .group
            .names
            .iter()
            .filter(|name| **name != member.advisory.id);
        let fixed = &member.matched.package.fixed;
        let (depth, scope) = facts::need(context, member);
        findings.push(Finding {
            id,
            purl: member.matched.purl.clone(),
            advisory_id: member.advisory.id.clone(),
            source: member.advisory.source.clone(),
            kind: member.advisory.kind,
            summary: member.advisory.summary.clone(),
            flaw: flaw.group.name.clone(),
            aliases: aliases.cloned().collect(),
            upstream: flaw.group.upstream.clone(),
            components: places(context, member)
                .map(|place| place.pointer.clone())
                .collect(),
            depth,
            scope,
            fixed: fixed.iter().map(|version| version.0.clone()).collect(),
            duplicate_of: lead,
            severity: None,
            epss: None,
            kev: None,
            ssvc: SsvcOutcome::default(),
            vex: None,
            reachability: None,
            score: None,
            rules: Vec::new(),
            node: *node,
        });
    }
    findings
}

/// Components of a match, in document order.
fn places<'a>(context: &Context<'a>, member: &Member<'a>) -> impl Iterator<Item = &'a Component> {
    let components = &context.inputs.bom.components;
    (member.matched.components.iter())
        .filter_map(|index| components.get(usize::try_from(index.0).ok()?))
}

/// Subject of every node of a finding; its component is the first place.
fn subject(context: &Context<'_>, member: &Member<'_>) -> Subject {
    let first = places(context, member).next().map(|place| &place.pointer);
    Subject {
        purl: Some(Text::Owned(member.matched.purl.as_str().to_owned())),
        component: first.map(|pointer| Text::Owned(pointer.as_str().to_owned())),
        advisory_id: Some(Text::Owned(member.advisory.id.to_string())),
    }
}

fn match_node(context: &Context<'_>, member: &Member<'_>) -> Result<Built, EngineError> {
    let inputs = context.inputs;
    let found = &member.matched.package;
    let pointers: Vec<&JsonPointer> = places(context, member)
        .map(|place| &place.pointer)
        .collect();
    let row = member.advisory.row(Some(&found.package));
    let (by, pointer) = match &found.by {
        MatchedBy::Listed => (Object::new(), "versions".to_owned()),
        MatchedBy::InRange {
            range,
            introduced,
            until,
        } => (
            stretch(introduced.as_str(), until),
            format!("ranges/{}", range.0),
        ),
    };
    let pointer = format!("/affected/{}/{pointer}", found.affected.0);
    let shown = pointers.iter().take(MAX_NODE_ITEMS);
    let fixed = found.fixed.iter().take(MAX_NODE_ITEMS);
    Draft::new(
        NodeKind::Transform,
        "match",
        Scope::Finding,
        subject(context, member),
    )
    .parent(context.matching)
    .evidence(shown.map(|pointer| at_pointer(inputs.bom.digest, pointer)))
    .evidence([at_row(
        inputs.manifest.concelier_snapshot,
        &row,
        Some(pointer),
    )])
    .input("ecosystem", text(found.package.ecosystem.as_str()))
    .input("package", text(&found.package.name))
    .input("places", count(pointers.len()))
    .output("affected", by)
    .output(
        "fixed",
        Value::Array(fixed.map(|version| text(version.as_str())).collect()),
    )
    .output("kind", member.advisory.kind.name())
    .output("source", text(&member.advisory.source))
    .seal()
}

/// The stretch of versions that holds the component's; empty when the version is listed by itself.
fn stretch(introduced: &str, until: &Until) -> Object {
    let object = Object::new().with("introduced", text(introduced));
    match until {
        Until::Fixed(version) => object.with("fixed", text(version.as_str())),
        Until::LastAffected(version) => object.with("lastAffected", text(version.as_str())),
        Until::Open => object,
    }
}

/// The advisories that speak of one flaw, and the one whose finding counts.
fn group_node(
    flaw: &Flaw<'_>,
    lead: &Member<'_>,
    subject: &Subject,
    matches: &[NodeId],
) -> Result<Built, EngineError> {
    let names = flaw.group.names.iter().take(MAX_NODE_ITEMS);
    let members = flaw.members.iter().take(MAX_NODE_ITEMS);
    let passed_on = &flaw.group.upstream;
    let upstream = passed_on.iter().take(MAX_NODE_ITEMS).map(|name| text(name));
    let upstream = Value::Array(upstream.collect());
    Draft::new(
        NodeKind::Transform,
        "alias-group",
        Scope::Finding,
        subject.clone(),
    )
    .parents(matches.iter().copied())
    .input(
        "names",
        Value::Array(names.map(|name| text(name)).collect()),
    )
    .input("nameCount", count(flaw.group.names.len()))
    .input(
        "matching",
        Value::Array(members.map(|m| text(&m.advisory.id)).collect()),
    )
    .input("matchingCount", count(flaw.members.len()))
    .input_if("upstream", (!passed_on.is_empty()).then_some(upstream))
    .input_if(
        "upstreamCount",
        (!passed_on.is_empty()).then(|| count(passed_on.len())),
    )
    .output("flaw", text(&flaw.group.name))
    .output("counts", text(&lead.advisory.id))
    .seal()
}
