//! Policies: data whose hash stands in every manifest.

use super::App;
use super::engine;
use super::scans::{page_size, page_token};
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use stella_ledger::ledger::PolicyRecord;
use stella_ledger::log::{NameRule, Named};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_verify::event::EventType;
use stella_verify::event::payload::{PolicyPublished, PolicyRegistered};
use stella_verify::hash::{BlobDigest, PolicyHash};
use stella_verify::time::format_time;

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

    /// The policy that was published last; `None` before any was.
    pub(super) fn current_policy(&self) -> Result<Option<PolicyHash>, Refusal> {
        Ok(self.newest()?.current_policy()?)
    }

    /// The policy that a request names, else the current one, else the built-in default, registered
    /// on first use.
    pub(super) fn policy_or_default(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<PolicyHash, Refusal> {
        if text.is_empty() {
            if let Some(current) = self.current_policy()? {
                return Ok(current);
            }
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

    /// Makes a registered policy the current one, unless it is.
    pub(crate) fn publish_policy(
        &self,
        caller: &Caller,
        hash: PolicyHash,
    ) -> Result<wire::Policy, Refusal> {
        let described = self.describe_policy(hash)?;
        if described.current {
            return Ok(described);
        }
        let draft = Draft::by(caller)
            .name(NameRule::Require(Named::Policy(hash)))
            .event(
                "policies",
                EventType::POLICY_PUBLISHED,
                PolicyPublished { policy: hash }.to_bytes(),
            )?;
        self.append(draft)?;
        self.describe_policy(hash)
    }

    /// A registered policy, with its canonical JSON.
    pub(crate) fn get_policy(&self, hash: PolicyHash) -> Result<wire::GetPolicyResponse, Refusal> {
        Ok(wire::GetPolicyResponse {
            policy: self.policy(hash)?.into(),
            description: Some(self.describe_policy(hash)?),
        })
    }

    /// Registered policies, newest first.
    pub(crate) fn list_policies(
        &self,
        request: &wire::ListPoliciesRequest,
    ) -> Result<wire::ListPoliciesResponse, Refusal> {
        let (view, from) = self.paged_at(&request.page_token, request.tree_size)?;
        let page = view.policies(from, page_size(request.page_size))?;
        let current = view.current_policy()?;
        let described = page
            .items
            .iter()
            .map(|record| self.policy_row(record, current));
        Ok(wire::ListPoliciesResponse {
            policies: described.collect::<Result<_, _>>()?,
            next_page_token: page_token(&view, page.next),
        })
    }

    fn describe_policy(&self, hash: PolicyHash) -> Result<wire::Policy, Refusal> {
        let view = self.newest()?;
        self.policy_row(&view.policy(&hash)?, view.current_policy()?)
    }

    fn policy_row(
        &self,
        record: &PolicyRecord,
        current: Option<PolicyHash>,
    ) -> Result<wire::Policy, Refusal> {
        let hash = record.registered.policy;
        let policy = engine::read_policy(&self.policy(hash)?)?;
        Ok(wire::Policy {
            hash: hash.to_string(),
            name: policy.name,
            registered_at: format_time(record.time).unwrap_or_default(),
            current: current == Some(hash),
        })
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
