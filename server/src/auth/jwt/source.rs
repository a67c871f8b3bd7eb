//! Where an issuer's keys come from, and the newest ones that came.

use super::fetch::{Endpoint, EndpointError};
use super::key_set::{KeySet, MAX_KEY_SET_BYTES};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long keys are trusted before they are asked for again: a key that its issuer withdrew is
/// good for no longer than this, as long as the issuer answers.
const MAX_AGE: Duration = Duration::from_mins(5);

/// Least time between two times of asking, whatever tokens claim.
const COOLDOWN: Duration = Duration::from_secs(30);

/// The keys of an issuer, as they were last heard of.
///
/// They are asked for when a token names a key that is not known, and when they are old, but never
/// more often than the cooldown allows. When the issuer does not answer, or with something that is no
/// set of keys, those known go on.
#[derive(Debug)]
pub struct KeySource {
    place: Place,
    max_age: Duration,
    cooldown: Duration,
    known: RwLock<Arc<Known>>,
    /// When they were last asked for; held while they are.
    asked: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Url(Endpoint),
}

/// Keys, and how often they were replaced.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) keys: KeySet,
    pub(super) generation: u64,
    since: Option<Instant>,
}

impl KeySource {
    /// The keys of a file. It is read when it is first needed.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self::at(Place::File(path.to_owned()))
    }

    /// The keys behind a URL. Under `https` the issuer shows a certificate of an authority of the
    /// file (PEM), or without one of an authority that this machine believes.
    ///
    /// # Errors
    /// [`EndpointError`] when the URL cannot be asked, or the authorities cannot be used.
    pub fn url(url: &str, authorities: Option<&Path>) -> Result<Self, EndpointError> {
        Ok(Self::at(Place::Url(Endpoint::new(url, authorities)?)))
    }

    /// The same, asking at other intervals.
    #[must_use]
    pub fn with_intervals(self, max_age: Duration, cooldown: Duration) -> Self {
        Self {
            max_age,
            cooldown,
            ..self
        }
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            max_age: MAX_AGE,
            cooldown: COOLDOWN,
            known: RwLock::default(),
            asked: Mutex::const_new(None),
        }
    }

    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the keys are old, and may be asked for.
    pub(in crate::auth) fn is_due(&self) -> bool {
        let old = self
            .known()
            .since
            .is_some_and(|since| since.elapsed() >= self.max_age);
        old && self
            .asked
            .try_lock()
            .is_ok_and(|asked| self.may_ask(*asked))
    }

    /// Asks for the keys, unless that was just done; tells what went wrong.
    ///
    /// Whoever comes while they are being asked for waits for that answer and asks no more.
    ///
    /// # Errors
    /// One sentence; the keys known stay.
    pub async fn refresh(&self) -> Result<(), String> {
        let mut asked = self.asked.lock().await;
        if !self.may_ask(*asked) {
            return Ok(());
        }
        *asked = Some(Instant::now());
        let keys = self.place.keys().await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(Known {
            keys,
            generation: known.generation.wrapping_add(1),
            since: Some(Instant::now()),
        });
        Ok(())
    }

    fn may_ask(&self, asked: Option<Instant>) -> bool {
        asked.is_none_or(|asked| asked.elapsed() >= self.cooldown)
    }
}

impl Place {
    async fn keys(&self) -> Result<KeySet, String> {
        let (bytes, name) = match self {
            Self::File(path) => (read(path.clone()).await, path.display().to_string()),
            Self::Url(endpoint) => (endpoint.get(MAX_KEY_SET_BYTES).await, endpoint.to_string()),
        };
        let told = |problem: String| format!("{name}: {problem}");
        let bytes = bytes.map_err(told)?;
        KeySet::parse(&bytes).map_err(|problem| told(problem.to_string()))
    }
}

async fn read(path: PathBuf) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        // One byte more than is taken, so that a larger file is seen to be one.
        let most = u64::try_from(MAX_KEY_SET_BYTES)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        std::fs::File::open(path)?
            .take(most)
            .read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    });
    let read = reading.await.map_err(|lost| lost.to_string())?;
    read.map_err(|problem| problem.to_string())
}
