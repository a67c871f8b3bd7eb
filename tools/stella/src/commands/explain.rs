//! `stella score explain`: from verified bundles, on this side of the wire.

use super::proof::verify::Trust;
use crate::at::At;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use stella_proto::reason::Reason;
use stella_scoring::explain::{Outline, View, dot, mermaid, outline_json, table, tree};
use stella_verify::bundle::BundleFiles;
use stella_verify::json::canonicalize;
use stella_verify::score_proof::ScoreProof;

/// How an explanation is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawing {
    /// Rows that add up.
    Table,
    /// A tree for the terminal.
    Tree,
    /// For programs.
    Json,
    /// A Mermaid graph.
    Mermaid,
    /// A Graphviz graph.
    Dot,
}

/// Explain a score from its verified proof, rule by rule
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The scan
    #[arg(long, value_name = "ID", required_unless_present = "bundle")]
    scan_id: Option<String>,
    /// One of its roots; the newest when absent
    #[arg(long, value_name = "HASH", default_value = "")]
    root_hash: String,
    /// A bundle file instead of a scan
    #[arg(long, value_name = "FILE", conflicts_with = "scan_id")]
    bundle: Option<PathBuf>,
    /// How to draw it
    #[arg(
        long = "as",
        value_enum,
        value_name = "DRAWING",
        default_value = "table"
    )]
    drawing: Drawing,
    /// Only components whose purl or advisories contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Findings to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    findings: usize,
    /// Also show rules that changed nothing
    #[arg(long)]
    all_rules: bool,
    #[command(flatten)]
    at: At,
}

impl Explain {
    /// Whether files are enough.
    pub(crate) fn is_offline(&self) -> bool {
        self.bundle.is_some()
    }

    pub(crate) async fn run(
        self,
        global: &Global,
        session: Option<&Session>,
    ) -> Result<u8, Failure> {
        let outline = match (&self.bundle, session, &self.scan_id) {
            (Some(path), _, _) => of_file(global, path)?,
            (None, Some(session), Some(scan)) => {
                let tree_size = self.at.tree_size(session).await?;
                of_scan(global, session, scan, &self.root_hash, tree_size).await?
            }
            _ => {
                return Err(Failure::usage(
                    "no score named",
                    "say --scan-id or --bundle",
                ));
            }
        };
        let view = View {
            filter: self.filter,
            findings: self.findings,
            unchanged_rules: self.all_rules,
        };
        let text = match drawing(self.drawing, global) {
            Drawing::Table => table(&outline, &view),
            Drawing::Tree => tree(&outline, &view),
            Drawing::Mermaid => mermaid(&outline, &view),
            Drawing::Dot => dot(&outline, &view),
            Drawing::Json => json(&outline_json(&outline, &view)),
        };
        output::text(&text)?;
        Ok(0)
    }
}

/// `--format json` asks for JSON here too.
pub(crate) fn drawing(asked: Drawing, global: &Global) -> Drawing {
    if global.format == output::Format::Table {
        asked
    } else {
        Drawing::Json
    }
}

pub(crate) fn json(value: &stella_verify::json::Value) -> String {
    String::from_utf8_lossy(&canonicalize(value)).into_owned() + "\n"
}

/// The outline of a scan's score as of a tree size; of the newest root there when `root` is empty.
pub(crate) async fn of_scan(
    global: &Global,
    session: &Session,
    scan: &str,
    root: &str,
    tree_size: Option<u64>,
) -> Result<Outline, Failure> {
    let bundle = super::proof::fetch(session, scan, root, tree_size).await?;
    outline(global, &bundle, scan)
}

/// The outline of a bundle file.
pub(crate) fn of_file(global: &Global, path: &Path) -> Result<Outline, Failure> {
    outline(
        global,
        &super::scan::read(path)?,
        &path.display().to_string(),
    )
}

/// The outline of a bundle. With the directory's keys at hand, only of one that they vouch for;
/// its ids and root are recomputed in any case.
fn outline(global: &Global, bundle: &[u8], name: &str) -> Result<Outline, Failure> {
    if let Some(directory) = &global.data_dir {
        let report = Trust::of_directory(directory)?.judge(bundle);
        if !report.verified() {
            let report = String::from_utf8_lossy(&report.to_json()).into_owned();
            return Err(Failure::of(
                Reason::VerificationFailed,
                format!("{name}: {report}"),
            ));
        }
    }
    let bad =
        |problem: String| Failure::of(Reason::VerificationFailed, format!("{name}: {problem}"));
    let files = BundleFiles::open(bundle).map_err(|problem| bad(problem.to_string()))?;
    let proof = ScoreProof::parse(files.score_proof).map_err(|problem| bad(problem.to_string()))?;
    Outline::of(proof.nodes()).map_err(|problem| bad(problem.to_string()))
}
