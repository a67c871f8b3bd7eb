//! The file of principals, read again when it changes.

use super::caller::Caller;
use super::certificate::ClientCertificate;
use super::principals::{MAX_PRINCIPALS_BYTES, Principals};
use crate::refusal::Refusal;
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use stella_proto::reason::Reason;
use stella_verify::units::UnixMillis;

/// How long a change of the file may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The principals of one file.
///
/// A changed file counts within a second, without a restart. While it cannot be read or is
/// malformed, the last good one stays in force, so that a slip of the editor locks nobody out;
/// [`ApiKeys::problem`] says so.
#[derive(Debug)]
pub struct ApiKeys {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    known: Arc<Principals>,
    stamp: Option<Stamp>,
    looked: Instant,
    problem: Option<String>,
}

/// What tells one state of the file from the next.
type Stamp = (Option<SystemTime>, u64);

impl ApiKeys {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Reason::InvalidArgument`] when it cannot be read or a line is wrong.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let (known, stamp) = read(path).map_err(|problem| {
            let message = format!("{}: {problem}", path.display());
            Refusal::new(Reason::InvalidArgument, message)
        })?;
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                known: Arc::new(known),
                stamp: Some(stamp),
                looked: Instant::now(),
                problem: None,
            }),
        })
    }

    /// Why the file as it is now is not in force; nothing when it is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.known();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.problem.clone()
    }

    /// Who shows the key with this digest.
    pub(super) fn by_key(&self, digest: &[u8; 32], now: UnixMillis) -> Option<Caller> {
        self.known().by_key(digest, now).cloned()
    }

    /// Whose this certificate is, which was verified.
    pub(super) fn by_certificate(
        &self,
        certificate: &ClientCertificate,
        now: UnixMillis,
    ) -> Option<Caller> {
        self.known().by_certificate(certificate, now).cloned()
    }

    fn known(&self) -> Arc<Principals> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            state.look(&self.path);
        }
        Arc::clone(&state.known)
    }
}

impl State {
    fn look(&mut self, path: &Path) {
        let now = fs::metadata(path).ok().map(|found| stamp(&found));
        if now.is_some() && now == self.stamp {
            return;
        }
        match read(path) {
            Ok((known, stamp)) => {
                self.known = Arc::new(known);
                self.stamp = Some(stamp);
                self.problem = None;
            }
            Err(problem) => {
                // What was just found wrong is not read again until it changes.
                self.stamp = now;
                self.problem = Some(problem);
            }
        }
    }
}

fn stamp(found: &Metadata) -> Stamp {
    (found.modified().ok(), found.len())
}

fn read(path: &Path) -> Result<(Principals, Stamp), String> {
    let told = |problem: std::io::Error| problem.to_string();
    let file = fs::File::open(path).map_err(told)?;
    // Taken before reading: a change meanwhile is noticed as one.
    let stamp = stamp(&file.metadata().map_err(told)?);
    let mut text = String::new();
    let most = MAX_PRINCIPALS_BYTES + 1;
    file.take(most).read_to_string(&mut text).map_err(told)?;
    if u64::try_from(text.len()).is_ok_and(|length| length >= most) {
        return Err(format!("has more than {MAX_PRINCIPALS_BYTES} bytes"));
    }
    let known = Principals::parse(&text).map_err(|problem| problem.to_string())?;
    Ok((known, stamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{ApiKey, Scopes, TenantName};
    use stella_verify::hash::sha256;

    #[test]
    fn a_changed_file_counts_and_a_broken_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("principals.jsonl");
        let now = UnixMillis::new(0);
        let caller = |name| Caller::new(name, TenantName::default(), Scopes::NONE).unwrap();
        let (first, row) = ApiKey::draw(caller("first"), None).unwrap();
        fs::write(&path, row.line()).unwrap();
        let keys = ApiKeys::open(&path).unwrap();
        let known = |key: &str| keys.by_key(&sha256(key.as_bytes()), now);
        // As if a second had passed: the test does not wait for one.
        let look = || keys.state.lock().unwrap().look(&path);
        assert_eq!(known(&first), Some(caller("first")));

        fs::write(&path, "no JSON at all").unwrap();
        look();
        assert_eq!(known(&first), Some(caller("first")));
        assert!(keys.problem().unwrap().starts_with("line 1"));

        let (second, row) = ApiKey::draw(caller("number two"), None).unwrap();
        fs::write(&path, row.line()).unwrap();
        look();
        assert_eq!(known(&first), None);
        assert_eq!(known(&second), Some(caller("number two")));
        assert_eq!(keys.problem(), None);

        fs::remove_file(&path).unwrap();
        look();
        assert_eq!(known(&second), Some(caller("number two")));
        assert!(keys.problem().is_some());
        assert!(ApiKeys::open(&path).is_err());
    }
}
