//! The two keys of a ledger, as files that only their owner can read.
//!
//! ```text
//! keys/log.key           PKCS#8 PEM, Ed25519: signs checkpoints
//! keys/log.vkey          its C2SP verifier key, for everyone
//! keys/signing.key       PKCS#8 PEM, Ed25519: signs envelopes
//! keys/signing.pub.pem   its public key (SPKI PEM), for everyone
//! ```
//!
//! A private key is written once, synced, and renamed into place before anything is signed with
//! it; the public halves are derived and rewritten whenever they are missing.

use crate::refusal::Refusal;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use stella_proto::reason::Reason;

/// A ledger's keys.
#[derive(Clone)]
pub struct Keys {
    folder: PathBuf,
    log: SigningKey,
    signing: SigningKey,
}

impl std::fmt::Debug for Keys {
    /// Names the folder, never a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads the keys under `folder`, drawing those that are missing while there is no log yet.
    ///
    /// # Errors
    /// [`Reason::WrongKey`] when a key of an existing log is missing; [`Reason::Storage`] when a file
    /// cannot be read, written or understood. A private key that is damaged is never replaced.
    pub fn open(folder: &Path, presence: LogPresence) -> Result<Self, Refusal> {
        if presence == LogPresence::Absent {
            fs::create_dir_all(folder).map_err(|problem| storage(folder, &problem))?;
        }
        let log = read_or_draw(&folder.join("log.key"), presence)?;
        let signing = read_or_draw(&folder.join("signing.key"), presence)?;
        Ok(Self {
            folder: folder.to_owned(),
            log,
            signing,
        })
    }

    /// The key that signs checkpoints.
    #[must_use]
    pub fn log(&self) -> &SigningKey {
        &self.log
    }

    /// The key that signs envelopes.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The public half of the key that signs envelopes, as SPKI PEM.
    ///
    /// # Errors
    /// [`Reason::Internal`] when the key cannot be encoded.
    pub fn signing_pem(&self) -> Result<String, Refusal> {
        let pem = self
            .signing
            .verifying_key()
            .to_public_key_pem(LineEnding::LF);
        pem.map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))
    }

    /// Leaves the public halves beside the private keys.
    ///
    /// # Errors
    /// [`Reason::Storage`].
    pub fn publish(&self, vkey: &str) -> Result<(), Refusal> {
        write_if_changed(&self.folder.join("signing.pub.pem"), &self.signing_pem()?)?;
        write_if_changed(&self.folder.join("log.vkey"), &format!("{vkey}\n"))
    }
}

/// Whether a directory has a log already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPresence {
    /// What is missing is drawn for the one to be made.
    Absent,
    /// What it was made with must be there.
    Present,
}

/// A file that an existing log cannot do without.
pub(crate) fn missing(path: &Path) -> Refusal {
    let message = format!(
        "{} is missing, and there is a log that was made with it",
        path.display()
    );
    Refusal::new(Reason::WrongKey, message)
}

fn read_or_draw(path: &Path, presence: LogPresence) -> Result<SigningKey, Refusal> {
    match fs::read_to_string(path) {
        Ok(pem) => SigningKey::from_pkcs8_pem(&pem).map_err(|problem| {
            let message = format!("{} is not an Ed25519 PKCS#8 PEM: {problem}", path.display());
            Refusal::new(Reason::Storage, message)
        }),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => match presence {
            LogPresence::Absent => draw(path),
            LogPresence::Present => Err(missing(path)),
        },
        Err(problem) => Err(storage(path, &problem)),
    }
}

fn draw(path: &Path) -> Result<SigningKey, Refusal> {
    let internal = |problem: String| Refusal::new(Reason::Internal, problem);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|problem| internal(problem.to_string()))?;
    let key = SigningKey::from_bytes(&seed);
    let pem = stella_verify::keys::SigningKey::from_seed(&seed)
        .and_then(|key| key.to_pem())
        .map_err(|problem| internal(problem.to_string()))?;
    match write_new(path, pem.as_bytes(), Secrecy::Owner) {
        Ok(true) => Ok(key),
        // Another process drew one at the same time: there is one key, and it is that one.
        Ok(false) => read_or_draw(path, LogPresence::Present),
        Err(problem) => Err(storage(path, &problem)),
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Its owner.
    Owner,
    /// Whoever the umask lets.
    Public,
}

