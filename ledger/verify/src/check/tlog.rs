//! The kinds of the transparency log: trees, notes, checkpoints, cosignatures, proof files.
//!
//! | kind | members | result |
//! |---|---|---|
//! | `inclusion` | leafIndex, treeSize, leafHash, rootHash, proof\[\] | |
//! | `consistency` | size1, size2, root1, root2, proof\[\] | |
//! | `root` | leaves\[\] (bytes) | rootHash |
//! | `note` | note, vkeys\[\] | text, signers\[\] |
//! | `checkpoint` | note, vkeys\[\], origin? | origin, treeSize, rootHash, signers\[\] |
//! | `cosignature` | note, vkeys\[\] | cosignatures\[\] {name, time} |
//! | `tlog-proof` | proof, leaf, vkeys\[\], origin? | leafIndex and the checkpoint's members |
//! | `export` | export (bytes) or path, vkeys\[\], origin? | from, to, present, erased, withheld and the closing checkpoint's members |
//!
//! Numbers may be decimal strings too, for readers whose JSON numbers end at 2^53. A `proof` of
//! `null` is an empty one: several published vectors write it so. A text among `vkeys` that is no
//! verifier key refuses the case.

use super::case::{KeyTexts, OriginText};
use super::{
    CaseFailure, Members, ReadFile, bytes, bytes_list, hash32, members, optional_text,
    text_or_bytes,
};
use crate::base64;
use crate::checkpoint::SignedCheckpoint;
use crate::export::{ExportTrust, ExportVerifier};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::merkle::{
    ConsistencyProof, Growth, InclusionProof, TreeHead, leaf_hash, root_of, verify_consistency,
    verify_inclusion,
};
use crate::note::{Note, SignatureMeaning, VerifiedNote};
use crate::text::parse_decimal;
use crate::tlog_proof::TlogProof;
use crate::units::{LeafIndex, TreeSize};
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use serde_json::{Value, json};

type Outcome = Result<Members, CaseFailure>;

/// Whether a leaf hash is at an index of a tree.
pub(super) fn inclusion(case: &Members) -> Outcome {
    let index = LeafIndex::new(count(case, "leafIndex")?);
    let size = TreeSize::new(count(case, "treeSize")?);
    let leaf = bytes(case, "leafHash")?;
    let root = bytes(case, "rootHash")?;
    let proof = proof_bytes(case)?;
    let leaf = LeafHash::new(hash32(&leaf)?);
    let root = RootHash::new(hash32(&root)?);
    let proof = InclusionProof::new(node_hashes(&proof)?);
    verify_inclusion(leaf, index, TreeHead { size, root }, &proof).map_err(CaseFailure::refused)?;
    Ok(Members::new())
}

/// Whether one tree continues another.
pub(super) fn consistency(case: &Members) -> Outcome {
    let old_size = TreeSize::new(count(case, "size1")?);
    let new_size = TreeSize::new(count(case, "size2")?);
    let old_root = bytes(case, "root1")?;
    let new_root = bytes(case, "root2")?;
    let proof = proof_bytes(case)?;
    let heads = Growth {
        old: TreeHead {
            size: old_size,
            root: RootHash::new(hash32(&old_root)?),
        },
        new: TreeHead {
            size: new_size,
            root: RootHash::new(hash32(&new_root)?),
        },
    };
    let proof = ConsistencyProof::new(node_hashes(&proof)?);
    verify_consistency(heads, &proof).map_err(CaseFailure::refused)?;
    Ok(Members::new())
}

/// The root over leaves.
pub(super) fn root(case: &Members) -> Outcome {
    let leaves = bytes_list(case, "leaves")?;
    let root: RootHash = root_of(leaves.iter().map(|leaf| leaf_hash(leaf)));
    let mut result = Members::new();
    result.insert("rootHash".into(), base64::encode(root.as_bytes()).into());
    Ok(result)
}

/// Whether trusted keys signed a note.
pub(super) fn note(case: &Members) -> Outcome {
    let opened = open(case)?;
    let mut result = Members::new();
    let text = base64::encode(opened.text().as_str().as_bytes());
    result.insert("text".into(), text.into());
    result.insert("signers".into(), signers(&opened));
    Ok(result)
}

/// Whether trusted keys signed a checkpoint, and what it says.
pub(super) fn checkpoint(case: &Members) -> Outcome {
    let note = text_or_bytes(case, "note")?;
    let (keys, origin) = (KeyTexts::of(case)?, OriginText::of(case)?);
    let opened = SignedCheckpoint::open(&note, &keys.parse()?, origin.parse()?.as_ref())
        .map_err(CaseFailure::refused)?;
    Ok(checkpoint_members(&opened))
}

