//! What the engine scores: components, advisories, facts about them, and how they meet.
//!
//! Every value here was read from an input that is named by hash, and remembers where: a component
//! its JSON pointer, a feed fact its [`RowKey`]. Nothing here depends on the input format it came
//! from, on a clock or on the order of the input files.

mod advisory;
mod component;
mod ecosystem;
mod facts;
mod index;
mod matches;
mod pointer;
mod reachability;
mod row;
mod told;
mod vex;

pub use advisory::{
    Advisory, AdvisoryIndex, AdvisoryKind, Affected, AffectedIndex, Range, RangeEvent, RangeIndex,
    RangeKind, Version,
};
pub use component::{
    Bom, BomFormat, Component, ComponentIndex, DependencyDepth, Distro, Scope, SourcePackage,
    Warning, WarningCode,
};
pub use ecosystem::{Ecosystem, EcosystemKind, PackageKey};
pub use facts::{
    EpssFact, EpssScore, KevFact, ScoreTenths, SeverityFact, SeverityScheme, SeverityWord, SsvcFact,
};
pub use index::{AliasGroup, FeedSnapshot, VexQuery, VexSnapshot};
pub use matches::{BomMatches, Match, MatchedBy, PackageMatch, Until};
pub use pointer::JsonPointer;
pub use reachability::{
    CallPath, Gate, Reachability, ReachabilityFact, ReachabilityLevel, ReachabilitySet,
};
pub(crate) use row::unpackaged;
pub use row::{RowKey, Table};
pub use told::told;
pub use vex::{
    VexApplication, VexFit, VexJustification, VexProduct, VexStatement, VexStatus, VexSubcomponent,
};
