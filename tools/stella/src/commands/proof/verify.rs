//! Verifying a bundle.

use crate::cli::Global;
use crate::commands::ledger::log_key;
use crate::commands::scan::read;
use crate::failure::Failure;
use crate::output::{self, Format, Table};
use crate::session::Session;
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};
use stella_proto::reason::Reason;
use stella_verify::bundle::{CheckName, Outcome, Report, TrustInput, verify};
use stella_verify::checkpoint::Origin;
use stella_verify::keys::PublicKey;
use stella_verify::note::VerifierKey;
use stella_verify::units::UnixMillis;

/// Verify a proof bundle
///
/// The keys are yours, never the bundle's: name them, or name a data directory whose keys you
/// trust. Without a log key, what the log says of the bundle is skipped, not passed.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The bundle
    #[arg(long, value_name = "FILE", required_unless_present = "bundle_id")]
    bundle: Option<PathBuf>,
    /// A bundle of the ledger, by its root
    #[arg(long, value_name = "HASH", conflicts_with = "bundle")]
    bundle_id: Option<String>,
    /// Open no socket and no ledger
    #[arg(long, conflicts_with = "bundle_id")]
    offline: bool,
    /// Key that may sign: a public key, PEM
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// The same as --public-key
    #[arg(long, value_name = "FILE")]
    trust_anchor: Vec<PathBuf>,
    /// The log's verifier key, or a file with it
    #[arg(long, value_name = "VKEY|FILE")]
    log_key: Vec<String>,
    /// The log that is expected
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// Do not ask for an entry in Rekor
    #[arg(long, conflicts_with = "check_rekor")]
    skip_rekor: bool,
    /// Demand an entry in Rekor
    #[arg(long)]
    check_rekor: bool,
    /// Answer one check only
    #[arg(long, value_name = "NAME")]
    check: Option<String>,
    /// Say what each check found
    #[arg(long)]
    verbose: bool,
}

/// Whom the caller trusts.
pub(crate) struct Trust {
    keys: Vec<PublicKey>,
    log_keys: Vec<VerifierKey>,
    origin: Option<Origin>,
}

impl Trust {
    /// What a data directory publishes under `keys/`.
    pub(crate) fn of_directory(directory: &Path) -> Result<Self, Failure> {
        let folder = directory.join("keys");
        let log = folder.join("log.vkey");
        Ok(Self {
            keys: vec![public_key(&folder.join("signing.pub.pem"))?],
            log_keys: vec![log_key(&log.display().to_string())?],
            origin: None,
        })
    }

    /// Judges a bundle, at this machine's time.
    pub(crate) fn judge(&self, bundle: &[u8]) -> Report {
        let mut input = TrustInput::new(&self.keys, &self.log_keys);
        input.log_origin = self.origin.as_ref();
        input.now = now();
        verify(bundle, &input)
    }
}

impl Verify {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let only = self.check.as_deref().map(check_name).transpose()?;
        let trust = self.trust(global)?;
        let bundle = match (&self.bundle, &self.bundle_id) {
            (Some(path), _) => {
                let bytes = read(path)?;
                refuse_problem(path, &bytes)?;
                bytes
            }
            (None, Some(root)) => {
                let session = Session::open(global).await?;
                let bundle = super::fetch(&session, "", root).await;
                session.close().await?;
                bundle?
            }
            (None, None) => return Err(Failure::usage("no bundle named", "say --bundle FILE")),
        };
        let report = trust.judge(&bundle);
        self.print(global.format, &report, only)?;
        let held = match only {
            Some(name) => report.outcome(name) == Outcome::Pass,
            None => report.verified() && self.rekor_held(&report),
        };
        Ok(if held { 0 } else { 3 })
    }

    /// Bundles of this version carry no Rekor entry: whoever demands one gets no.
    fn rekor_held(&self, report: &Report) -> bool {
        !self.check_rekor || report.outcome(CheckName::RekorInclusion) == Outcome::Pass
    }

    fn trust(&self, global: &Global) -> Result<Trust, Failure> {
        let named: Vec<&PathBuf> = self.public_key.iter().chain(&self.trust_anchor).collect();
        let mut trust = match (&global.data_dir, named.is_empty(), self.log_key.is_empty()) {
            (Some(directory), true, true) => Trust::of_directory(directory)?,
            (_, true, _) => {
                return Err(Failure::usage(
                    "no key named",
                    "say --public-key FILE with the key you trust; the bundle's own word for its \
                     key proves nothing",
                ));
            }
            _ => Trust {
                keys: named
                    .iter()
                    .map(|path| public_key(path))
                    .collect::<Result<_, _>>()?,
                log_keys: self
                    .log_key
                    .iter()
                    .map(|k| log_key(k))
                    .collect::<Result<_, _>>()?,
                origin: None,
            },
        };
        if let Some(text) = &self.origin {
            let origin = Origin::new(text).map_err(|problem| {
                Failure::usage(format!("--origin {text}: {problem}"), "one line, not empty")
            })?;
            trust.origin = Some(origin);
        }
        Ok(trust)
    }

    fn print(
        &self,
        format: Format,
        report: &Report,
        only: Option<CheckName>,
    ) -> Result<(), Failure> {
        if format != Format::Table {
            let value: Value =
                serde_json::from_slice(&report.to_json()).map_err(Failure::operational)?;
            return output::document(format, &value);
        }
        let mut table = Table::new(&["check", "result", "message"]);
        for check in report.checks() {
            if only.is_some_and(|name| name != check.name) {
                continue;
            }
            let failed = check.outcome == Outcome::Fail;
            let hint = check
                .hint
                .filter(|_| failed)
                .map(|hint| format!(" ({hint})"));
            let told = failed || self.verbose || check.outcome == Outcome::Skipped;
            let message = if told {
                check.message.clone()
            } else {
                String::new()
            };
            table.row([
                check.name.as_str().to_owned(),
                check.outcome.as_str().to_owned(),
                message + hint.as_deref().unwrap_or_default(),
            ]);
        }
        output::table(&table)?;
        if only.is_none() {
            let verified = report.verified() && self.rekor_held(report);
            output::text(&format!("verified: {verified}\n"))?;
        }
        Ok(())
    }
}

fn check_name(text: &str) -> Result<CheckName, Failure> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = CheckName::ALL.iter().map(|name| name.as_str()).collect();
        Failure::usage(
            format!("no check {text}"),
            format!("one of {}", names.join(", ")),
        )
    })
}

fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let text = std::fs::read_to_string(path).map_err(|problem| Failure::file(path, &problem))?;
    PublicKey::from_pem(&text).map_err(|problem| {
        Failure::usage(
            format!("{}: {problem}", path.display()),
            "a public key in PEM",
        )
    })
}

/// A download that was refused leaves a problem document where the bundle should be.
fn refuse_problem(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return Ok(());
    };
    let Some(code) = value.get("code").and_then(Value::as_str) else {
        return Ok(());
    };
    let said = value
        .get("detail")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let reason = Reason::of(code).unwrap_or(Reason::VerificationFailed);
    let message = format!(
        "{} is no bundle but the server's refusal to give one: {code}: {said}",
        path.display()
    );
    Err(Failure::of(reason, message))
}

fn now() -> Option<UnixMillis> {
    let elapsed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    Some(UnixMillis::new(u64::try_from(elapsed.as_millis()).ok()?))
}
