//! `idRecomputed` and `merklePathValid`: the content is what its ids and the signed root say.

use super::super::{
    ANCHOR_LOG_FILE, ANCHORS_FOLDER, BundleFiles, BundleMeta, MANIFEST_ENVELOPE_FILE,
    ROOT_ENVELOPE_FILE,
};
use super::{Doubt, Finding, Parts, fail, inputs, need};
use crate::hash::{ManifestHash, sha256};
use crate::keys::PublicKey;
use crate::manifest::ScanManifest;
use crate::note::VerifierKey;
use crate::score_proof::ScoreProof;
use crate::statement::{ArtifactSubject, ScanManifestStatement, ScoreProofStatement};
use alloc::format;
use core::fmt::Display;

/// Every id and number that can be recomputed is what every file states.
pub(super) fn ids(files: &BundleFiles<'_>, parts: &Parts) -> Finding {
    let manifest = parts.manifest.as_ref().map_err(fail)?;
    let proof = parts.proof.as_ref().map_err(fail)?;
    let meta = parts.meta.as_ref().map_err(fail)?;
    inputs::are_the_manifests(files, manifest)?;
    anchors_are_named_by_content(files)?;
    // The bytes were canonical, so this is the hash of the file.
    let hash = ManifestHash::new(sha256(files.manifest));
    compare_meta(meta, manifest, hash, proof)?;

    let envelope = need(&parts.manifest_envelope, MANIFEST_ENVELOPE_FILE)?;
    let statement = ScanManifestStatement::parse(envelope.unverified_payload());
    compare_manifest_statement(&statement.map_err(fail)?, manifest)?;

    let envelope = need(&parts.root_envelope, ROOT_ENVELOPE_FILE)?;
    let statement = ScoreProofStatement::parse(envelope.unverified_payload());
    compare_score_statement(&statement.map_err(fail)?, manifest, hash, proof, meta)?;
    Ok(format!(
        "the manifest's hash and the ids of {} nodes are recomputed",
        proof.count()
    ))
}

/// The nodes stand in emission order, and their root is the signed one.
pub(super) fn merkle(parts: &Parts) -> Finding {
    let proof = need(&parts.proof, super::super::SCORE_PROOF_FILE)?;
    let manifest = need(&parts.manifest, super::super::MANIFEST_FILE)?;
    let envelope = need(&parts.root_envelope, ROOT_ENVELOPE_FILE)?;
    let statement = ScoreProofStatement::parse(envelope.unverified_payload())
        .map_err(|_| Doubt::Skip(format!("{ROOT_ENVELOPE_FILE} holds no score statement")))?;
    let root = proof.root();
    if root != statement.root {
        let signed = statement.root;
        return Err(fail(format!(
            "the nodes' root is {root}, the signed root is {signed}"
        )));
    }
    proof.check_order(manifest.hash()).map_err(fail)?;
    Ok(format!(
        "{} nodes in emission order have the signed root {root}",
        proof.count()
    ))
}

/// Keys that are carried for information are keys, under their own names, in their one spelling.
fn anchors_are_named_by_content(files: &BundleFiles<'_>) -> Result<(), Doubt> {
    for (name, content) in files.anchors() {
        let text = core::str::from_utf8(content).unwrap_or_default();
        let expected = if name == ANCHOR_LOG_FILE {
            let key: Option<VerifierKey> = text.strip_suffix('\n').and_then(|t| t.parse().ok());
            key.map(|key| (ANCHOR_LOG_FILE.into(), format!("{key}\n")))
        } else {
            let key = PublicKey::from_pem(text).ok();
            key.map(|key| (format!("{ANCHORS_FOLDER}{}.pem", key.id()), key.to_pem()))
        };
        let (expected_name, spelling) =
            expected.ok_or_else(|| fail(format!("{name} is not a public key")))?;
        if name != expected_name || text != spelling {
            return Err(fail(format!(
                "{name} is not that key in its one spelling, or not named by it"
            )));
        }
    }
    Ok(())
}

fn compare_meta(
    meta: &BundleMeta,
    manifest: &ScanManifest,
    hash: ManifestHash,
    proof: &ScoreProof,
) -> Result<(), Doubt> {
    same("meta.json manifestHash", &meta.manifest, &hash)?;
    same(
        "meta.json artifactDigest",
        &meta.artifact,
        &manifest.artifact_digest,
    )?;
    same(
        "meta.json engineVersion",
        &meta.engine_version,
        &manifest.engine_version,
    )?;
    same("meta.json nodeCount", &meta.nodes, &proof.count())?;
    same("meta.json scoreBps", &meta.score, &proof.score())?;
    same("meta.json proofBundleId", &meta.proof_bundle, &meta.root)
}

fn compare_manifest_statement(
    statement: &ScanManifestStatement,
    manifest: &ScanManifest,
) -> Result<(), Doubt> {
    let subject = ArtifactSubject::of(manifest);
    same(
        "the signed manifest's hash",
        &statement.manifest.hash(),
        &manifest.hash(),
    )?;
    same(
        "the signed manifest's subject",
        &statement.subject.digest,
        &subject.digest,
    )?;
    same(
        "the signed manifest's subject name",
        &statement.subject.name,
        &subject.name,
    )
}

fn compare_score_statement(
    statement: &ScoreProofStatement,
    manifest: &ScanManifest,
    hash: ManifestHash,
    proof: &ScoreProof,
    meta: &BundleMeta,
) -> Result<(), Doubt> {
    let subject = ArtifactSubject::of(manifest);
    same(
        "the signed score's manifestHash",
        &statement.manifest,
        &hash,
    )?;
    same(
        "the signed score's subject",
        &statement.subject.digest,
        &subject.digest,
    )?;
    same(
        "the signed score's subject name",
        &statement.subject.name,
        &subject.name,
    )?;
    same(
        "the signed score's engineVersion",
        &statement.engine_version,
        &manifest.engine_version,
    )?;
    same(
        "the signed score's nodeCount",
        &statement.nodes,
        &proof.count(),
    )?;
    same(
        "the signed score's scoreBps",
        &statement.score,
        &proof.score(),
    )?;
    same(
        "meta.json logOrigin",
        &meta.log_origin,
        &statement.log_origin,
    )?;
    same("meta.json rootHash", &meta.root, &statement.root)
}

/// Fails, naming both, unless what is stated is what it should be.
pub(super) fn same<T: PartialEq + Display>(
    what: &str,
    stated: &T,
    expected: &T,
) -> Result<(), Doubt> {
    if stated == expected {
        return Ok(());
    }
    Err(fail(format!(
        "{what} is {stated}, but the content gives {expected}"
    )))
}
