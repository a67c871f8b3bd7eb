//! A small artifact with every kind of fact, held in memory: what the engine's tests compute.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "each test binary uses its part; a broken fixture is to panic"
)]

mod build;
mod facts;
mod fixture;
mod snapshots;

use std::collections::BTreeMap;
use stella_scoring::engine::{Computation, EngineInputs, Threads, compute};
use stella_scoring::model::{
    Advisory, AdvisoryIndex, AdvisoryKind, Affected, AffectedIndex, AliasGroup, Bom, BomFormat,
    BomMatches, CallPath, Component, ComponentIndex, DependencyDepth, Ecosystem, EpssFact,
    EpssScore, FeedSnapshot, Gate, JsonPointer, KevFact, Match, MatchedBy, PackageKey,
    PackageMatch, RangeIndex, ReachabilityFact, ReachabilityLevel, ReachabilitySet, RowKey, Scope,
    ScoreTenths, SeverityFact, SeverityScheme, SeverityWord, SsvcFact, Table, Until, Version,
    VexApplication, VexFit, VexJustification, VexQuery, VexSnapshot, VexStatement, VexStatus,
    Warning, WarningCode,
};
use stella_scoring::policy::{Policy, built_in};
use stella_scoring::purl::Purl;
use stella_verify::hash::{BlobDigest, SnapshotHash, sha256};
use stella_verify::manifest::{EngineVersion, ScanManifest, Seed};
use stella_verify::units::UnixMillis;

pub use build::Builder;
pub use facts::{cvss, epss, kev, rating, row, statement};
pub use fixture::world;
pub use snapshots::{Feed, Vex};

/// Everything of one computation, owned.
#[derive(Clone)]
pub struct World {
    pub manifest: ScanManifest,
    pub bom: Bom,
    pub feed: Feed,
    pub vex: Vex,
    pub reachability: Option<ReachabilitySet>,
    pub policy: Policy,
}

impl World {
    pub fn inputs(&self) -> EngineInputs<'_> {
        EngineInputs {
            manifest: &self.manifest,
            bom: &self.bom,
            feed: &self.feed,
            vex: &self.vex,
            reachability: self.reachability.as_ref(),
            policy: &self.policy,
        }
    }

    pub fn compute(&self) -> Computation {
        compute(&self.inputs(), Threads::ONE).unwrap()
    }

    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.manifest.lattice_policy = policy.hash();
        self.policy = policy;
        self
    }

    /// The manifest again names the inputs, after a test changed them.
    pub fn renamed(mut self, feed: &str, vex: &str) -> Self {
        self.feed.name = feed.into();
        self.vex.name = vex.into();
        self.manifest.concelier_snapshot = self.feed.hash();
        self.manifest.excititor_snapshot = self.vex.hash();
        self
    }
}

pub fn policy(name: &str) -> Policy {
    built_in(name).unwrap().policy().unwrap()
}
