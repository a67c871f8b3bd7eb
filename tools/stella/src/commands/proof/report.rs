//! What a verification found, for people and for programs.

use super::anchor::Anchor;
use super::verify::Judgement;
use crate::failure::Failure;
use crate::output::{self, Format, Table};
use serde_json::{Map, Value, json};
use stella_verify::bundle::{Check, CheckName, Outcome};
use stella_verify::time::format_time;

/// Prints a report: every check, or only those asked for.
pub(super) fn print(
    format: Format,
    judgement: &Judgement,
    anchors: &[Anchor],
    only: &[CheckName],
    verbose: bool,
) -> Result<(), Failure> {
    if format != Format::Table {
        return output::document(format, &document(judgement, anchors, only)?);
    }
    let shown = |check: &&Check| only.is_empty() || only.contains(&check.name);
    let mut table = Table::new(&["check", "result", "message"]);
    for check in judgement.report.checks().iter().filter(shown) {
        let told = verbose || check.outcome != Outcome::Pass;
        let message = if told { check.message.as_str() } else { "" };
        table.row([
            check.name.as_str().to_owned(),
            check.outcome.as_str().to_owned(),
            message.to_owned(),
        ]);
    }
    output::table(&table)?;
    for check in judgement.report.checks().iter().filter(shown) {
        if let Some(hint) = check.hint {
            output::text(&format!("{}: {hint}\n", check.name))?;
        }
    }
    for anchor in anchors {
        if let Some(why) = anchor.outside(judgement.at) {
            output::text(&format!("not used: {why}\n"))?;
        } else if verbose {
            output::text(&format!("key: {}\n", anchor.key().id()))?;
        }
    }
    if only.is_empty() {
        let verified = judgement.report.verified();
        output::text(&format!("verified: {verified}\n"))?;
    }
    Ok(())
}

/// The report as JSON. `verified` is of the whole bundle, also when only some checks are shown.
fn document(
    judgement: &Judgement,
    anchors: &[Anchor],
    only: &[CheckName],
) -> Result<Value, Failure> {
    let report = judgement.report.to_json();
    let mut report: Map<String, Value> =
        serde_json::from_slice(&report).map_err(Failure::operational)?;
    if let (Some(Value::Object(checks)), false) = (report.get_mut("checks"), only.is_empty()) {
        checks.retain(|name, _| only.iter().any(|wanted| wanted.as_str() == name));
    }
    let anchors = anchors.iter().map(|anchor| anchor.to_json(judgement.at));
    report.insert("anchors".into(), anchors.collect());
    let time = judgement.at.and_then(|time| format_time(time).ok());
    let by = if judgement.by_log { "log" } else { "caller" };
    report.insert("judgedAt".into(), json!({"time": time, "by": by}));
    Ok(Value::Object(report))
}
