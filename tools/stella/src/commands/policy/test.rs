//! `stella policy test`: worked examples.

use super::{load, read_text, refusal, refusal_of};
use crate::failure::Failure;
use crate::output::{self, Format, Table, points};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;
use stella_proto::reason::Reason;
use stella_scoring::policy::{Applied, CaseError, CaseOutcome, Cases, Policy, built_in};

/// Exit code for totals that differ from the expected ones.
const DIFFERS: u8 = 6;

/// Run worked examples against a policy
///
/// A file of examples says with `policy:` which policy it is about; `--policy` says so instead. The
/// name of a built-in policy stands for its own examples. Exits with 0 when every example comes
/// out as expected, with 6 when one does not, with 2 when a file is wrong.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files of examples (`schema: stella.policy-test/v1`), or names of built-in policies
    #[arg(required = true, value_name = "FILE|NAME")]
    examples: Vec<String>,
    /// The policy to run them against: a built-in one's name, or a file
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Also show, for examples that come out as expected, what each rule did
    #[arg(long)]
    rules: bool,
}

impl Test {
    pub(super) fn run(self, format: Format) -> Result<u8, Failure> {
        let mut reports = Vec::with_capacity(self.examples.len());
        let mut passed = true;
        for word in &self.examples {
            let (cases, policy) = self.open(word)?;
            let report = cases.run(&policy).map_err(|error| match error {
                CaseError::File(error) => refusal_of(word, &error),
                amount @ CaseError::Amount { .. } => {
                    Failure::of(Reason::BadPolicy, format!("{word}: {amount}"))
                }
            })?;
            passed &= report.passed();
            if format == Format::Table {
                self.table(word, &policy, &report.cases)?;
            }
            reports.push(json!({
                "examples": word,
                "policy": policy.name,
                "hash": policy.hash().to_string(),
                "passed": report.passed(),
                "cases": report.cases.iter().map(case_json).collect::<Vec<_>>(),
            }));
        }
        match (format, reports.as_slice()) {
            (Format::Table, _) => (),
            (_, [report]) => output::document(format, report)?,
            _ => output::documents(format, &reports, &[])?,
        }
        Ok(if passed { 0 } else { DIFFERS })
    }

    /// The examples that a word means, and their policy.
    fn open(&self, word: &str) -> Result<(Cases, Policy), Failure> {
        let path = Path::new(word);
        let text = match built_in(word) {
            Some(policy) => policy.examples.to_owned(),
            None => read_text(path)?
                .map_err(|problem| Failure::of(Reason::BadPolicy, format!("{word}: {problem}")))?,
        };
        let cases = Cases::parse(&text).map_err(|error| match Policy::parse(&text) {
            Ok(_) => Failure::usage(
                format!("{word} is a policy, not a file of examples"),
                format!("run examples against it: stella policy test EXAMPLES --policy {word}"),
            ),
            Err(_) => refusal(word, &text, &error),
        })?;
        let policy = match (&self.policy, cases.policy()) {
            (Some(named), _) => load(named)?,
            (None, Some(named)) if built_in(named).is_some() => load(named)?,
            (None, Some(file)) => {
                let beside = path.parent().unwrap_or(Path::new("")).join(file);
                load(&beside.display().to_string())?
            }
            (None, None) => {
                return Err(Failure::usage(
                    format!("{word} does not say which policy it is about"),
                    "add `policy: NAME|FILE` to it, or say --policy",
                ));
            }
        };
        Ok((cases, policy))
    }

    fn table(&self, word: &str, policy: &Policy, cases: &[CaseOutcome]) -> Result<(), Failure> {
        let failed = cases.iter().filter(|case| !case.passed()).count();
        output::text(&format!(
            "{word}: policy {}, {} examples, {failed} not as expected\n",
            policy.name,
            cases.len()
        ))?;
        for case in cases {
            let verdict = if case.passed() { "ok  " } else { "FAIL" };
            let total = points(case.total.get());
            output::text(&format!("  {verdict} {}: {total}\n", case.name))?;
            if case.expected != case.total {
                let expected = points(case.expected.get());
                output::text(&format!("       expected {expected}\n"))?;
            }
            for (rule, expected, got) in &case.differing {
                let expected = points(expected.get());
                let got = got.map_or_else(
                    || "the policy has no such rule in this scope".to_owned(),
                    |got| points(got.get()),
                );
                output::text(&format!("       {rule}: expected {expected}, got {got}\n"))?;
            }
            if self.rules || !case.passed() {
                steps(case)?;
            }
        }
        Ok(())
    }
}

fn steps(case: &CaseOutcome) -> Result<(), Failure> {
    let mut table = Table::new(&["       rule", "delta", "because"]);
    for (rule, delta, applied) in &case.rules {
        let rule = format!("       {rule}");
        table.row([rule, points(delta.get()), because(applied)]);
    }
    output::table(&table)
}

fn because(applied: &Applied) -> String {
    match applied {
        Applied::Yes => "applied".to_owned(),
        Applied::Condition => "its condition does not hold".to_owned(),
        Applied::NoRow => "no row fits".to_owned(),
        Applied::Unknown(missing) => format!("unknown: {}", missing.join(", ")),
    }
}

fn case_json(case: &CaseOutcome) -> Value {
    let rules: Vec<Value> = (case.rules.iter())
        .map(|(rule, delta, applied)| {
            let missing: &[String] = match applied {
                Applied::Unknown(missing) => missing,
                _ => &[],
            };
            json!({
                "rule": rule,
                "deltaBps": delta.get(),
                "applied": *applied == Applied::Yes,
                "missing": missing,
            })
        })
        .collect();
    let differing: Vec<Value> = (case.differing.iter())
        .map(|(rule, expected, got)| {
            json!({
                "rule": rule,
                "expectedBps": expected.get(),
                "gotBps": got.map(stella_verify::units::BasisPoints::get),
            })
        })
        .collect();
    json!({
        "name": case.name,
        "passed": case.passed(),
        "expectedBps": case.expected.get(),
        "totalBps": case.total.get(),
        "rules": rules,
        "differing": differing,
    })
}
