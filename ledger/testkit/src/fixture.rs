//! Ready-made keys, options and requests for tests.

use crate::clock::FakeClock;
use crate::entropy::{Seed, SeededEntropy};
use std::sync::Arc;
use stella_ledger::disk::{ByteLength, Disk};
use stella_ledger::log::{
    AppendRequest, Entries, Expected, LogOptions, NameError, NewEvent, NoteCheckpointSigner,
    NoteCheckpointVerifier, Principal, RequestId, UpkeepMode,
};
use stella_verify::event::{Actor, EventType, LogOrigin, StreamName};
use stella_verify::note::{Ed25519Signer, KeyName, NoteSigner as _, VerifierKey};
use stella_verify::units::UnixMillis;

/// The origin of every test log.
pub const ORIGIN: &str = "stella.test/log";

/// What a fixture could not make; only a wrong constant here can cause it.
#[derive(Debug)]
pub struct BadFixture(pub String);

impl<E: std::error::Error> From<E> for BadFixture {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The origin as a name.
///
/// # Errors
/// Never, with the constant above.
pub fn origin() -> Result<LogOrigin<Arc<str>>, BadFixture> {
    Ok(LogOrigin::new(Arc::from(ORIGIN))?)
}

fn key() -> Result<Ed25519Signer, BadFixture> {
    Ok(Ed25519Signer::from_seed(KeyName::new(ORIGIN)?, &[42; 32]))
}

/// The test log's key.
///
/// # Errors
/// Never, with the constants above.
pub fn signer() -> Result<NoteCheckpointSigner, BadFixture> {
    Ok(NoteCheckpointSigner::new(Box::new(key()?)))
}

/// The public half of [`signer`]'s key.
///
/// # Errors
/// Never, with the constants above.
pub fn verifier_key() -> Result<VerifierKey, BadFixture> {
    Ok(key()?.verifier_key().clone())
}

/// Checks what [`signer`] signs.
///
/// # Errors
/// Never, with the constants above.
pub fn verifier() -> Result<NoteCheckpointVerifier, BadFixture> {
    Ok(NoteCheckpointVerifier::new(vec![verifier_key()?]))
}

/// Options whose every effect repeats: fake clock, seeded salts, no threads, small segments.
///
/// # Errors
/// Never, with the constants above.
pub fn options(disk: Arc<dyn Disk>, seed: Seed) -> Result<LogOptions, BadFixture> {
    let mut options = LogOptions::new(disk, origin()?, Arc::new(signer()?));
    options.clock = Arc::new(FakeClock::at(UnixMillis::new(1_700_000_000_000)));
    options.entropy = Arc::new(SeededEntropy::of(seed));
    options.segment_bytes = ByteLength(64 * 1024);
    options.upkeep = UpkeepMode::Inline;
    Ok(options)
}

/// An event with the given stream and payload.
///
/// # Errors
/// When `stream` is no stream name.
pub fn event(stream: &str, payload: impl Into<Vec<u8>>) -> Result<NewEvent, BadFixture> {
    Ok(NewEvent {
        stream: StreamName::new(Arc::from(stream))?,
        event_type: EventType::new(Arc::from("test.happened"))?,
        actor: Actor::new(Arc::from("tester"))?,
        payload: payload.into().into(),
        expected: Expected::Any,
    })
}

/// A request of these events, with or without an id.
///
/// # Errors
/// When `id` is no request id.
pub fn request(id: Option<&str>, events: Vec<NewEvent>) -> Result<AppendRequest, NameError> {
    Ok(AppendRequest {
        principal: Principal::new("tester")?,
        request_id: id.map(RequestId::new).transpose()?,
        entries: Entries::Events(events),
        names: Vec::new(),
    })
}
