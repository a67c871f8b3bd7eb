//! VEX statements, whatever their format.

use stella_verify::units::UnixMillis;

use super::RowKey;
use crate::purl::Purl;

/// What a statement says of a vulnerability in a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VexStatus {
    /// No action needed.
    NotAffected,
    /// Action recommended.
    Affected,
    /// These products have the fix.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
}

impl VexStatus {
    /// Name as in OpenVEX.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::NotAffected,
            Self::Affected,
            Self::Fixed,
            Self::UnderInvestigation,
        ]
        .into_iter()
        .find(|status| status.name() == name)
    }
}

/// Why a product is not affected: the five of CISA's "Status Justifications", and any other word a
/// format has (CycloneDX's finer ones are kept as written).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VexJustification(pub Box<str>);

/// A product named by a statement, and the parts of it that the statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexProduct {
    /// The product's purl, when it is named by one.
    pub purl: Option<Purl>,
    /// The product's other name (IRI, CPE, CSAF product name); empty when there is only a purl.
    pub name: Box<str>,
    /// Parts of the product; none: the statement is about the product as a whole.
    pub subcomponents: Vec<VexSubcomponent>,
}

/// A part of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexSubcomponent {
    /// The part's purl.
    pub purl: Purl,
}

/// One statement, normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexStatement {
    /// Who makes it, as the document names them; may be empty.
    pub author: Box<str>,
    /// When it was made or last changed; `None` when the document does not say.
    pub time: Option<UnixMillis>,
    /// Revision of the document, for documents that share an id.
    pub revision: Box<str>,
    /// Ids of the vulnerability, sorted.
    pub vulnerabilities: Vec<Box<str>>,
    /// The status.
    pub status: VexStatus,
    /// Why, for `not_affected`.
    pub justification: Option<VexJustification>,
    /// What it is about.
    pub products: Vec<VexProduct>,
    /// Id of the document, and the statement's place in it.
    pub row: RowKey,
}

/// How a statement came to apply to a component of an artifact, least specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VexFit {
    /// It is about the whole artifact, without a version.
    Artifact,
    /// It is about the whole artifact, at its version.
    ArtifactVersion,
    /// It is about the component wherever it occurs, without a version.
    Component,
    /// It is about the component wherever it occurs, at its version.
    ComponentVersion,
    /// It is about the component within this artifact.
    ComponentInArtifact,
    /// It is about the component at its version within this artifact.
    ComponentVersionInArtifact,
}

impl VexFit {
    /// Name in proofs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
            Self::ArtifactVersion => "artifact-version",
            Self::Component => "component",
            Self::ComponentVersion => "component-version",
            Self::ComponentInArtifact => "component-in-artifact",
            Self::ComponentVersionInArtifact => "component-version-in-artifact",
        }
    }
}

/// A statement that applies to a finding. Which of several prevails is the policy's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexApplication<'a> {
    /// The statement.
    pub statement: &'a VexStatement,
    /// How closely it fits.
    pub fit: VexFit,
}
