//! Severity of a finding: every stated one recomputed, and the one that prevails.

use super::matched::Flaw;
use super::node::{Built, Draft, at_row, count, text};
use super::{Context, EngineError};
use crate::cvss::{CvssVector, CvssVersion};
use crate::engine::SeverityOutcome;
use crate::limits::MAX_NODE_ITEMS;
use crate::model::{ScoreTenths, SeverityFact, SeverityScheme, SeverityWord};
use crate::policy::{Fact, FactValue, Facts, Rated, Ratio, Trust, VectorScore, scheme_name};
use std::borrow::Cow;
use stella_verify::hash::NodeId;
use stella_verify::json::{Object, Text, Value};
use stella_verify::node::{NodeKind, Scope, Subject};

/// A stated severity and what its vector says.
struct Stated<'a> {
    fact: Cow<'a, SeverityFact>,
    parsed: Option<Parsed>,
    /// The score that counts under the policy.
    score: Option<ScoreTenths>,
    word: Option<SeverityWord>,
}

/// What a vector computes to, or why it does not.
enum Parsed {
    Vector {
        version: CvssVersion,
        score: ScoreTenths,
    },
    Refused(String),
}

/// Adds the severity's facts and its node; `None` when nobody states a severity.
pub(super) fn establish(
    context: &Context<'_>,
    flaw: &Flaw<'_>,
    subject: &Subject,
    parent: NodeId,
    facts: &mut Facts,
) -> Result<Option<(Built, Option<SeverityOutcome>)>, EngineError> {
    let stated = stated(context, flaw);
    if stated.is_empty() {
        return Ok(None);
    }
    let rated: Vec<Rated<'_>> = stated.iter().map(Stated::rated).collect();
    let prevailing = context.inputs.policy.severity.prevailing(&rated);
    let prevailing = prevailing.and_then(|place| stated.get(place));
    let mean = mean(&stated)?;
    if let Some(mean) = mean {
        facts.set(Fact::CvssMean, FactValue::Number(mean));
    }
    if let Some(stated) = prevailing {
        set_facts(stated, facts);
    }
    let node = node(context, &stated, prevailing, mean, subject, parent)?;
    Ok(Some((node, prevailing.map(Stated::outcome))))
}

/// Everything stated, by rows: records of the flaw that match, then joins under each of its names.
fn stated<'a>(context: &Context<'a>, flaw: &Flaw<'a>) -> Vec<Stated<'a>> {
    let mut all: Vec<Cow<'a, SeverityFact>> = Vec::new();
    for member in &flaw.members {
        let affected = (member.advisory.affected.iter())
            .find(|affected| affected.index == member.matched.package.affected);
        let own = affected.map_or(&[][..], |affected| &affected.severities);
        let severities = if own.is_empty() {
            &member.advisory.severities
        } else {
            own
        };
        all.extend(severities.iter().map(Cow::Borrowed));
    }
    for name in flaw.group.fact_names() {
        all.extend(
            context
                .inputs
                .feed
                .severities(name)
                .into_iter()
                .map(Cow::Owned),
        );
    }
    all.sort_by(|a, b| a.row.cmp(&b.row).then_with(|| a.cmp(b)));
    all.dedup();
    all.into_iter()
        .map(|fact| Stated::new(context, fact))
        .collect()
}

impl<'a> Stated<'a> {
    fn new(context: &Context<'_>, fact: Cow<'a, SeverityFact>) -> Self {
        let policy = &context.inputs.policy.severity;
        if fact.scheme == SeverityScheme::Word {
            let word = fact.word;
            return Self {
                fact,
                parsed: None,
                score: None,
                word,
            };
        }
        let (parsed, computed) = match fact.vector.parse::<CvssVector>() {
            Ok(vector) => {
                let scores = vector.scores();
                let score = match policy.score {
                    VectorScore::Base => scores.base,
                    VectorScore::Overall => scores.overall,
                };
                let version = vector.version();
                (Parsed::Vector { version, score }, Some((score, vector)))
            }
            Err(error) => (Parsed::Refused(error.to_string()), None),
        };
        let recomputed = computed.as_ref().map(|(score, _)| *score);
        let score = match policy.trust {
            Trust::Recomputed => recomputed.or(fact.published),
            Trust::Published => fact.published.or(recomputed),
        };
        let word = match (&computed, score) {
            (Some((_, vector)), Some(score)) => Some(vector.word(score)),
            _ => fact.word,
        };
        Self {
            fact,
            parsed: Some(parsed),
            score,
            word,
        }
    }

