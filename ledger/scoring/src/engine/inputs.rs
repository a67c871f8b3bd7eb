//! What an engine is given: everything parsed, and everything named by the manifest.

use super::EngineError;
use crate::limits::MAX_THREADS;
use crate::model::{Bom, FeedSnapshot, ReachabilitySet, VexSnapshot};
use crate::policy::Policy;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroUsize;
use stella_verify::manifest::ScanManifest;

/// The inputs of one computation.
#[derive(Clone, Copy)]
pub struct EngineInputs<'a> {
    /// Names every other input by hash.
    pub manifest: &'a ScanManifest,
    /// The bill of materials, `sbomDigest`.
    pub bom: &'a Bom,
    /// The feed snapshot, `concelierSnapshotHash`.
    pub feed: &'a (dyn FeedSnapshot + Sync),
    /// The VEX snapshot, `excititorSnapshotHash`.
    pub vex: &'a (dyn VexSnapshot + Sync),
    /// Reachability facts, `reachabilityDigest`.
    pub reachability: Option<&'a ReachabilitySet>,
    /// The policy, `latticePolicyHash`.
    pub policy: &'a Policy,
}

/// How many threads compute. The result does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(NonZeroUsize);

impl Threads {
    /// One thread: the caller's own.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// Names a number of threads; 0 counts as 1, more than [`MAX_THREADS`] as that many.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self(NonZeroUsize::new(threads.min(MAX_THREADS)).unwrap_or(NonZeroUsize::MIN))
    }

    /// The number, at least 1.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}

impl EngineInputs<'_> {
    /// Checks that the inputs are those the manifest names.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let manifest = self.manifest;
        same("sbomDigest", &manifest.sbom_digest, &self.bom.digest)?;
        same(
            "concelierSnapshotHash",
            &manifest.concelier_snapshot,
            &self.feed.hash(),
        )?;
        same(
            "excititorSnapshotHash",
            &manifest.excititor_snapshot,
            &self.vex.hash(),
        )?;
        same(
            "latticePolicyHash",
            &manifest.lattice_policy,
            &self.policy.hash(),
        )?;
        let given = self.reachability.map(|facts| facts.digest);
        match (manifest.reachability_digest, given) {
            (None, None) => Ok(()),
            (Some(stated), Some(given)) => same("reachabilityDigest", &stated, &given),
            (stated, given) => {
                let text = |digest: Option<_>| {
                    digest.map_or_else(
                        || "absent".to_owned(),
                        |d: stella_verify::hash::BlobDigest| d.to_string(),
                    )
                };
                Err(EngineError::Input {
                    member: "reachabilityDigest",
                    stated: text(stated),
                    given: text(given),
                })
            }
        }
    }

    /// Settings in force: the manifest's, else the policy's defaults.
    pub(super) fn knobs(&self) -> Result<BTreeMap<String, String>, EngineError> {
        let mut knobs: BTreeMap<_, _> = (self.policy.knobs.iter())
            .map(|(name, knob)| (name.clone(), knob.default.clone()))
            .collect();
        for (name, value) in &self.manifest.knobs {
            let Some(knob) = self.policy.knobs.get(name) else {
                return Err(EngineError::Knob(name.clone()));
            };
            if !knob.values.contains(value) {
                return Err(EngineError::KnobValue {
                    name: name.clone(),
                    value: value.clone(),
                    declared: knob.values.join(", "),
                });
            }
            knobs.insert(name.clone(), value.clone());
        }
        Ok(knobs)
    }
}

fn same<T: PartialEq + Display>(
    member: &'static str,
    stated: &T,
    given: &T,
) -> Result<(), EngineError> {
    if stated == given {
        return Ok(());
    }
    Err(EngineError::Input {
        member,
        stated: stated.to_string(),
        given: given.to_string(),
    })
}
