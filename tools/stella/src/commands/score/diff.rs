//! Explaining the difference of two scores: from verified bundles on this side of the wire, and from
//! what the ledger says of the inputs that differ.

use crate::at::At;
use crate::cli::Global;
use crate::commands::explain::{Drawing, drawing, json, of_file, of_scan};
use crate::commands::proof::proofs;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use clap::Args;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_scoring::explain::{
    InputChange, ScoreDiff, diff_dot, diff_json, diff_mermaid, diff_table,
};
use stella_scoring::snapshot::{RowChange, RowChangeKind};
use stella_verify::json::canonicalize;
use stella_verify::snapshot::RowKey;
use tokio_stream::StreamExt as _;

/// Explain the difference of two scores: inputs, findings, rules
///
/// The rows add up to the change of the score exactly.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The scan: its first score against its newest
    #[arg(long, value_name = "ID", required_unless_present = "from")]
    scan_id: Option<String>,
    /// Begin with the scan's first score (the default)
    #[arg(long)]
    original: bool,
    /// End with the scan's newest score (the default)
    #[arg(long)]
    replayed: bool,
    /// Begin with this root instead of the scan's first
    #[arg(long, value_name = "HASH", conflicts_with_all = ["original", "from"])]
    old_root: Option<String>,
    /// End with this root instead of the scan's newest
    #[arg(long, value_name = "HASH", conflicts_with_all = ["replayed", "from"])]
    new_root: Option<String>,
    /// The first score, as a bundle file
    #[arg(long, value_name = "FILE", requires = "to", conflicts_with = "scan_id")]
    from: Option<PathBuf>,
    /// The second score, as a bundle file
    #[arg(long, value_name = "FILE", requires = "from")]
    to: Option<PathBuf>,
    /// How to draw it
    #[arg(
        long = "as",
        value_enum,
        value_name = "DRAWING",
        default_value = "table"
    )]
    drawing: Drawing,
    #[command(flatten)]
    at: At,
}

/// Which two scores of a scan are compared.
pub(super) struct Roots {
    /// The first.
    pub(super) old: String,
    /// The second.
    pub(super) new: String,
}

/// A difference, explained.
pub(super) struct Explained(ScoreDiff);

impl Diff {
    /// Whether files are enough.
    pub(super) fn is_offline(&self) -> bool {
        self.from.is_some()
    }

    pub(super) async fn run(
        self,
        global: &Global,
        session: Option<&Session>,
    ) -> Result<u8, Failure> {
        let drawing = drawing(self.drawing, global);
        let explained = match (&self.from, &self.to, session, &self.scan_id) {
            (Some(from), Some(to), _, _) => {
                let (old, new) = (of_file(global, from)?, of_file(global, to)?);
                Explained(ScoreDiff::between(&old, &new))
            }
            (_, _, Some(session), Some(scan)) => {
                let roots = roots(session, scan, self.old_root, self.new_root, &self.at).await?;
                let tree_size = self.at.tree_size(session).await?;
                between(global, session, scan, &roots, tree_size).await?
            }
            _ => {
                return Err(Failure::usage(
                    "no scores named",
                    "say --scan-id, or --from and --to",
                ));
            }
        };
        output::text(&explained.drawn(drawing))?;
        Ok(0)
    }
}

impl Explained {
    /// As text.
    pub(super) fn drawn(&self, drawing: Drawing) -> String {
        match drawing {
            Drawing::Table | Drawing::Tree => diff_table(&self.0),
            Drawing::Mermaid => diff_mermaid(&self.0),
            Drawing::Dot => diff_dot(&self.0),
            Drawing::Json => json(&diff_json(&self.0)),
        }
    }

    /// As member `diff` of a document.
    pub(super) fn in_document(&self, mut document: Value) -> Result<Value, Failure> {
        let bytes = canonicalize(&diff_json(&self.0));
        let diff = serde_json::from_slice(&bytes).map_err(Failure::operational)?;
        if let Value::Object(members) = &mut document {
            members.insert("diff".to_owned(), diff);
        }
        Ok(document)
    }
}

/// The scan's first and newest roots, where none are named.
async fn roots(
    session: &Session,
    scan: &str,
    old: Option<String>,
    new: Option<String>,
    at: &At,
) -> Result<Roots, Failure> {
    let proofs = proofs(session, scan, at).await?;
    let (Some(first), Some(last)) = (proofs.first(), proofs.last()) else {
        let message = format!("{scan} is not sealed yet");
        return Err(Failure::of(Reason::ProofNotFound, message));
    };
    Ok(Roots {
        old: old.unwrap_or_else(|| first.root_hash.clone()),
        new: new.unwrap_or_else(|| last.root_hash.clone()),
    })
}

