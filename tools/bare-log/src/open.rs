//! Opening the log's directory: its key, then the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stella_ledger::ledger::{Ledger, LedgerError, LedgerOptions};
use stella_ledger::log::{LeafKind, NoteCheckpointSigner, NoteCheckpointVerifier, OpenError};
use stella_verify::event::LogOrigin;
use stella_verify::note::{Ed25519Signer, KeyName, NoteSigner as _};

/// An open log and the key that verifies it.
pub(crate) struct Bare {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) vkey: String,
}

/// Why the directory was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenFailure {
    #[error("{path}: {why}")]
    File { path: PathBuf, why: String },
    #[error("--origin: {0}")]
    Origin(String),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

pub(crate) fn open(folder: &Path, origin: &str) -> Result<Bare, OpenFailure> {
    fs::create_dir_all(folder).map_err(|why| file(folder, why))?;
    let name = KeyName::new(origin).map_err(|why| OpenFailure::Origin(why.to_string()))?;
    let signer = Ed25519Signer::from_seed(name, &seed(&folder.join("log.seed"))?);
    let verifier = NoteCheckpointVerifier::new(vec![signer.verifier_key().clone()]);
    let vkey = signer.verifier_key().to_string();
    let origin =
        LogOrigin::new(Arc::from(origin)).map_err(|why| OpenFailure::Origin(why.to_string()))?;
    let mut options = LedgerOptions::new(
        origin,
        Arc::new(NoteCheckpointSigner::new(Box::new(signer))),
    );
    options.kind = LeafKind::Raw;
    options.verifier = Some(Arc::new(verifier));
    let opened = match Ledger::open(folder, options.clone(), &()) {
        Err(LedgerError::Open(OpenError::NoLog)) => Ledger::create(folder, options),
        opened => opened,
    };
    let (ledger, _) = opened?;
    let vkey_path = folder.join("log.vkey");
    fs::write(&vkey_path, &vkey).map_err(|why| file(&vkey_path, why))?;
    Ok(Bare {
        ledger: Arc::new(ledger),
        vkey,
    })
}

/// The key's seed, drawn once.
fn seed(path: &Path) -> Result<[u8; 32], OpenFailure> {
    if let Ok(bytes) = fs::read(path) {
        return bytes.try_into().map_err(|_| file(path, "is not 32 bytes"));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|why| file(path, why))?;
    fs::write(path, seed).map_err(|why| file(path, why))?;
    Ok(seed)
}

fn file(path: &Path, why: impl std::fmt::Display) -> OpenFailure {
    OpenFailure::File {
        path: path.to_owned(),
        why: why.to_string(),
    }
}
