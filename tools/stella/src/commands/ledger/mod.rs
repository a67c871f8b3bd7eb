//! `stella ledger`: the log itself.

mod events;
mod export;
mod operate;
mod prove;
mod status;
mod verify;

pub(crate) use prove::tlog_proof;

use crate::cli::Global;
use crate::failure::Failure;
use crate::session::Session;
use clap::Subcommand;
use std::path::Path;
use stella_client::{LogTrust, PinStore, VerifyingLog};
use stella_proto::admin::GetStatusRequest;
use stella_verify::checkpoint::Origin;
use stella_verify::note::VerifierKey;

/// The log itself: checkpoints, events, proofs, checks
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Show what the ledger is and how far it is
    Status(status::Status),
    /// Print the newest checkpoint, verified: a C2SP signed note
    Checkpoint(prove::Checkpoint),
    /// Prove that a leaf is in the log: a C2SP tlog-proof
    Prove(prove::Prove),
    /// Prove that the log of one size continues into that of another
    Consistency(prove::Consistency),
    /// Verify a tlog-proof offline
    VerifyProof(verify::VerifyProof),
    /// Print events by leaf index, or of one stream
    Events(events::Events),
    /// Export a range of the log as a file that verifies itself
    Export(Box<export::Export>),
    /// Check every byte of the log, the projections and the blobs
    Fsck(operate::Fsck),
    /// Drop the projections and fold them again from the log
    Rebuild(operate::Rebuild),
}

impl Ledger {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        match self {
            Self::VerifyProof(verb) => return verb.run(global.format),
            Self::Export(verb) if verb.is_offline() => return verb.run_offline(global),
            // A damaged log cannot be opened, and then a check is wanted most.
            Self::Fsck(verb) if global.server.is_none() => return verb.run_offline(global).await,
            _ => (),
        }
        let session = Session::open(global).await?;
        let outcome = match self {
            Self::Status(verb) => verb.run(global.format, &session).await,
            Self::Checkpoint(verb) => verb.run(global, &session).await,
            Self::Prove(verb) => verb.run(global, &session).await,
            Self::Consistency(verb) => verb.run(global, &session).await,
            Self::Events(verb) => verb.run(global.format, &session).await,
            Self::Export(verb) => verb.run(global, &session).await,
            Self::Fsck(verb) => verb.run(global.format, &session).await,
            Self::Rebuild(verb) => verb.run(global.format, &session).await,
            Self::VerifyProof(verb) => verb.run(global.format),
        };
        session.close().await?;
        outcome
    }
}

/// Which log key to trust.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct TrustedLog {
    /// The log's verifier key, or a file with it; the directory's own when absent
    #[arg(long, value_name = "VKEY|FILE")]
    log_key: Option<String>,
    /// Folder of remembered checkpoints; a log that does not continue them is a fork (exit 20)
    #[arg(long, value_name = "DIR", env = "STELLA_PINS")]
    pins: Option<std::path::PathBuf>,
}

impl TrustedLog {
    /// The log as a verifier sees it.
    ///
    /// Without a key from the caller, the directory's own `log.vkey` is used; a server's word for
    /// its own key is taken last, and said so: it proves consistency, not identity.
    async fn open(&self, session: &Session) -> Result<VerifyingLog, Failure> {
        Ok(self.open_with_trust(session).await?.1)
    }

    /// The keys to verify with when no ledger is open: those named, else the directory's own.
    fn offline_keys(&self, global: &Global) -> Result<Vec<VerifierKey>, Failure> {
        match (&self.log_key, &global.data_dir) {
            (Some(word), _) => Ok(vec![log_key(word)?]),
            (None, Some(directory)) => Ok(vec![log_key_of_file(&directory.join("keys/log.vkey"))?]),
            (None, None) => Err(Failure::usage(
                "no log key named",
                "say --log-key with the key of the log that you trust",
            )),
        }
    }

    /// The log as a verifier sees it, and what is trusted of it.
    pub(crate) async fn open_with_trust(
        &self,
        session: &Session,
    ) -> Result<(LogTrust, VerifyingLog), Failure> {
        let status = session
            .connection()
            .admin()
            .get_status(GetStatusRequest {})
            .await?;
        let status = status.into_inner();
        let key = match (&self.log_key, session.directory()) {
            (Some(word), _) => log_key(word)?,
            (None, Some(directory)) => log_key_of_file(&directory.join("keys/log.vkey"))?,
            (None, None) => {
                crate::output::warn("no --log-key: the server's own word for its key is taken");
                parse_key(&status.vkey)?
            }
        };
        let origin = Origin::new(&status.origin).map_err(Failure::operational)?;
        let trust = LogTrust {
            keys: vec![key],
            origin,
        };
        let pins = self.pins.clone().map(PinStore::new);
        let log = VerifyingLog::new(session.connection(), trust.clone(), pins);
        Ok((trust, log))
    }
}

/// A verifier key from the command line: the key itself, or a file with it.
pub(crate) fn log_key(word: &str) -> Result<VerifierKey, Failure> {
    if word.contains('+') && !Path::new(word).exists() {
        return parse_key(word);
    }
    log_key_of_file(Path::new(word))
}

fn log_key_of_file(path: &Path) -> Result<VerifierKey, Failure> {
    let text = std::fs::read_to_string(path).map_err(|problem| Failure::file(path, &problem))?;
    parse_key(text.trim())
}

fn parse_key(text: &str) -> Result<VerifierKey, Failure> {
    text.parse().map_err(|problem| {
        Failure::usage(
            format!("{text}: {problem}"),
            "a verifier key is name+hash+base64",
        )
    })
}
