//! `chain/`: the log's own record of the computation, and the scan's other sealed roots.

use super::{MetaError, SealEvent};
use crate::base64;
use crate::export::{hashes, write_hashes};
use crate::hash::{HASH_SIZE, Salt};
use crate::json::{FieldError, Fields, Object, ObjectWriter, parse_canonical};
use crate::limits::MAX_PROOF_HASHES;
use crate::merkle::ConsistencyProof;
use alloc::string::String;
use alloc::vec::Vec;

/// Name of the audit export with every event of the computation, up to its seal.
pub const CHAIN_EXPORT_FILE: &str = "chain/computation.export";
/// Folder of the scan's other sealed roots: `<64 hex digits of the root>.json` each.
pub const CHAIN_SEALS_FOLDER: &str = "chain/seals/";
/// Folder of public keys, for information: nothing in it is trusted.
pub const ANCHORS_FOLDER: &str = "anchors/";
/// The log's verifier key, for information.
pub const ANCHOR_LOG_FILE: &str = "anchors/log.vkey";

const SCHEMA: &str = "stella.chain-seal/v1";

/// Another sealed root of the scan: `chain/seals/<64 hex digits of the root>.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainSeal {
    /// The `root.sealed` event.
    pub seal: SealEvent,
    /// A tlog-proof of it against the checkpoint of the commit that sealed it.
    pub tlog_proof: String,
    /// That of this checkpoint's tree and the bundle's own, the larger continues the smaller.
    pub consistency: ConsistencyProof,
}

impl ChainSeal {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        let mut object = ObjectWriter::new(&mut out);
        write_hashes(object.member("consistencyProof"), self.consistency.hashes());
        object.text("schema", SCHEMA);
        self.seal.write(object.member("sealEvent"));
        object.text("tlogProof", &self.tlog_proof);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`MetaError::Json`] or [`MetaError::Field`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MetaError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, SCHEMA)?;
        let proof = hashes(&mut fields, "consistencyProof", MAX_PROOF_HASHES)?;
        let seal = Self {
            seal: SealEvent::read(fields.object("sealEvent")?)?,
            tlog_proof: fields.text("tlogProof")?.into(),
            consistency: ConsistencyProof::new(proof),
        };
        fields.finish()?;
        Ok(seal)
    }
}

impl SealEvent {
    /// Writes `{header, payload, salt}`, each base64.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut seal = ObjectWriter::new(out);
        seal.text("header", &base64::encode(&self.header));
        seal.text("payload", &base64::encode(&self.payload));
        seal.text("salt", &base64::encode(self.salt.as_bytes()));
        seal.end();
    }

    /// Reads what [`SealEvent::write`] wrote.
    pub(super) fn read(object: &Object) -> Result<Self, FieldError> {
        let mut fields = Fields::new(object);
        let mut bytes = |name| {
            base64::decode(fields.text(name)?).map_err(|_| FieldError::value(name, "padded base64"))
        };
        let (header, payload, salt) = (bytes("header")?, bytes("payload")?, bytes("salt")?);
        fields.finish()?;
        let salt: Option<[u8; HASH_SIZE]> = salt.try_into().ok();
        let salt = salt.ok_or_else(|| FieldError::value("salt", "32 bytes"))?;
        Ok(Self {
            header,
            payload,
            salt: Salt::new(salt),
        })
    }
}
