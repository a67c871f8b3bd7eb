//! What a caller may do.

use std::fmt;
use std::str::FromStr;

/// One kind of thing that a caller may do. `docs/access.md` says which call needs which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read scans, proofs, snapshots and the log's proofs; verify; replay.
    ScannerProofs,
    /// Submit scans; import and publish snapshots and policies.
    ScannerScans,
    /// Append events of one's own types.
    LedgerAppend,
    /// Read the log's events in bulk, payloads included.
    LedgerExport,
    /// Change trust anchors.
    TrustAdmin,
    /// Operate the ledger: check every byte, rebuild projections, remove snapshots.
    SchedulerAdmin,
}

impl Scope {
    /// Every scope, in the order of its bits in [`Scopes`].
    pub const ALL: [Self; 6] = [
        Self::ScannerProofs,
        Self::ScannerScans,
        Self::LedgerAppend,
        Self::LedgerExport,
        Self::TrustAdmin,
        Self::SchedulerAdmin,
    ];

    /// As it stands in tokens and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScannerProofs => "scanner.proofs",
            Self::ScannerScans => "scanner.scans",
            Self::LedgerAppend => "ledger.append",
            Self::LedgerExport => "ledger.export",
            Self::TrustAdmin => "trust.admin",
            Self::SchedulerAdmin => "scheduler.admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no scope; the scopes are scanner.proofs, scanner.scans, ledger.append, ledger.export, trust.admin, scheduler.admin"
)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let found = Self::ALL.into_iter().find(|scope| scope.name() == text);
        found.ok_or(UnknownScope)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);

    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether `scope` is among them.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Those that are in the set, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    /// Separated by spaces, as RFC 6749 3.3 writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_bits_are_apart() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            let one: Scopes = [scope].into_iter().collect();
            let held: Vec<Scope> = one.iter().collect();
            assert_eq!(held, [scope]);
        }
        assert_eq!("scanner.everything".parse::<Scope>(), Err(UnknownScope));
        assert_eq!(Scopes::NONE.to_string(), "");
        assert!(
            Scopes::all()
                .to_string()
                .starts_with("scanner.proofs scanner.scans ")
        );
    }
}
