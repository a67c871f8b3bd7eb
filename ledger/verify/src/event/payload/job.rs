//! Work on many scans: its start, its results, its end.

use super::PayloadError;
use crate::hash::{BlobDigest, PolicyHash, ProofRoot, SnapshotHash};
use crate::json::{
    ArrayWriter, FieldError, Fields, ObjectWriter, SafeInteger, Value, parse_canonical,
};
use crate::units::BasisPoints;
use alloc::string::String;
use alloc::vec::Vec;

const STARTED_SCHEMA: &str = "stella.job-started/v1";
const PROGRESS_SCHEMA: &str = "stella.job-progress/v1";
const CANCELLED_SCHEMA: &str = "stella.job-cancelled/v1";
const ENDED_SCHEMA: &str = "stella.job-ended/v1";

/// `job.started`: a batch of replays is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStarted {
    /// The job's name; its results stand in stream `job/<name>`.
    pub job: String,
    /// SHA-256 of the request as it was asked, so that a repetition is told from another request.
    pub asked: BlobDigest,
    /// The scans: a blob of their names, each followed by a line feed.
    pub scans: BlobDigest,
    /// How many scans.
    pub count: u32,
    /// Feed snapshot; `None` for each scan's own.
    pub concelier: Option<SnapshotHash>,
    /// VEX snapshot; `None` for each scan's own.
    pub excititor: Option<SnapshotHash>,
    /// Policy; `None` for each scan's own.
    pub policy: Option<PolicyHash>,
    /// Whether scans for which nothing changed are computed, too.
    pub recompute: bool,
    /// Replays at once.
    pub concurrency: u32,
}

impl JobStarted {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(640);
        let mut object = ObjectWriter::new(&mut out);
        object.hash("asked", self.asked.as_bytes());
        if let Some(hash) = &self.concelier {
            object.hash("concelier", hash.as_bytes());
        }
        object.integer("concurrency", self.concurrency.into());
        object.integer("count", self.count.into());
        if let Some(hash) = &self.excititor {
            object.hash("excititor", hash.as_bytes());
        }
        object.text("job", &self.job);
        if let Some(hash) = &self.policy {
            object.hash("policy", hash.as_bytes());
        }
        object.boolean("recompute", self.recompute);
        object.hash("scans", self.scans.as_bytes());
        object.text("schema", STARTED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, STARTED_SCHEMA)?;
        let payload = Self {
            job: fields.text("job")?.into(),
            asked: fields.parsed("asked", "an id")?,
            scans: fields.parsed("scans", "an id")?,
            count: fields.integer_as("count")?,
            concelier: fields.optional_parsed("concelier", "an id")?,
            excititor: fields.optional_parsed("excititor", "an id")?,
            policy: fields.optional_parsed("policy", "an id")?,
            recompute: fields.boolean("recompute")?,
            concurrency: fields.integer_as("concurrency")?,
        };
        fields.finish()?;
        Ok(payload)
    }
}

/// How one scan of a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// It was replayed, or seen to be unchanged.
    Replayed {
        /// `computed`, `verified` or `unchanged`.
        how: String,
        /// The root that holds now.
        root: ProofRoot,
        /// Score of the scan's first computation.
        before: BasisPoints,
        /// Score now.
        after: BasisPoints,
    },
    /// It could not be replayed.
    Failed {
        /// The reason's public name.
        code: String,
        /// One sentence.
        message: String,
    },
}

/// What came of one scan of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// The scan, as it was asked for.
    pub scan: String,
    /// How it ended.
    pub outcome: JobOutcome,
}

/// `job.progress`: results, each scan's once in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobProgress {
    /// The job.
    pub job: String,
    /// The results, in the order in which they came.
    pub results: Vec<JobResult>,
}

impl JobProgress {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.results.len() * 200);
        let mut object = ObjectWriter::new(&mut out);
        object.text("job", &self.job);
        let mut results = ArrayWriter::new(object.member("results"));
        for result in &self.results {
            write_result(results.item(), result);
        }
        results.end();
        object.text("schema", PROGRESS_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, PROGRESS_SCHEMA)?;
        let results = fields.array("results")?.iter().map(read_result);
        let payload = Self {
            results: results.collect::<Result<_, _>>()?,
            job: fields.text("job")?.into(),
        };
        fields.finish()?;
        Ok(payload)
    }
}

