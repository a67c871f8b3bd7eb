//! `logInclusion` and `timestampValid`: what the log says of this proof, and when.
//!
//! Without a log key nothing here passes. What contradicts itself fails nevertheless: a seal event
//! that is not this bundle's, a payload that is not the committed one, a proof that does not lead to
//! its own checkpoint.

use super::super::{BundleMeta, META_FILE, SealEvent};
use super::{Doubt, Finding, Parts, TrustInput, fail, need};
use crate::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use crate::event::payload::RootSealed;
use crate::event::{EventHeader, EventType};
use crate::hash::PayloadCommitment;
use crate::merkle::{leaf_hash, verify_inclusion};
use crate::note::SignatureMeaning;
use crate::time::format_time;
use crate::tlog_proof::TlogProof;
use crate::units::UnixMillis;
use alloc::format;
use alloc::string::{String, ToString as _};

/// How far the log's clock may be ahead of the caller's, in milliseconds: five minutes, as
/// certificate validation commonly grants.
pub const MAX_CLOCK_SKEW: UnixMillis = UnixMillis::new(5 * 60 * 1000);

/// The seal event is in the log, under a checkpoint of one of the caller's log keys.
pub(super) fn inclusion(parts: &Parts, trust: &TrustInput<'_>) -> Finding {
    let meta = need(&parts.meta, META_FILE)?;
    let sealed = seal_is_of_this_bundle(meta)?;
    let proof = TlogProof::parse(meta.tlog_proof.as_bytes()).map_err(fail)?;
    if proof.extra.is_some() {
        return Err(fail(
            "the tlog-proof carries extra data, which nothing vouches for",
        ));
    }
    let leaf = leaf_hash(&meta.seal.header);
    // Said of the log's own checkpoint format, so a proof that leads elsewhere is a contradiction.
    let unsigned = Checkpoint::parse(proof.checkpoint.unverified_text()).map_err(fail)?;
    if unsigned.origin.as_str() != meta.log_origin {
        let (found, expected) = (unsigned.origin, &meta.log_origin);
        return Err(fail(format!(
            "the checkpoint is of log {found}, the event of {expected}"
        )));
    }
    verify_inclusion(leaf, proof.index, unsigned.head, &proof.inclusion).map_err(fail)?;
    let last_rule = sealed
        .first_leaf
        .get()
        .checked_add(u64::from(sealed.nodes.get()));
    if last_rule.is_none_or(|end| end > proof.index.get()) {
        return Err(fail(
            "the root was sealed before its rule applications were in the log",
        ));
    }
    if trust.log_keys.is_empty() {
        return Err(Doubt::Skip(format!(
            "no verifier key of log {} was given",
            meta.log_origin
        )));
    }
    let expected = Origin::new(&meta.log_origin).map_err(fail)?;
    if trust.log_origin.is_some_and(|origin| *origin != expected) {
        return Err(fail(format!("log {expected} is not the one expected")));
    }
    let verified = proof
        .verify(leaf, trust.log_keys, Some(&expected))
        .map_err(fail)?;
    let mut signatures = verified.checkpoint().note().verified().iter();
    if !signatures.any(|signature| signature.meaning == SignatureMeaning::Text) {
        return Err(fail(
            "cosigners signed the checkpoint, but no key of the log did",
        ));
    }
    let (index, size) = (verified.included().index(), verified.included().head().size);
    Ok(format!(
        "the seal is leaf {index} of log {expected} at size {size}"
    ))
}

