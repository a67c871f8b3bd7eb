//! Where the records of snapshots are: in chunks that snapshots share.
//!
//! A snapshot's records file is cut where its content says so, so an update rewrites only the chunks
//! in which something differs. `records` of `snapshot.imported` names the list of chunks, which
//! names the chunks and the file that they make.

use crate::app::App;
use crate::refusal::Refusal;
use std::collections::BTreeSet;
use stella_ledger::ledger::{PageSize, View};
use stella_proto::reason::Reason;
use stella_scoring::snapshot::chunks;
use stella_verify::hash::{BlobDigest, SnapshotHash, sha256};
use stella_verify::json::{ArrayWriter, Fields, ObjectWriter, Value, parse_canonical, write_hash};
use stella_verify::snapshot::SnapshotKind;

/// `schema` of a list of chunks.
const CHUNKS_SCHEMA: &str = "stella.blob-chunks/v1";

/// A records file in the store.
pub(super) struct Stored {
    /// The list of its chunks.
    pub(super) list: BlobDigest,
    /// Its chunks, each once.
    pub(super) chunks: Vec<BlobDigest>,
}

impl App {
    /// Stores a records file; all of it is durable before this answers.
    pub(super) fn put_records(&self, records: &[u8]) -> Result<Stored, Refusal> {
        let cut = chunks(records).map_err(|problem| {
            Refusal::new(Reason::Internal, format!("a snapshot as built: {problem}"))
        })?;
        let mut digests = Vec::with_capacity(cut.len());
        for chunk in cut {
            let digest = BlobDigest::new(sha256(chunk));
            // An earlier snapshot has most of them.
            if !self.ledger.blobs().contains(&digest)? {
                self.put(chunk)?;
            }
            digests.push(digest);
        }
        let list = self.put(&list(BlobDigest::new(sha256(records)), &digests))?;
        digests.sort_unstable();
        digests.dedup();
        Ok(Stored {
            list,
            chunks: digests,
        })
    }

    /// The records file of a snapshot that a tree has. What was removed since is gone for earlier
    /// trees, too, and said to be.
    pub(super) fn records_at(
        &self,
        view: &View<'_>,
        hash: SnapshotHash,
    ) -> Result<Vec<u8>, Refusal> {
        view.snapshot(&hash)?;
        self.records(hash)
    }

    /// The records file of an imported snapshot.
    pub(in crate::app) fn records(&self, hash: SnapshotHash) -> Result<Vec<u8>, Refusal> {
        match self.stored_records(hash) {
            // What was removed while it was read is not damaged.
            Err(refusal) if refusal.reason == Reason::BlobDamaged => {
                self.newest()?.snapshot(&hash)?;
                Err(refusal)
            }
            read => read,
        }
    }

    fn stored_records(&self, hash: SnapshotHash) -> Result<Vec<u8>, Refusal> {
        let named = self.newest()?.snapshot(&hash)?.imported.records;
        let bytes = self.get(named)?;
        let Some((whole, digests)) = read_list(&bytes) else {
            // Not in chunks: the file itself.
            return Ok(bytes);
        };
        let mut records = Vec::new();
        for digest in digests {
            records.extend_from_slice(&self.get(digest)?);
        }
        if BlobDigest::new(sha256(&records)) == whole {
            Ok(records)
        } else {
            let message = format!("the chunks of snapshot {hash} do not make {whole}");
            Err(Refusal::new(Reason::BlobDamaged, message))
        }
    }

    /// Chunks that a stored list names and the store lacks. A list that cannot be read is for who
    /// checks the blobs themselves.
    pub(in crate::app) fn missing_chunks(&self) -> Result<BTreeSet<BlobDigest>, Refusal> {
        let view = self.newest()?;
        let mut missing = BTreeSet::new();
        for kind in [SnapshotKind::Concelier, SnapshotKind::Excititor] {
            let mut from = None;
            loop {
                let page = view.snapshots(kind, from, PageSize::of(usize::MAX))?;
                for record in &page.items {
                    let list = self.get(record.imported.records).ok();
                    let chunks = list.and_then(|bytes| read_list(&bytes));
                    for digest in chunks.map(|(_, chunks)| chunks).unwrap_or_default() {
                        if !self.ledger.blobs().contains(&digest)? {
                            missing.insert(digest);
                        }
                    }
                }
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(missing)
    }
}

fn list(whole: BlobDigest, chunks: &[BlobDigest]) -> Vec<u8> {
    let mut out = Vec::with_capacity(160 + chunks.len() * 74);
    let mut object = ObjectWriter::new(&mut out);
    let mut array = ArrayWriter::new(object.member("chunks"));
    for chunk in chunks {
        write_hash(array.item(), chunk.as_bytes());
    }
    array.end();
    object.hash("digest", whole.as_bytes());
    object.text("schema", CHUNKS_SCHEMA);
    object.end();
    out
}

/// The file's digest and its chunks; `None` for bytes that are no list.
pub(super) fn read_list(bytes: &[u8]) -> Option<(BlobDigest, Vec<BlobDigest>)> {
    let value = parse_canonical(bytes).ok()?;
    let mut fields = Fields::of_schema(&value, CHUNKS_SCHEMA).ok()?;
    let digest = |item: &Value| item.as_str()?.parse().ok();
    let chunks: Option<Vec<_>> = fields.array("chunks").ok()?.iter().map(digest).collect();
    let whole = fields.parsed("digest", "an id").ok()?;
    fields.finish().ok()?;
    Some((whole, chunks?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_and_a_records_file_is_none() {
        let chunks = [1, 2, 1].map(|byte| BlobDigest::new([byte; 32]));
        let whole = BlobDigest::new([9; 32]);
        let bytes = list(whole, &chunks);
        assert_eq!(read_list(&bytes), Some((whole, chunks.to_vec())));
        assert_eq!(read_list(b"stella.snapshot-records/v1\n"), None);
        assert_eq!(read_list(&bytes[..bytes.len() - 1]), None);
    }
}