/// Whether trusted cosigners saw a checkpoint, and when. At least one must have.
pub(super) fn cosignature(case: &Members) -> Outcome {
    let opened = open(case)?;
    crate::checkpoint::Checkpoint::parse(opened.text()).map_err(CaseFailure::refused)?;
    let cosignatures: Vec<Value> = opened
        .verified()
        .iter()
        .filter_map(|signature| match signature.meaning {
            SignatureMeaning::Cosignature(time) => {
                Some(json!({"name": signature.name.as_str(), "time": time.seconds()}))
            }
            SignatureMeaning::Text => None,
        })
        .collect();
    if cosignatures.is_empty() {
        let reason = "the note is signed, but by no trusted cosigner";
        return Err(CaseFailure::Refused(reason.into()));
    }
    let mut result = Members::new();
    result.insert("cosignatures".into(), cosignatures.into());
    Ok(result)
}

/// Whether a leaf (its bytes) is in a log, by a proof file.
pub(super) fn tlog_proof(case: &Members) -> Outcome {
    let proof = text_or_bytes(case, "proof")?;
    let leaf = bytes(case, "leaf")?;
    let (keys, origin) = (KeyTexts::of(case)?, OriginText::of(case)?);
    let proof = TlogProof::parse(&proof).map_err(CaseFailure::refused)?;
    let verified = proof
        .verify(leaf_hash(&leaf), &keys.parse()?, origin.parse()?.as_ref())
        .map_err(CaseFailure::refused)?;
    let mut result = checkpoint_members(verified.checkpoint());
    let index = verified.included().index().get();
    result.insert("leafIndex".into(), index.into());
    Ok(result)
}

fn open(case: &Members) -> Result<VerifiedNote, CaseFailure> {
    let note = text_or_bytes(case, "note")?;
    let keys = KeyTexts::of(case)?;
    let note = Note::parse(&note).map_err(CaseFailure::refused)?;
    note.open(&keys.parse()?).map_err(CaseFailure::refused)
}

fn checkpoint_members(opened: &SignedCheckpoint) -> Members {
    let head = opened.head();
    let mut members = Members::new();
    let origin = opened.checkpoint().origin.as_str();
    members.insert("origin".into(), origin.into());
    members.insert("treeSize".into(), head.size.get().into());
    members.insert(
        "rootHash".into(),
        base64::encode(head.root.as_bytes()).into(),
    );
    members.insert("signers".into(), signers(opened.note()));
    members
}

fn signers(opened: &VerifiedNote) -> Value {
    let ids = opened.verified().iter();
    ids.map(|signature| Value::String(format!("{}+{}", signature.name, signature.id)))
        .collect()
}

/// Whether an export's events are exactly those between its checkpoints.
pub(super) fn export(case: &Members, files: ReadFile<'_>) -> Outcome {
    let export = match optional_text(case, "path")? {
        Some(path) => files(path).map_err(CaseFailure::Malformed)?,
        None => bytes(case, "export")?,
    };
    let (keys, origin) = (KeyTexts::of(case)?, OriginText::of(case)?);
    let (keys, origin) = (keys.parse()?, origin.parse()?);
    let mut verifier = ExportVerifier::new(ExportTrust::Log {
        keys: &keys,
        origin: origin.as_ref(),
    });
    verifier
        .push(&export, |_| ())
        .map_err(CaseFailure::refused)?;
    let verified = verifier.finish().map_err(CaseFailure::refused)?;
    let summary = verified.summary;
    Ok(members([
        ("origin", verified.origin.to_string()),
        ("from", verified.range.start.to_string()),
        ("to", verified.range.end.to_string()),
        ("treeSize", verified.closing.size.to_string()),
        ("rootHash", base64::encode(verified.closing.root.as_bytes())),
        ("present", summary.present.to_string()),
        ("erased", summary.erased.to_string()),
        ("withheld", summary.withheld.to_string()),
    ]))
}

fn count(case: &Members, name: &str) -> Result<u64, CaseFailure> {
    let number = match case.get(name) {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => parse_decimal(text),
        _ => None,
    };
    number.ok_or_else(|| {
        let what = "a whole number below 2^64, as number or decimal string";
        CaseFailure::Malformed(format!("member \"{name}\" must be {what}"))
    })
}

fn proof_bytes(case: &Members) -> Result<Vec<Vec<u8>>, CaseFailure> {
    match case.get("proof") {
        Some(Value::Null) => Ok(Vec::new()),
        _ => bytes_list(case, "proof"),
    }
}

fn node_hashes(hashes: &[Vec<u8>]) -> Result<Vec<NodeHash>, CaseFailure> {
    hashes
        .iter()
        .map(|hash| Ok(NodeHash::new(hash32(hash)?)))
        .collect()
}
