//! Who a call is from.

use super::scope::{Scope, Scopes};
use super::tenant::TenantName;
use std::sync::Arc;
use stella_verify::event::payload::{EventPrincipal, PrincipalKind};
use stella_verify::event::{Actor, NameError};

/// Names with this beginning are the ledger's own: nobody outside may sign events with one.
const OWN: &str = "stella:";

/// Who a call is from: the scope of request ids, the actor of its events, whose log it is about,
/// and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    name: Arc<str>,
    kind: PrincipalKind,
    tenant: TenantName,
    scopes: Scopes,
}

/// A text cannot name a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallerNameError {
    /// It could not stand in an event.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is one of the ledger's own.
    #[error("names that begin with stella: are the ledger's own")]
    Own,
}

impl Caller {
    /// A caller from outside, known by an API key unless [`Caller::known_by`] says otherwise.
    ///
    /// # Errors
    /// [`CallerNameError`] when events could not name it, or when it would pass for the ledger.
    pub fn new(name: &str, tenant: TenantName, scopes: Scopes) -> Result<Self, CallerNameError> {
        Actor::new(name)?;
        if name.starts_with(OWN) {
            return Err(CallerNameError::Own);
        }
        Ok(Self {
            name: Arc::from(name),
            kind: PrincipalKind::ApiKey,
            tenant,
            scopes,
        })
    }

    /// The user of a ledger in its own process, who may do everything.
    #[must_use]
    pub fn local() -> Self {
        Self::made("local", PrincipalKind::Local, Scopes::all())
    }

    /// Somebody without credentials, on the default tenant.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::made("anonymous", PrincipalKind::Unknown, Scopes::NONE)
    }

    /// A part of the ledger itself: the actor of what nobody asked for.
    pub(crate) fn own(part: &'static str) -> Self {
        Self::made(&format!("{OWN}{part}"), PrincipalKind::Local, Scopes::NONE)
    }

    fn made(name: &str, kind: PrincipalKind, scopes: Scopes) -> Self {
        Self {
            name: Arc::from(name),
            kind,
            tenant: TenantName::default(),
            scopes,
        }
    }

    /// The same caller, known by something else.
    #[must_use]
    pub(crate) fn known_by(self, kind: PrincipalKind) -> Self {
        Self { kind, ..self }
    }

    /// Who this is in the record of a refusal or of a privileged act.
    #[must_use]
    pub(crate) fn principal(&self) -> EventPrincipal {
        EventPrincipal::new(self.kind, &self.name)
    }

    /// As it stands in events.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whose log its calls are about.
    #[must_use]
    pub fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// Whether it may do what needs `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.has(scope)
    }

    /// All that it may do.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_passes_for_the_ledger() {
        let named = |name| Caller::new(name, TenantName::default(), Scopes::NONE).err();
        assert_eq!(named("ci"), None);
        assert_eq!(named("stella:engine"), Some(CallerNameError::Own));
        assert_eq!(named(""), Some(CallerNameError::Name(NameError::Empty)));
        assert_eq!(
            named("a\nb"),
            Some(CallerNameError::Name(NameError::Control))
        );
        assert_eq!(&**Caller::own("engine").name(), "stella:engine");
    }
}