fn write_result(out: &mut Vec<u8>, result: &JobResult) {
    let bps = |score: &BasisPoints| SafeInteger::new(score.get()).unwrap_or(SafeInteger::ZERO);
    let mut object = ObjectWriter::new(out);
    match &result.outcome {
        JobOutcome::Replayed {
            how,
            root,
            before,
            after,
        } => {
            object.integer("afterBps", bps(after));
            object.integer("beforeBps", bps(before));
            object.hash("rootHash", root.as_bytes());
            object.text("scanId", &result.scan);
            object.text("status", how);
        }
        JobOutcome::Failed { code, message } => {
            object.text("code", code);
            object.text("message", message);
            object.text("scanId", &result.scan);
            object.text("status", "failed");
        }
    }
    object.end();
}

fn read_result(value: &Value) -> Result<JobResult, PayloadError> {
    let object = value
        .as_object()
        .ok_or_else(|| FieldError::value("results", "objects"))?;
    let mut fields = Fields::new(object);
    let scan = fields.text("scanId")?.into();
    let outcome = match fields.text("status")? {
        "failed" => JobOutcome::Failed {
            code: fields.text("code")?.into(),
            message: fields.text("message")?.into(),
        },
        how @ ("computed" | "verified" | "unchanged") => JobOutcome::Replayed {
            how: how.into(),
            root: fields.parsed("rootHash", "an id")?,
            before: BasisPoints::new(fields.integer("beforeBps")?.get()),
            after: BasisPoints::new(fields.integer("afterBps")?.get()),
        },
        _ => {
            let words = "computed, verified, unchanged or failed";
            return Err(FieldError::value("status", words).into());
        }
    };
    fields.finish()?;
    Ok(JobResult { scan, outcome })
}

/// `job.cancelled`: what was not begun is not to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCancelled {
    /// The job.
    pub job: String,
}

impl JobCancelled {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        let mut object = ObjectWriter::new(&mut out);
        object.text("job", &self.job);
        object.text("schema", CANCELLED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, CANCELLED_SCHEMA)?;
        let job = fields.text("job")?.into();
        fields.finish()?;
        Ok(Self { job })
    }
}

/// `job.ended`: nothing more will be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnded {
    /// The job.
    pub job: String,
    /// Whether scans were left because it was cancelled.
    pub cancelled: bool,
}

impl JobEnded {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(112);
        let mut object = ObjectWriter::new(&mut out);
        object.boolean("cancelled", self.cancelled);
        object.text("job", &self.job);
        object.text("schema", ENDED_SCHEMA);
        object.end();
        out
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PayloadError> {
        let value = parse_canonical(bytes)?;
        let mut fields = Fields::of_schema(&value, ENDED_SCHEMA)?;
        let payload = Self {
            cancelled: fields.boolean("cancelled")?,
            job: fields.text("job")?.into(),
        };
        fields.finish()?;
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn reads_back<T: PartialEq + core::fmt::Debug>(
        payload: &T,
        bytes: &[u8],
        parse: fn(&[u8]) -> Result<T, PayloadError>,
    ) {
        assert_eq!(parse(bytes).as_ref(), Ok(payload));
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let other = text.replace("/v1\"", "/v2\"");
        assert!(parse(other.as_bytes()).is_err(), "another schema");
        let more = text.replacen("{\"", "{\"AAA\":1,\"", 1);
        assert!(parse(more.as_bytes()).is_err(), "another member");
    }

    #[test]
    fn what_is_written_reads_back_and_nothing_else() {
        let job = String::from("batch-00");
        let started = JobStarted {
            job: job.clone(),
            asked: BlobDigest::new([1; 32]),
            scans: BlobDigest::new([2; 32]),
            count: 2,
            concelier: Some(SnapshotHash::new([3; 32])),
            excititor: None,
            policy: Some(PolicyHash::new([4; 32])),
            recompute: true,
            concurrency: 4,
        };
        reads_back(&started, &started.to_bytes(), JobStarted::parse);
        let replayed = JobOutcome::Replayed {
            how: "unchanged".into(),
            root: ProofRoot::new([5; 32]),
            before: BasisPoints::new(10),
            after: BasisPoints::new(-3),
        };
        let failed = JobOutcome::Failed {
            code: "SCAN_NOT_FOUND".into(),
            message: "no".into(),
        };
        let results = [replayed, failed].map(|outcome| JobResult {
            scan: "scan-1".into(),
            outcome,
        });
        let progress = JobProgress {
            job: job.clone(),
            results: vec![results[0].clone(), results[1].clone()],
        };
        reads_back(&progress, &progress.to_bytes(), JobProgress::parse);
        let cancelled = JobCancelled { job: job.clone() };
        reads_back(&cancelled, &cancelled.to_bytes(), JobCancelled::parse);
        let ended = JobEnded {
            job,
            cancelled: true,
        };
        reads_back(&ended, &ended.to_bytes(), JobEnded::parse);
    }
}