/// Explains the difference of two scores of a scan.
pub(super) async fn between(
    global: &Global,
    session: &Session,
    scan: &str,
    roots: &Roots,
    tree_size: Option<u64>,
) -> Result<Explained, Failure> {
    let old = of_scan(global, session, scan, &roots.old, tree_size).await?;
    let new = if roots.old == roots.new {
        old.clone()
    } else {
        of_scan(global, session, scan, &roots.new, tree_size).await?
    };
    let mut diff = ScoreDiff::between(&old, &new);
    for input in &mut diff.inputs {
        match input.name.as_str() {
            "feed" | "vex" => rows(session, scan, input, tree_size).await?,
            "policy" => policies(session, input).await?,
            _ => (),
        }
    }
    Ok(Explained(diff))
}

/// Fills in what differs between two snapshots, for what the scan used at a tree size.
async fn rows(
    session: &Session,
    scan: &str,
    input: &mut InputChange,
    tree_size: Option<u64>,
) -> Result<(), Failure> {
    let (Some(old), Some(new)) = (&input.old, &input.new) else {
        return Ok(());
    };
    let request = wire::DiffSnapshotsRequest {
        old_hash: old.clone(),
        new_hash: new.clone(),
        scan_id: scan.to_owned(),
        tree_size,
    };
    let mut client = session.connection().snapshots();
    let mut answers = client.diff_snapshots(request).await?.into_inner();
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        for change in &answer.changes {
            input.rows.extend(row_change(change));
        }
        for total in &answer.totals {
            if let (Ok(table), Some(kind)) = (total.table.parse(), kind_of(total.kind())) {
                input.totals.insert((table, kind), total.rows);
            }
        }
    }
    Ok(())
}

fn row_change(change: &wire::RowChange) -> Option<RowChange> {
    let said = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Into::into);
    Some(RowChange {
        key: RowKey {
            table: change.table.parse().ok()?,
            ecosystem: change.ecosystem.clone().into(),
            package: change.package.clone().into(),
            source: change.source.clone().into(),
            id: change.id.clone().into(),
        },
        kind: kind_of(change.kind())?,
        old: said(&change.old_value),
        new: said(&change.new_value),
    })
}

/// The kind that a message names.
pub(crate) fn kind_of(kind: wire::RowChangeKind) -> Option<RowChangeKind> {
    Some(match kind {
        wire::RowChangeKind::Unspecified => return None,
        wire::RowChangeKind::Added => RowChangeKind::Added,
        wire::RowChangeKind::Removed => RowChangeKind::Removed,
        wire::RowChangeKind::Withdrawn => RowChangeKind::Withdrawn,
        wire::RowChangeKind::Rescored => RowChangeKind::Rescored,
        wire::RowChangeKind::Ranges => RowChangeKind::Ranges,
        wire::RowChangeKind::Edited => RowChangeKind::Edited,
    })
}

/// Fills in which parts of two policies differ.
async fn policies(session: &Session, input: &mut InputChange) -> Result<(), Failure> {
    let (Some(old), Some(new)) = (&input.old, &input.new) else {
        return Ok(());
    };
    let (old, new) = (policy(session, old).await?, policy(session, new).await?);
    input.notes = policy_notes(&old, &new);
    Ok(())
}

async fn policy(session: &Session, hash: &str) -> Result<Value, Failure> {
    let request = wire::GetPolicyRequest {
        hash: hash.to_owned(),
        // What a policy says is the same at every size.
        tree_size: None,
    };
    let mut client = session.connection().snapshots();
    let answer = client.get_policy(request).await?.into_inner();
    serde_json::from_slice(&answer.policy).map_err(Failure::operational)
}

/// A line for each part that differs: a member, or an element that has an id (a rule, a gate).
pub(crate) fn policy_notes(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (policy_parts(old), policy_parts(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    (names.into_iter())
        .filter_map(|name| match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => Some(format!("{name} changed: {old} -> {new}")),
            (None, Some(new)) => Some(format!("{name} added: {new}")),
            (Some(old), None) => Some(format!("{name} removed: {old}")),
            (None, None) => None,
        })
        .collect()
}

fn policy_parts(policy: &Value) -> BTreeMap<String, &Value> {
    let mut parts = BTreeMap::new();
    for (name, member) in policy.as_object().into_iter().flatten() {
        let elements = member.as_array().filter(|elements| {
            let named = |element: &Value| element.get("id").is_some();
            !elements.is_empty() && elements.iter().all(named)
        });
        let Some(elements) = elements else {
            parts.insert(name.clone(), member);
            continue;
        };
        for element in elements {
            let id = element
                .get("id")
                .and_then(Value::as_str)
                .unwrap_or_default();
            parts.insert(format!("{name} {id}"), element);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policys_rules_are_compared_by_id() {
        let old = json!({"name": "a", "rules": [{"id": "x", "add": 1}, {"id": "y", "add": 2}]});
        let new = json!({"name": "a", "rules": [{"id": "y", "add": 3}, {"id": "z", "add": 2}]});
        let notes = policy_notes(&old, &new);
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[0].starts_with("rules x removed: "), "{notes:?}");
        assert!(notes[1].starts_with("rules y changed: "), "{notes:?}");
        assert!(notes[2].starts_with("rules z added: "), "{notes:?}");
    }
}