/// The log's time of sealing is the one stated, and not in the caller's future.
pub(super) fn timestamp(parts: &Parts, inclusion: &Finding, trust: &TrustInput<'_>) -> Finding {
    let meta = need(&parts.meta, META_FILE)?;
    let header = EventHeader::decode(&meta.seal.header)
        .map_err(|_| Doubt::Skip("the seal event could not be read".into()))?;
    let sealed_at = time_text(header.time);
    if header.time != meta.sealed_at {
        let stated = time_text(meta.sealed_at);
        return Err(fail(format!(
            "meta.json says {stated}, the seal event {sealed_at}"
        )));
    }
    if inclusion.is_err() {
        return Err(Doubt::Skip(
            "the time is the log's, and it is not proved that the log has the seal event".into(),
        ));
    }
    let Some(now) = trust.now else {
        return Ok(format!(
            "sealed at {sealed_at} by the log's clock; no time to compare with"
        ));
    };
    let latest = now.checked_add(MAX_CLOCK_SKEW.get());
    if latest.is_some_and(|latest| header.time > latest) {
        let now = time_text(now);
        return Err(fail(format!(
            "sealed at {sealed_at}, which is after the present, {now}"
        )));
    }
    Ok(format!("sealed at {sealed_at} by the log's clock"))
}

/// The event is a seal, its payload the committed one, and both speak of what the bundle holds.
fn seal_is_of_this_bundle(meta: &BundleMeta) -> Result<RootSealed, Doubt> {
    let (header, sealed) = sealed_event(&meta.seal).map_err(fail)?;
    let agrees = [
        ("log origin", header.log_origin.as_str() == meta.log_origin),
        (
            "stream",
            header.stream.as_str() == format!("scan/{}", meta.scan),
        ),
        ("scanId", sealed.scan == meta.scan),
        ("manifestHash", sealed.manifest == meta.manifest),
        ("rootHash", sealed.root == meta.root),
        ("nodeCount", sealed.nodes == meta.nodes),
        ("scoreBps", sealed.score == meta.score),
        (
            "engineVersion",
            sealed.engine_version == meta.engine_version,
        ),
        ("artifactDigest", sealed.artifact == meta.artifact),
    ];
    match agrees.iter().find(|(_, agrees)| !agrees) {
        Some((what, _)) => Err(fail(format!("the seal event's {what} is not the bundle's"))),
        None => Ok(sealed),
    }
}

/// The event, if it is a seal whose payload is the one it commits to.
pub(super) fn sealed_event(seal: &SealEvent) -> Result<(EventHeader<'_>, RootSealed), String> {
    let header = EventHeader::decode(&seal.header);
    let header = header.map_err(|error| format!("the seal event is no event: {error}"))?;
    if header.event_type != EventType::ROOT_SEALED {
        let found = header.event_type;
        return Err(format!("the event is a {found}, not a root.sealed"));
    }
    if PayloadCommitment::of(&seal.salt, &seal.payload) != header.payload {
        return Err("the seal event's payload is not the one it commits to".into());
    }
    let sealed = RootSealed::parse(&seal.payload).map_err(|error| error.to_string())?;
    Ok((header, sealed))
}

/// The checkpoint of a proof, which must be of this log; signed by the log where keys were given.
pub(super) fn log_checkpoint(
    proof: &TlogProof,
    origin: &str,
    trust: &TrustInput<'_>,
) -> Result<Checkpoint, String> {
    let checkpoint = Checkpoint::parse(proof.checkpoint.unverified_text());
    let checkpoint = checkpoint.map_err(|error| error.to_string())?;
    if checkpoint.origin.as_str() != origin {
        let found = checkpoint.origin;
        return Err(format!("the checkpoint is of log {found}, not of {origin}"));
    }
    if trust.log_keys.is_empty() {
        return Ok(checkpoint);
    }
    let note = proof.checkpoint.clone();
    let signed = SignedCheckpoint::open_note(note, trust.log_keys, Some(&checkpoint.origin));
    let signed = signed.map_err(|error| error.to_string())?;
    let mut signatures = signed.note().verified().iter();
    if signatures.any(|signature| signature.meaning == SignatureMeaning::Text) {
        return Ok(checkpoint);
    }
    Err("cosigners signed the checkpoint, but no key of the log did".into())
}

fn time_text(time: UnixMillis) -> String {
    format_time(time).unwrap_or_else(|_| format!("{time} ms"))
}
