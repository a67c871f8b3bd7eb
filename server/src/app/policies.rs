//! Policies: data whose hash stands in every manifest.

use super::App;
use super::engine;
use super::pages::{leaf, page_size};
use super::repeats::Repeatable;
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use stella_ledger::ledger::{PolicyRecord, View};
use stella_ledger::log::{NameRule, Named};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_verify::event::EventType;
use stella_verify::event::payload::{PolicyPublished, PolicyRegistered};
use stella_verify::hash::{BlobDigest, PolicyHash};
use stella_verify::time::format_time;
use stella_verify::units::LeafIndex;

impl App {
    /// Registers a policy; its canonical JSON is durable before the event that names it.
    pub(crate) fn register_policy(
        &self,
        caller: &Caller,
        request: &wire::RegisterPolicyRequest,
    ) -> Result<PolicyHash, Refusal> {
        let asked = Repeatable::of(caller, "RegisterPolicy", &request.request_id, request)?;
        let asked = asked.as_ref();
        let _turn = self.turn(asked);
        let policy = engine::parse_policy(&request.policy)?;
        let (hash, canonical) = (policy.hash(), policy.canonical().to_vec());
        if self.earlier(asked)?.is_some() {
            return Ok(hash);
        }
        if self.ledger.knows(&Named::Policy(hash))? {
            self.remember(caller, asked, &hash.to_string())?;
            return Ok(hash);
        }
        let blob = self.put(&canonical)?;
        let registered = PolicyRegistered { policy: hash, blob };
        let draft = Draft::by(caller)
            .asked(asked)
            .name(NameRule::Introduce(Named::Policy(hash)))
            .name(NameRule::Record(Named::Blob(blob)))
            .event(
                &format!("policy/{hash}"),
                EventType::POLICY_REGISTERED,
                registered.to_bytes(),
            )?;
        match self.append(draft) {
            Ok(_) => Ok(hash),
            Err(AppendOutcome::AlreadyKnown) => {
                self.remember(caller, asked, &hash.to_string())?;
                Ok(hash)
            }
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
            let request = wire::RegisterPolicyRequest {
                policy: engine::default_policy()?.to_owned().into(),
                request_id: String::new(),
            };
            return self.register_policy(caller, &request);
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
        request: &wire::PublishPolicyRequest,
    ) -> Result<wire::Policy, Refusal> {
        let hash: PolicyHash =
            (request.hash.parse()).map_err(|problem| Refusal::field("hash", problem))?;
        let asked = Repeatable::of(caller, "PublishPolicy", &request.request_id, request)?;
        let _turn = self.turn(asked.as_ref());
        if let Some(earlier) = self.earlier(asked.as_ref())? {
            return self.describe_policy(&self.view_at(earlier.size)?, hash);
        }
        let described = self.describe_policy(&self.newest()?, hash)?;
        if described.current && asked.is_none() {
            return Ok(described);
        }
        let draft = Draft::by(caller)
            .asked(asked.as_ref())
            .name(NameRule::Require(Named::Policy(hash)))
            .event(
                "policies",
                EventType::POLICY_PUBLISHED,
                PolicyPublished { policy: hash }.to_bytes(),
            )?;
        let receipt = self.append(draft)?;
        self.describe_policy(&self.view_at(receipt.end())?, hash)
    }

    /// A policy that is registered as of a tree, with its canonical JSON.
    pub(crate) fn get_policy(
        &self,
        request: &wire::GetPolicyRequest,
    ) -> Result<wire::GetPolicyResponse, Refusal> {
        let hash: PolicyHash =
            (request.hash.parse()).map_err(|problem| Refusal::field("hash", problem))?;
        let view = self.view_of(request.tree_size)?;
        Ok(wire::GetPolicyResponse {
            description: Some(self.describe_policy(&view, hash)?),
            policy: self.policy(hash)?.into(),
        })
    }

    /// Registered policies, newest first.
    pub(crate) fn list_policies(
        &self,
        request: &wire::ListPoliciesRequest,
    ) -> Result<wire::ListPoliciesResponse, Refusal> {
        let listing = self.tokens.listing("ListPolicies", &[]);
        let (view, from) = self.paged_at(listing, &request.page_token, request.tree_size)?;
        let page = view.policies(leaf(from), page_size(request.page_size))?;
        let current = view.current_policy()?;
        let described = page
            .items
            .iter()
            .map(|record| self.policy_row(record, current));
        Ok(wire::ListPoliciesResponse {
            policies: described.collect::<Result<_, _>>()?,
            next_page_token: self.page_token(listing, view.size(), page.next.map(LeafIndex::get)),
        })
    }

    fn describe_policy(&self, view: &View<'_>, hash: PolicyHash) -> Result<wire::Policy, Refusal> {
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
