//! What an SBOM says: components, where they stand, and what was odd about the document.

use core::fmt;

use stella_verify::hash::BlobDigest;

use super::JsonPointer;
use crate::purl::Purl;

/// A bill of materials, whatever its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bom {
    /// SHA-256 of the document's bytes as received, decompressed.
    pub digest: BlobDigest,
    /// Format and version of the document.
    pub format: BomFormat,
    /// What the document describes (CycloneDX `metadata.component`, SPDX's described package).
    pub subject: Option<Component>,
    /// The operating system that the document names, for packages whose purl names no release.
    pub distro: Option<Distro>,
    /// Components in document order, the subject excluded.
    pub components: Vec<Component>,
    /// What was odd, sorted by pointer and code. Warnings are part of the proof.
    pub warnings: Vec<Warning>,
}

/// Format of a bill of materials, with its version as the document writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BomFormat {
    /// CycloneDX JSON, `specVersion`.
    CycloneDx(Box<str>),
    /// SPDX JSON, `spdxVersion` without its `SPDX-` prefix.
    Spdx(Box<str>),
}

impl fmt::Display for BomFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CycloneDx(version) => write!(f, "CycloneDX {version}"),
            Self::Spdx(version) => write!(f, "SPDX {version}"),
        }
    }
}

/// Place of a component in [`Bom::components`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentIndex(pub u32);

/// One component of a bill of materials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Where it stands in the document.
    pub pointer: JsonPointer,
    /// Name as written.
    pub name: Box<str>,
    /// Version as written; the purl's own version rules where both are present.
    pub version: Option<Box<str>>,
    /// Its package URL, when it has a valid one. A component without one matches nothing.
    pub purl: Option<Purl>,
    /// Steps from the subject along the dependency graph.
    pub depth: DependencyDepth,
    /// Whether the subject needs it.
    pub scope: Scope,
    /// The source package that a distribution built it from, where the document says so beside the
    /// purl. The purl's own `upstream` stands above it.
    pub source: Option<Box<SourcePackage>>,
}

/// A distribution's source package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePackage {
    /// Its name.
    pub name: Box<str>,
    /// Its version with epoch and release, as the distribution writes it; the binary package's where
    /// the document does not say.
    pub version: Option<Box<str>>,
}

/// Length of the shortest dependency path from the subject: 0 for the subject itself, 1 for its
/// direct dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyDepth {
    /// A path exists.
    Steps(u32),
    /// The document has no path from the subject to the component.
    Unknown,
}

/// How a component is needed (CycloneDX `scope`; SPDX relationship types map onto it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Needed at run time.
    Required,
    /// Not needed by every use: optional, development or test dependency.
    Optional,
    /// Present in the document, not in the delivered artifact.
    Excluded,
    /// The document does not say (CycloneDX reads this as required).
    Unspecified,
}

impl Scope {
    /// Name in proofs and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Excluded => "excluded",
            Self::Unspecified => "unspecified",
        }
    }
}

/// An operating system release, as os-release writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distro {
    /// `ID`: `debian`, `ubuntu`, `alpine`, `rhel`, ...; lower case.
    pub id: Box<str>,
    /// `VERSION_ID`: `12`, `22.04`, `3.20.1`, ...
    pub version: Box<str>,
}

/// Something odd about an input that did not stop it from being read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where.
    pub pointer: JsonPointer,
    /// What kind.
    pub code: WarningCode,
    /// What exactly: the offending text, shortened to
    /// [`crate::limits::MAX_WARNING_DETAIL_BYTES`].
    pub detail: Box<str>,
}

macro_rules! warning_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Kinds of warnings. The names are stable: they are part of proofs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum WarningCode {
            $($(#[$doc])* $variant,)*
        }

        impl WarningCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

warning_codes! {
    /// The text is not a package URL; the component is kept and matches nothing.
    PurlInvalid = "purl-invalid",
    /// A library, framework or application component has no package URL.
    PurlMissing = "purl-missing",
    /// Neither the purl nor the component has a version; the component matches nothing.
    VersionMissing = "version-missing",
    /// The purl's version and the component's differ; the purl's is used.
    VersionDiffers = "version-differs",
    /// The purl's type has no advisory ecosystem here.
    EcosystemUnknown = "ecosystem-unknown",
    /// A distribution package whose release is named neither by its purl nor by the document.
    DistroMissing = "distro-missing",
    /// The package came from a file or repository, not from the registry that advisories speak of.
    NotFromRegistry = "not-from-registry",
    /// The version is not one under the ecosystem's order; only exact matches were tried.
    VersionUnordered = "version-unordered",
    /// A dependency names a reference that no component has.
    ReferenceBroken = "reference-broken",
    /// Two components have the same reference; the first is used.
    ReferenceDuplicate = "reference-duplicate",
    /// A reference into another document (BOM-Link); it is not followed.
    ReferenceExternal = "reference-external",
    /// The dependency graph has a loop.
    DependencyLoop = "dependency-loop",
    /// A required member is missing or of the wrong type; what it held is taken as absent.
    MemberInvalid = "member-invalid",
    /// The document's version is newer than those known here; known members are read.
    SpecVersionUnknown = "spec-version-unknown",
    /// The document is an attestation, and the proof does not vouch for its signature: no manifest
    /// names a key. Who computes may have checked it before.
    SignatureUnchecked = "signature-unchecked",
    /// More warnings than are kept; the detail is how many were left out.
    WarningsOmitted = "warnings-omitted",
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
