//! Policies: data whose hash stands in every manifest.

use super::App;
use super::engine;
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use stella_ledger::log::{NameRule, Named};
use stella_proto::reason::Reason;
use stella_verify::event::EventType;
use stella_verify::event::payload::PolicyRegistered;
use stella_verify::hash::{BlobDigest, PolicyHash};

impl App {
    /// Registers a policy; its canonical JSON is durable before the event that names it.
    pub(crate) fn register_policy(
        &self,
        caller: &Caller,
        text: &[u8],
    ) -> Result<PolicyHash, Refusal> {
        let policy = engine::parse_policy(text)?;
        let (hash, canonical) = (policy.hash(), policy.canonical().to_vec());
        if self.ledger.knows(&Named::Policy(hash))? {
            return Ok(hash);
        }
        let blob = self.put(&canonical)?;
        let registered = PolicyRegistered { policy: hash, blob };
        let draft = Draft::by(caller)
            .name(NameRule::Introduce(Named::Policy(hash)))
            .name(NameRule::Record(Named::Blob(blob)))
            .event(
                &format!("policy/{hash}"),
                EventType::POLICY_REGISTERED,
                registered.to_bytes(),
            )?;
        match self.append(draft) {
            Ok(_) | Err(AppendOutcome::AlreadyKnown) => Ok(hash),
            Err(other) => Err(other.into()),
        }
    }

    /// The policy that a request names, or the built-in default, registered on first use.
    pub(super) fn policy_or_default(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<PolicyHash, Refusal> {
        if text.is_empty() {
            return self.register_policy(caller, engine::default_policy()?.as_bytes());
        }
        let hash: PolicyHash = text
            .parse()
            .map_err(|problem| Refusal::field("lattice_policy_hash", problem))?;
        if self.ledger.knows(&Named::Policy(hash))? {
            Ok(hash)
        } else {
            Err(unknown(hash))
        }
    }

    /// The canonical JSON of a registered policy. A policy's hash is its blob's digest.
    pub(super) fn policy(&self, hash: PolicyHash) -> Result<Vec<u8>, Refusal> {
        if !self.ledger.knows(&Named::Policy(hash))? {
            return Err(unknown(hash));
        }
        self.get(BlobDigest::new(*hash.as_bytes()))
    }
}

fn unknown(hash: PolicyHash) -> Refusal {
    Refusal::new(
        Reason::PolicyNotFound,
        format!("no policy {hash} was registered"),
    )
}
