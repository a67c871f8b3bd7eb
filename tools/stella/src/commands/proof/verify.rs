//! Verifying a bundle.

use super::anchor::Anchor;
use super::report;
use crate::cli::Global;
use crate::commands::ledger::log_key;
use crate::commands::scan::read;
use crate::failure::Failure;
use crate::session::Session;
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};
use stella_proto::admin::GetStatusRequest;
use stella_proto::reason::Reason;
use stella_verify::bundle::{CheckName, Outcome, Report, TrustInput, verify};
use stella_verify::checkpoint::Origin;
use stella_verify::keys::PublicKey;
use stella_verify::note::VerifierKey;
use stella_verify::units::UnixMillis;

/// Verify a proof bundle
///
/// The keys are yours, never the bundle's: name them, or name a data directory whose keys you
/// trust. Without a log key, what the log says of the bundle is skipped, not passed. Exits with 0
/// when the bundle is verified, 3 when it is not.
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
    /// Keys that may sign: public keys or X.509 certificates, PEM
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
    /// Answer this check only; may be repeated
    #[arg(long, value_name = "NAME")]
    check: Vec<String>,
    /// Say what each check found, and with which keys
    #[arg(long)]
    verbose: bool,
}

/// Whom the caller trusts.
pub(crate) struct Trust {
    pub(super) anchors: Vec<Anchor>,
    log_keys: Vec<VerifierKey>,
    origin: Option<Origin>,
    require_rekor: bool,
}

/// A report, and the time at which keys were judged.
pub(crate) struct Judgement {
    pub(crate) report: Report,
    /// The log's time of sealing where that is proved, else this machine's.
    pub(crate) at: Option<UnixMillis>,
    /// Whether it is the log's.
    pub(crate) by_log: bool,
}

impl Trust {
    /// What a data directory publishes under `keys/`.
    pub(crate) fn of_directory(directory: &Path) -> Result<Self, Failure> {
        let folder = directory.join("keys");
        let log = folder.join("log.vkey");
        Ok(Self {
            anchors: Anchor::read(&folder.join("signing.pub.pem"))?,
            log_keys: vec![log_key(&log.display().to_string())?],
            origin: None,
            require_rekor: false,
        })
    }

    /// A server's own word for its keys: it proves that the bundle is whole, not whose it is.
    async fn of_server(session: &Session) -> Result<Self, Failure> {
        crate::output::warn(
            "no key named: the server's own word for its keys is taken (say --public-key and \
             --log-key with keys you trust)",
        );
        let mut client = session.connection().admin();
        let status = client.get_status(GetStatusRequest {}).await?.into_inner();
        let key = PublicKey::from_pem(&status.signing_key_pem).map_err(Failure::operational)?;
        Ok(Self {
            anchors: vec![Anchor::of_key(Path::new("(the server)"), key)],
            log_keys: vec![status.vkey.parse().map_err(Failure::operational)?],
            origin: None,
            require_rekor: false,
        })
    }

    /// Judges a bundle, at this machine's time.
    pub(crate) fn judge(&self, bundle: &[u8]) -> Report {
        self.judgement(bundle).report
    }

    /// Judges a bundle, and its keys at the log's time of sealing where that is proved.
    pub(crate) fn judgement(&self, bundle: &[u8]) -> Judgement {
        let now = now();
        let judge = |anchors: &mut dyn Iterator<Item = &Anchor>| {
            let keys: Vec<PublicKey> = anchors.map(|anchor| anchor.key().clone()).collect();
            let mut input = TrustInput::new(&keys, &self.log_keys);
            input.log_origin = self.origin.as_ref();
            input.now = now;
            input.require_rekor = self.require_rekor;
            verify(bundle, &input)
        };
        let report = judge(&mut self.anchors.iter());
        let by_log = report.outcome(CheckName::LogInclusion) == Outcome::Pass
            && report.outcome(CheckName::TimestampValid) == Outcome::Pass;
        let sealed = report.claims().map(|claims| claims.sealed_at);
        let at = if by_log { sealed } else { now };
        if self.anchors.iter().all(|anchor| anchor.is_good_at(at)) {
            return Judgement { report, at, by_log };
        }
        let mut good = self.anchors.iter().filter(|anchor| anchor.is_good_at(at));
        Judgement {
            report: judge(&mut good),
            at,
            by_log,
        }
    }
}

impl Verify {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let only: Vec<CheckName> = self
            .check
            .iter()
            .map(|name| check_name(name))
            .collect::<Result<_, _>>()?;
        let (trust, bundle) = self.trust_and_bundle(global).await?;
        let judgement = trust.judgement(&bundle);
        report::print(
            global.format,
            &judgement,
            &trust.anchors,
            &only,
            self.verbose,
        )?;
        let report = &judgement.report;
        let held = if only.is_empty() {
            report.verified()
        } else {
            only.iter()
                .all(|name| report.outcome(*name) == Outcome::Pass)
        };
        Ok(if held { 0 } else { 3 })
    }

    async fn trust_and_bundle(&self, global: &Global) -> Result<(Trust, Vec<u8>), Failure> {
        let named = self.named(global)?;
        if let Some(path) = &self.bundle {
            let trust = named.ok_or_else(no_key)?;
            let bytes = read(path)?;
            refuse_problem(path, &bytes)?;
            return Ok((self.completed(trust)?, bytes));
        }
        let root = self.bundle_id.as_deref().unwrap_or_default();
        let session = Session::open(global).await?;
        let fetched = async {
            let trust = match named {
                Some(trust) => trust,
                None => Trust::of_server(&session).await?,
            };
            Ok((trust, super::fetch(&session, "", root, None).await?))
        };
        let fetched: Result<_, Failure> = fetched.await;
        session.close().await?;
        let (trust, bundle) = fetched?;
        Ok((self.completed(trust)?, bundle))
    }

    /// The keys that the options name; `None` when they name none.
    fn named(&self, global: &Global) -> Result<Option<Trust>, Failure> {
        let files = self.public_key.iter().chain(&self.trust_anchor);
        let mut anchors = Vec::new();
        for file in files {
            anchors.extend(Anchor::read(file)?);
        }
        match (
            &global.data_dir,
            anchors.is_empty(),
            self.log_key.is_empty(),
        ) {
            (Some(directory), true, true) => Ok(Some(Trust::of_directory(directory)?)),
            (_, true, true) => Ok(None),
            (_, true, false) => Err(no_key()),
            _ => Ok(Some(Trust {
                anchors,
                log_keys: self
                    .log_key
                    .iter()
                    .map(|key| log_key(key))
                    .collect::<Result<_, _>>()?,
                origin: None,
                require_rekor: false,
            })),
        }
    }

    fn completed(&self, mut trust: Trust) -> Result<Trust, Failure> {
        if let Some(text) = &self.origin {
            let origin = Origin::new(text).map_err(|problem| {
                Failure::usage(format!("--origin {text}: {problem}"), "one line, not empty")
            })?;
            trust.origin = Some(origin);
        }
        trust.require_rekor = self.check_rekor;
        Ok(trust)
    }
}

fn no_key() -> Failure {
    Failure::usage(
        "no key named",
        "say --public-key FILE or --trust-anchor FILE with what you trust; the bundle's own word \
         for its key proves nothing",
    )
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