    fn rated(&self) -> Rated<'_> {
        Rated {
            scheme: self.fact.scheme,
            provider: &self.fact.provider,
            score: self.score,
            word: self.word,
        }
    }

    fn outcome(&self) -> SeverityOutcome {
        SeverityOutcome {
            score: self.score,
            word: self.word,
            vector: self.fact.vector.clone(),
            provider: self.fact.provider.clone(),
        }
    }

    /// Both scores, published and recomputed, side by side.
    fn to_json(&self) -> Value {
        let mut object = Object::new()
            .with("provider", text(&self.fact.provider))
            .with("scheme", scheme_name(self.fact.scheme));
        if !self.fact.vector.is_empty() {
            object.insert("vector", text(&self.fact.vector));
        }
        if let Some(published) = self.fact.published {
            object.insert("published", u32::from(published.get()));
        }
        match &self.parsed {
            Some(Parsed::Vector { score, .. }) => {
                object.insert("recomputed", u32::from(score.get()));
            }
            Some(Parsed::Refused(error)) => {
                object.insert("refused", text(error));
            }
            None => {}
        }
        if let Some(word) = self.fact.word {
            object.insert("word", word.name());
        }
        Value::Object(object)
    }
}

/// Mean of the scores of all vectors, exactly; `None` without one.
fn mean(stated: &[Stated<'_>]) -> Result<Option<Ratio>, EngineError> {
    let scores: Vec<i128> = (stated.iter())
        .filter(|stated| stated.fact.scheme != SeverityScheme::Word)
        .filter_map(|stated| stated.score)
        .map(|score| i128::from(score.get()))
        .collect();
    let Ok(number @ 1..) = i128::try_from(scores.len()) else {
        return Ok(None);
    };
    let mean = Ratio::new(scores.iter().sum(), number);
    mean.map(Some).map_err(|problem| EngineError::Amount {
        rule: "fact.severity".into(),
        problem,
    })
}

fn set_facts(stated: &Stated<'_>, facts: &mut Facts) {
    if let Some(score) = stated.score {
        facts.set(Fact::SeverityScore, FactValue::count(score.get()));
    }
    if let Some(word) = stated.word {
        facts.set(
            Fact::SeverityWord,
            FactValue::Word(Text::Borrowed(word.name())),
        );
    }
    if let Some(Parsed::Vector { version, .. }) = &stated.parsed {
        let version = Text::Borrowed(version.as_str());
        facts.set(Fact::SeverityVersion, FactValue::Word(version));
    }
    let provider = Text::Owned(stated.fact.provider.to_string());
    facts.set(Fact::SeverityProvider, FactValue::Word(provider));
}

fn node(
    context: &Context<'_>,
    stated: &[Stated<'_>],
    prevailing: Option<&Stated<'_>>,
    mean: Option<Ratio>,
    subject: &Subject,
    parent: NodeId,
) -> Result<Built, EngineError> {
    let snapshot = context.inputs.manifest.concelier_snapshot;
    let shown = || stated.iter().take(MAX_NODE_ITEMS);
    let mut rows: Vec<_> = shown().map(|stated| &stated.fact.row).collect();
    rows.dedup();
    Draft::new(
        NodeKind::Transform,
        "fact.severity",
        Scope::Finding,
        subject.clone(),
    )
    .parent(parent)
    .evidence(rows.into_iter().map(|row| at_row(snapshot, row, None)))
    .input(
        "stated",
        Value::Array(shown().map(Stated::to_json).collect()),
    )
    .input("statedCount", count(stated.len()))
    .output_if("mean", mean.map(|mean| FactValue::Number(mean).to_json()))
    .output_if(
        "score",
        prevailing
            .and_then(|s| s.score)
            .map(|score| u32::from(score.get())),
    )
    .output_if(
        "word",
        prevailing.and_then(|s| s.word).map(SeverityWord::name),
    )
    .output_if("provider", prevailing.map(|s| text(&s.fact.provider)))
    .output_if(
        "vector",
        prevailing
            .map(|s| &s.fact.vector)
            .filter(|v| !v.is_empty())
            .map(|v| text(v)),
    )
    .seal()
}
