//! Looking at snapshots and policies, and comparing them.

use super::{is_unknown, policy_json};
use crate::at::At;
use crate::commands::score::{kind_of, policy_notes};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::{Value, json};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_server::documents;
use tokio_stream::StreamExt as _;

/// Show one snapshot or policy
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The snapshot or policy
    #[arg(value_name = "HASH")]
    hash: String,
    #[command(flatten)]
    at: At,
}

/// Show what differs between two snapshots or two policies
///
/// Totals by table and change, then the rows. `rescored` is another severity, probability or status,
/// `ranges` another set of affected versions, `edited` what means nothing to a score.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier one
    #[arg(value_name = "OLD")]
    old: String,
    /// The later one
    #[arg(value_name = "NEW")]
    new: String,
    /// Only rows that this scan uses
    #[arg(long, value_name = "ID", default_value = "")]
    scan_id: String,
    /// Only totals
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    at: At,
}

impl Show {
    pub(super) async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let tree_size = self.at.tree_size(session).await?;
        let mut client = session.connection().snapshots();
        let request = wire::GetSnapshotRequest {
            hash: self.hash.clone(),
            tree_size,
        };
        let document = match client.get_snapshot(request).await {
            Ok(answer) => shown(&answer.into_inner()),
            Err(refusal) if is_unknown(&refusal) => {
                let found = policy(session, self.hash, tree_size).await;
                // Neither is there: most hashes name snapshots, so that is what is said.
                found.map_err(|problem| {
                    if problem.is(Reason::PolicyNotFound) {
                        refusal.into()
                    } else {
                        problem
                    }
                })?
            }
            Err(refusal) => return Err(refusal.into()),
        };
        output::document(format, &document)?;
        Ok(0)
    }
}

fn shown(answer: &wire::GetSnapshotResponse) -> Value {
    let mut document = documents::snapshot(&answer.snapshot.clone().unwrap_or_default());
    let tables: serde_json::Map<_, _> = (answer.tables.iter())
        .map(|count| (count.table.clone(), count.rows.into()))
        .collect();
    if let Value::Object(members) = &mut document {
        members.insert("tables".to_owned(), Value::Object(tables));
        let header = serde_json::from_slice(&answer.header).unwrap_or_default();
        members.insert("header".to_owned(), header);
    }
    document
}

async fn policy(session: &Session, hash: String, tree_size: Option<u64>) -> Result<Value, Failure> {
    let request = wire::GetPolicyRequest { hash, tree_size };
    let mut client = session.connection().snapshots();
    let answer = client.get_policy(request).await?.into_inner();
    let mut document = policy_json(&answer.description.unwrap_or_default());
    if let Value::Object(members) = &mut document {
        let policy = serde_json::from_slice(&answer.policy).map_err(Failure::operational)?;
        members.insert("policy".to_owned(), policy);
    }
    Ok(document)
}

impl Diff {
    pub(super) async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let tree_size = self.at.tree_size(session).await?;
        let request = wire::DiffSnapshotsRequest {
            old_hash: self.old.clone(),
            new_hash: self.new.clone(),
            scan_id: self.scan_id.clone(),
            tree_size,
        };
        let mut client = session.connection().snapshots();
        let mut answers = match client.diff_snapshots(request).await {
            Ok(answers) => answers.into_inner(),
            Err(refusal) if is_unknown(&refusal) => {
                return self.policies(session, format, tree_size).await;
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let (mut rows, mut totals) = (Vec::new(), Vec::new());
        while let Some(answer) = answers.next().await {
            let answer = answer?;
            if !self.summary {
                rows.extend(answer.changes.iter().map(change_json));
            }
            totals.extend(answer.totals.iter().map(total_json));
        }
        self.print(format, &rows, &totals)
    }

    fn print(&self, format: Format, rows: &[Value], totals: &[Value]) -> Result<u8, Failure> {
        match format {
            Format::Table => {
                output::documents(format, totals, &["table", "change", "rows"])?;
                let columns = ["change", "table", "id", "package", "old", "new"];
                if !rows.is_empty() {
                    output::documents(format, rows, &columns)?;
                }
            }
            Format::Jsonl => output::documents(format, rows, &[])?,
            format => {
                let document = json!({
                    "old": self.old,
                    "new": self.new,
                    "totals": totals,
                    "rows": rows,
                });
                output::document(format, &document)?;
            }
        }
        Ok(0)
    }

    async fn policies(
        &self,
        session: &Session,
        format: Format,
        tree_size: Option<u64>,
    ) -> Result<u8, Failure> {
        let old = policy(session, self.old.clone(), tree_size).await?;
        let new = policy(session, self.new.clone(), tree_size).await?;
        let part = |document: &Value| document.get("policy").cloned().unwrap_or_default();
        let notes = policy_notes(&part(&old), &part(&new));
        if format == Format::Table {
            for note in &notes {
                output::text(&format!("{note}\n"))?;
            }
        } else {
            let document = json!({"old": self.old, "new": self.new, "changes": notes});
            output::document(format, &document)?;
        }
        Ok(0)
    }
}

fn word(kind: wire::RowChangeKind) -> &'static str {
    kind_of(kind).map_or("unknown", stella_scoring::snapshot::RowChangeKind::name)
}

fn change_json(change: &wire::RowChange) -> Value {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "change": word(change.kind()),
        "table": change.table,
        "ecosystem": change.ecosystem,
        "package": change.package,
        "source": change.source,
        "id": change.id,
        "old": said(&change.old_value),
        "new": said(&change.new_value),
    })
}

fn total_json(total: &wire::DiffTotal) -> Value {
    json!({"table": total.table, "change": word(total.kind()), "rows": total.rows})
}
