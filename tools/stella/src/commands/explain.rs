//! `stella score explain` and `stella score diff`: from verified bundles, on this side of the wire.

use super::proof::verify::Trust;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use stella_proto::proof::ListProofsRequest;
use stella_proto::reason::Reason;
use stella_scoring::explain::{
    Outline, ScoreDiff, View, diff_dot, diff_json, diff_mermaid, diff_table, dot, mermaid,
    outline_json, table, tree,
};
use stella_verify::bundle::BundleFiles;
use stella_verify::json::canonicalize;
use stella_verify::score_proof::ScoreProof;

/// How an explanation is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Drawing {
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
}

/// Explain the difference of two scores, rule by rule
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The scan: its first score against its newest
    #[arg(long, value_name = "ID", required_unless_present = "from")]
    scan_id: Option<String>,
    /// The first score of the scan is the one compared (the default)
    #[arg(long)]
    original: bool,
    /// The newest score of the scan is compared with it (the default)
    #[arg(long)]
    replayed: bool,
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
                of_scan(global, session, scan, &self.root_hash).await?
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

impl Diff {
    /// Whether files are enough.
    pub(crate) fn is_offline(&self) -> bool {
        self.from.is_some()
    }

    /// `--original` and `--replayed` say what is compared anyway.
    pub(crate) async fn run(
        self,
        global: &Global,
        session: Option<&Session>,
    ) -> Result<u8, Failure> {
        let (old, new) = match (&self.from, &self.to, session, &self.scan_id) {
            (Some(from), Some(to), _, _) => (of_file(global, from)?, of_file(global, to)?),
            (_, _, Some(session), Some(scan)) => {
                let first = first_root(session, scan).await?;
                let old = of_scan(global, session, scan, &first).await?;
                (old, of_scan(global, session, scan, "").await?)
            }
            _ => {
                return Err(Failure::usage(
                    "no scores named",
                    "say --scan-id, or --from and --to",
                ));
            }
        };
        let diff = ScoreDiff::between(&old, &new);
        let text = match drawing(self.drawing, global) {
            Drawing::Table | Drawing::Tree => diff_table(&diff),
            Drawing::Mermaid => diff_mermaid(&diff),
            Drawing::Dot => diff_dot(&diff),
            Drawing::Json => json(&diff_json(&diff)),
        };
        output::text(&text)?;
        Ok(0)
    }
}

/// `--format json` asks for JSON here too.
fn drawing(asked: Drawing, global: &Global) -> Drawing {
    if global.format == output::Format::Table {
        asked
    } else {
        Drawing::Json
    }
}

fn json(value: &stella_verify::json::Value) -> String {
    String::from_utf8_lossy(&canonicalize(value)).into_owned() + "\n"
}

async fn first_root(session: &Session, scan: &str) -> Result<String, Failure> {
    let request = ListProofsRequest {
        scan_id: scan.to_owned(),
    };
    let proofs = session
        .connection()
        .proofs()
        .list_proofs(request)
        .await?
        .into_inner()
        .proofs;
    let first = proofs.into_iter().next();
    first
        .map(|proof| proof.root_hash)
        .ok_or_else(|| Failure::of(Reason::ProofNotFound, format!("{scan} is not sealed yet")))
}

async fn of_scan(
    global: &Global,
    session: &Session,
    scan: &str,
    root: &str,
) -> Result<Outline, Failure> {
    outline(
        global,
        &super::proof::fetch(session, scan, root).await?,
        scan,
    )
}

fn of_file(global: &Global, path: &Path) -> Result<Outline, Failure> {
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
