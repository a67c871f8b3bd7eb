//! Matching: which advisories affect which components.
//!
//! A component's package URL names a package in an advisory ecosystem ([`lookup`]); each affected
//! entry for that package is evaluated as the OSV schema's "Evaluation" section says ([`evaluate`]),
//! under the ecosystem's own version order. Nothing is guessed: a package whose ecosystem or
//! release is unknown matches nothing and is named in a warning.

mod aliases;
mod bom;
mod evaluate;
mod lookup;
mod names;
mod packages;
mod vex;

pub use aliases::AliasGroups;
pub use bom::{BomPackage, bom_packages, match_bom};
pub use evaluate::{Evaluation, evaluate, fixed_versions, unordered_bounds};
pub use lookup::{EcosystemChoice, Lookup, NoLookup, Origin, Release, lookup};
pub use names::package_name;
pub use packages::{Found, PackageIndex};
pub use vex::{fit, package_key};

use lookup::language_package;
