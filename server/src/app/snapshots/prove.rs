//! Proving what a snapshot holds, and what it does not.

use super::{current_feed_in, damaged};
use crate::app::App;
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_scoring::purl::Purl;
use stella_scoring::snapshot::{LoadedRows, name_questions, package_questions, row_question};
use stella_verify::hash::{BlobDigest, SnapshotHash};
use stella_verify::limits::{MAX_SNAPSHOT_PROOF_ANSWERS, MAX_SNAPSHOT_PROOF_BYTES};
use stella_verify::snapshot::{Answer, Question, answer, write_snapshot_proof};
use wire::prove_snapshot_request::Subject;

impl App {
    /// A proof file of all rows of a snapshot for a subject.
    pub(crate) fn prove_snapshot(
        &self,
        request: &wire::ProveSnapshotRequest,
    ) -> Result<Vec<u8>, Refusal> {
        let view = self.view_of(request.tree_size)?;
        let hash: SnapshotHash = if request.hash.is_empty() {
            current_feed_in(&view)?
        } else {
            (request.hash.parse()).map_err(|problem| Refusal::field("hash", problem))?
        };
        let records = self.records_at(&view, hash)?;
        let loaded = LoadedRows::load(&records).map_err(|problem| damaged(hash, &problem))?;
        let questions = questions(&loaded, request.subject.as_ref())?;
        if questions.len() > MAX_SNAPSHOT_PROOF_ANSWERS {
            let message = format!("the package stands under {} ecosystems", questions.len());
            return Err(Refusal::new(Reason::TooLarge, message));
        }
        let answers: Vec<Answer> = questions
            .into_iter()
            .map(|question| answer(question, loaded.rows(), loaded.tree()))
            .collect::<Result<_, _>>()
            .map_err(|problem| Refusal::new(Reason::Internal, problem.to_string()))?;
        let mut shown: BTreeMap<BlobDigest, &[u8]> = BTreeMap::new();
        if request.with_records {
            for row in answers.iter().flat_map(|answer| &answer.rows) {
                shown.extend(
                    loaded
                        .record(&row.record)
                        .map(|record| (row.record, record)),
                );
            }
        }
        let proof = write_snapshot_proof(loaded.header(), &answers, &shown);
        if proof.len() > MAX_SNAPSHOT_PROOF_BYTES {
            let message = format!("the proof has {} bytes", proof.len());
            return Err(Refusal::new(Reason::TooLarge, message));
        }
        Ok(proof)
    }
}

fn questions(loaded: &LoadedRows<'_>, subject: Option<&Subject>) -> Result<Vec<Question>, Refusal> {
    match subject {
        None => Err(Refusal::field("subject", "is missing")),
        Some(Subject::Purl(text)) => {
            let purl: Purl = (text.parse()).map_err(|problem| Refusal::field("purl", problem))?;
            package_questions(loaded, &purl).map_err(|problem| Refusal::field("purl", problem))
        }
        Some(Subject::Vulnerability(id)) => Ok(name_questions(loaded, id)),
        Some(Subject::Entry(entry)) => row_question(entry)
            .map(|question| vec![question])
            .map_err(|problem| Refusal::field("entry", problem)),
    }
}
