//! Part of `idRecomputed`: the inputs that a replayable bundle carries are the manifest's.

use super::super::{BundleFiles, INPUTS_FOLDER};
use super::content::same;
use super::{Doubt, fail};
use crate::hash::{SnapshotHash, sha256, to_hex};
use crate::manifest::ScanManifest;
use crate::snapshot::Snapshot;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Inputs under their names, which are the hex digits of their hashes.
type Carried<'a> = BTreeMap<&'a str, &'a [u8]>;

/// Every input is named by its content, the manifest names every one, and where there are any none
/// is missing: whoever finds a file in a verified bundle may take it for an input of the score.
pub(super) fn are_the_manifests(
    files: &BundleFiles<'_>,
    manifest: &ScanManifest,
) -> Result<(), Doubt> {
    let carried: Carried<'_> = files.inputs().collect();
    for (name, content) in &carried {
        same("an input's name", name, &to_hex(&sha256(content)).as_str())?;
    }
    if carried.is_empty() {
        return Ok(());
    }
    let mut used: BTreeSet<String> = blobs(&carried, manifest)?;
    for (what, hash) in [
        ("the feed snapshot", manifest.concelier_snapshot),
        ("the VEX snapshot", manifest.excititor_snapshot),
    ] {
        used.insert(records(&carried, what, hash)?.into());
    }
    match carried.keys().find(|name| !used.contains(**name)) {
        None => Ok(()),
        Some(name) => Err(fail(format!(
            "{INPUTS_FOLDER}{name} is none that the manifest names"
        ))),
    }
}

/// Names of the inputs that the manifest names by the hash of their bytes.
fn blobs(carried: &Carried<'_>, manifest: &ScanManifest) -> Result<BTreeSet<String>, Doubt> {
    let mut named = Vec::from([
        ("the SBOM", to_hex(manifest.sbom_digest.as_bytes())),
        ("the policy", to_hex(manifest.lattice_policy.as_bytes())),
    ]);
    if let Some(digest) = &manifest.reachability_digest {
        named.push(("the reachability facts", to_hex(digest.as_bytes())));
    }
    let present = named.into_iter().map(|(what, name)| {
        if carried.contains_key(name.as_str()) {
            Ok(name)
        } else {
            Err(fail(format!("{INPUTS_FOLDER} lacks {what} sha256:{name}")))
        }
    });
    present.collect()
}

/// The name of a snapshot's records file, which is told by its header and verified to its last row.
fn records<'a>(carried: &Carried<'a>, what: &str, hash: SnapshotHash) -> Result<&'a str, Doubt> {
    let opened = carried.iter().find_map(|(name, content)| {
        let file = Snapshot::open(content).ok()?;
        (file.hash() == hash).then_some((*name, file))
    });
    let (name, mut file) = opened.ok_or_else(|| {
        fail(format!(
            "{INPUTS_FOLDER} lacks the records of {what} {hash}"
        ))
    })?;
    loop {
        match file.next() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(name),
            Err(problem) => return Err(fail(format!("{INPUTS_FOLDER}{name}: {problem}"))),
        }
    }
}