/// Writes a file whole: a crash leaves the old one or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8], secrecy: Secrecy) -> io::Result<()> {
    let draft = draft(path, bytes, secrecy)?;
    fs::rename(&draft, path)?;
    sync_folder_of(path)
}

/// The same for a file that is not there yet; false, and nothing written, when it has come to be there.
/// Two processes that make one directory at the same time so agree on what is in it.
pub(crate) fn write_new(path: &Path, bytes: &[u8], secrecy: Secrecy) -> io::Result<bool> {
    let draft = draft(path, bytes, secrecy)?;
    let made = match fs::hard_link(&draft, path) {
        Ok(()) => Ok(true),
        Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(problem) => Err(problem),
    };
    fs::remove_file(&draft)?;
    sync_folder_of(path)?;
    made
}

/// A synced file beside `path` that no other process or thread writes to.
fn draft(path: &Path, bytes: &[u8], secrecy: Secrecy) -> io::Result<PathBuf> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("new-{}-{number}", std::process::id()));
    // Of a process with this number that died here.
    fs::remove_file(&temporary).or_else(|problem| match problem.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(problem),
    })?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secrecy == Secrecy::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(temporary)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn write_if_changed(path: &Path, text: &str) -> Result<(), Refusal> {
    if fs::read(path).is_ok_and(|present| present == text.as_bytes()) {
        return Ok(());
    }
    write(path, text.as_bytes(), Secrecy::Public).map_err(|problem| storage(path, &problem))
}

/// A file of the data directory cannot be used.
pub(crate) fn storage(path: &Path, problem: &io::Error) -> Refusal {
    Refusal::new(Reason::Storage, format!("{}: {problem}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_drawn_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path(), LogPresence::Absent).unwrap();
        let second = Keys::open(folder.path(), LogPresence::Absent).unwrap();
        assert_eq!(first.log(), second.log());
        assert_eq!(first.signing(), second.signing());
        assert_ne!(first.log(), first.signing());
    }

    #[test]
    fn who_draws_at_the_same_time_gets_the_same_keys() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let drawn: Vec<_> = std::thread::scope(|scope| {
                let open = || Keys::open(folder.path(), LogPresence::Absent).unwrap();
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|it| it.join().unwrap()).collect()
            });
            for keys in &drawn {
                assert_eq!(keys.log(), drawn[0].log());
                assert_eq!(keys.signing(), drawn[0].signing());
            }
            let left = fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, 2, "drafts are gone");
        }
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), LogPresence::Absent).unwrap();
        let path = folder.path().join("log.key");
        fs::write(&path, "damaged").unwrap();
        let refusal = Keys::open(folder.path(), LogPresence::Absent).unwrap_err();
        assert_eq!(refusal.reason, Reason::Storage);
        assert_eq!(fs::read_to_string(&path).unwrap(), "damaged");
    }

    #[test]
    fn a_missing_key_of_an_existing_log_is_not_drawn_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path(), LogPresence::Absent).unwrap();
        for name in ["log.key", "signing.key"] {
            let (path, kept) = (folder.path().join(name), folder.path().join("kept"));
            fs::rename(&path, &kept).unwrap();
            let refusal = Keys::open(folder.path(), LogPresence::Present).unwrap_err();
            assert_eq!(refusal.reason, Reason::WrongKey);
            assert!(refusal.message.contains(name), "{refusal}");
            assert!(!path.exists());
            fs::rename(&kept, &path).unwrap();
        }
        let again = Keys::open(folder.path(), LogPresence::Present).unwrap();
        assert_eq!(first.log(), again.log());
    }

    #[cfg(unix)]
    #[test]
    fn private_keys_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), LogPresence::Absent).unwrap();
        for name in ["log.key", "signing.key"] {
            let mode = fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
