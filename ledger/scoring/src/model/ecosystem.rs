//! Advisory ecosystems, with their releases.

use core::fmt;

/// Family of an ecosystem: it fixes the version order and the name rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EcosystemKind {
    /// crates.io: SemVer 2.0.
    CratesIo,
    /// npm: SemVer 2.0.
    Npm,
    /// PyPI: PEP 440 versions, PEP 503 names.
    PyPi,
    /// Go modules: SemVer with `v`, pseudo-versions, `+incompatible`; `stdlib` and `toolchain`.
    Go,
    /// Maven: ComparableVersion.
    Maven,
    /// NuGet: SemVer with a fourth number, case-insensitive.
    NuGet,
    /// RubyGems: Gem::Version.
    RubyGems,
    /// Packagist: Composer's normalised versions.
    Packagist,
    /// Hex, Pub, SwiftURL, GitHub Actions and others that OSV orders as SemVer.
    SemVerOther,
    /// Debian, Ubuntu and others with dpkg's order.
    Dpkg,
    /// Alpine, Wolfi, Chainguard: apk's order.
    Apk,
    /// Red Hat, Rocky, AlmaLinux, SUSE and others with rpm's order.
    Rpm,
    /// No order known here: only `versions` lists match.
    Unordered,
}

impl EcosystemKind {
    /// Every family.
    pub const ALL: &'static [Self] = &[
        Self::CratesIo,
        Self::Npm,
        Self::PyPi,
        Self::Go,
        Self::Maven,
        Self::NuGet,
        Self::RubyGems,
        Self::Packagist,
        Self::SemVerOther,
        Self::Dpkg,
        Self::Apk,
        Self::Rpm,
        Self::Unordered,
    ];
}

/// An ecosystem as OSV writes it: a name, and for distributions a release after a colon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ecosystem {
    text: Box<str>,
    kind: EcosystemKind,
}

impl Ecosystem {
    /// Reads OSV's `package.ecosystem`. Any text is one: unknown names are
    /// [`EcosystemKind::Unordered`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let name = text.split(':').next().unwrap_or(text);
        Self {
            text: text.into(),
            kind: kind_of(name),
        }
    }

    /// As OSV writes it, release included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its family.
    #[must_use]
    pub const fn kind(&self) -> EcosystemKind {
        self.kind
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// OSV schema, "affected[].package": the defined ecosystems and the order each follows.
fn kind_of(name: &str) -> EcosystemKind {
    match name {
        "crates.io" => EcosystemKind::CratesIo,
        "npm" => EcosystemKind::Npm,
        "PyPI" => EcosystemKind::PyPi,
        "Go" => EcosystemKind::Go,
        "Maven" => EcosystemKind::Maven,
        "NuGet" => EcosystemKind::NuGet,
        "RubyGems" => EcosystemKind::RubyGems,
        "Packagist" => EcosystemKind::Packagist,
        "Hex" | "Pub" | "SwiftURL" | "GitHub Actions" | "Bitnami" | "ConanCenter" | "Julia" => {
            EcosystemKind::SemVerOther
        }
        "Debian" | "Ubuntu" | "Echo" => EcosystemKind::Dpkg,
        "Alpine"
        | "Wolfi"
        | "Chainguard"
        | "MinimOS"
        | "Alpaquita"
        | "BellSoft Hardened Containers" => EcosystemKind::Apk,
        "Red Hat" | "Rocky Linux" | "AlmaLinux" | "SUSE" | "openSUSE" | "Mageia" | "openEuler"
        | "Azure Linux" | "Photon OS" | "Fedora" | "Oracle Linux" | "Amazon Linux" => {
            EcosystemKind::Rpm
        }
        _ => EcosystemKind::Unordered,
    }
}

/// A package within an ecosystem, its name under the ecosystem's rule (PEP 503 for PyPI, ...).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageKey {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The normalised name.
    pub name: Box<str>,
}
