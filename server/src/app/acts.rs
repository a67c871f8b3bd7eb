//! What is recorded about access: acts that take a privilege, and calls that were refused.
//!
//! An act is recorded before it is done, and is not done when that fails: so nothing that takes a
//! privilege happens unseen, and a crash leaves at worst the record of an act that was not done.

use super::App;
use super::writer::Draft;
use crate::auth::{Caller, Scope};
use crate::denials::Denials;
use crate::refusal::Refusal;
use crate::trace;
use std::sync::Arc;
use stella_ledger::limits::MAX_REQUEST_EVENTS;
use stella_verify::event::EventType;
use stella_verify::event::payload::{AccessDenied, AdminAct};

/// The stream of refused calls.
const ACCESS: &str = "access";

/// The stream of acts.
const ADMIN: &str = "admin";

/// Something that takes a privilege and changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Not to wait for a rebuild any more.
    CancelRebuild,
    /// To drop the projections and fold them again.
    Rebuild,
    /// To remove a snapshot's records.
    RemoveSnapshot,
}

impl Act {
    /// Every act.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::CancelRebuild, Self::Rebuild, Self::RemoveSnapshot];

    const fn event_type(self) -> EventType<&'static str> {
        match self {
            Self::CancelRebuild => EventType::ADMIN_CANCEL_REBUILD,
            Self::Rebuild => EventType::ADMIN_REBUILD,
            Self::RemoveSnapshot => EventType::ADMIN_REMOVE_SNAPSHOT,
        }
    }

    /// The method of the contract that does it, over HTTP too.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::CancelRebuild => "google.longrunning.Operations/CancelOperation",
            Self::Rebuild => "stella.admin.v1.AdminService/Rebuild",
            Self::RemoveSnapshot => "stella.snapshot.v1.SnapshotService/RemoveSnapshot",
        }
    }

    /// The scope that allows it.
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::CancelRebuild | Self::Rebuild | Self::RemoveSnapshot => Scope::SchedulerAdmin,
        }
    }
}

impl Draft {
    /// Adds the record of an act of `caller`, so that it is in one commit with what it does.
    pub(super) fn act(self, caller: &Caller, act: Act, target: &str) -> Result<Self, Refusal> {
        let recorded = AdminAct {
            method: act.method().to_owned(),
            principal: caller.principal(),
            request_id: trace::request_id().to_string(),
            scope: act.scope().name().to_owned(),
            target: target.to_owned(),
        };
        self.event(ADMIN, act.event_type(), recorded.to_bytes())
    }
}

impl App {
    /// Records an act before it is done; durable when this returns.
    pub(super) fn record_act(
        &self,
        caller: &Caller,
        act: Act,
        target: &str,
    ) -> Result<(), Refusal> {
        self.append(Draft::by(caller).act(caller, act, target)?)?;
        Ok(())
    }

    /// Whether a caller who passed may do an act after all; who may not is counted.
    pub(super) fn may(&self, caller: &Caller, act: Act) -> bool {
        let may = caller.may(act.scope());
        if !may && let Some(denials) = self.denials.get() {
            denials.lacks(caller, act.scope(), act.method());
        }
        may
    }

    /// Says where callers are counted who lack a scope.
    pub(crate) fn tell_denials_to(&self, denials: &Arc<Denials>) {
        self.denials.set(Arc::clone(denials)).ok();
    }

    /// Records refused calls. The ledger is the actor: leaves are kept for ever, and nobody writes a
    /// name into them by being refused.
    pub(crate) fn record_denials(&self, denied: &[AccessDenied]) -> Result<(), Refusal> {
        for some in denied.chunks(MAX_REQUEST_EVENTS) {
            let mut draft = Draft::by(&Caller::own("access"));
            for one in some {
                draft = draft.event(ACCESS, EventType::ACCESS_DENIED, one.to_bytes())?;
            }
            self.append(draft)?;
        }
        Ok(())
    }
}
