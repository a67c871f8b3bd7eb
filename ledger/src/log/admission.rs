//! What the sequencer remembers: request ids, stream heads, names, erased leaves.
//!
//! Three generations: `active` for the segment being filled, `sealing` for the full one whose run
//! is being written, and the runs of all sealed segments. Entries only ever move from left to
//! right, so a caller may ask the runs beforehand, on its own thread, and the sequencer then asks
//! only what is younger than that.

use super::fault::StoreFault;
use super::index::FrameIndex;
use super::record::{NameKey, Record, RequestKey, StreamKey};
use super::request::StreamHead;
use super::run::{RequestEntry, Run, RunContent};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use stella_verify::units::{LeafIndex, UnixMillis};

/// What one segment added.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) requests: HashMap<RequestKey, RequestEntry>,
    pub(crate) streams: HashMap<StreamKey, StreamHead>,
    pub(crate) names: HashMap<NameKey, LeafIndex>,
    pub(crate) erased: BTreeMap<LeafIndex, LeafIndex>,
}

impl Memory {
    /// Takes up one record of a frame; `time` is the frame's.
    pub(crate) fn apply(&mut self, record: &Record, time: UnixMillis) {
        match *record {
            Record::Request {
                key,
                body,
                first,
                count,
            } => {
                let entry = RequestEntry {
                    body,
                    first,
                    count,
                    time,
                };
                self.requests.insert(key, entry);
            }
            Record::Name { key, at } => {
                self.names.insert(key, at);
            }
            Record::Erased { leaf, by } => {
                self.erased.insert(leaf, by);
            }
        }
    }

    /// The content of the run that will stand for this segment. Sorted, so that the same frames
    /// always give the same bytes.
    pub(crate) fn to_run(&self, frames: &FrameIndex) -> RunContent {
        let mut content = RunContent {
            requests: self.requests.iter().map(|(k, v)| (*k, *v)).collect(),
            streams: self.streams.iter().map(|(k, v)| (*k, *v)).collect(),
            names: self.names.iter().map(|(k, v)| (*k, *v)).collect(),
            erased: self.erased.iter().map(|(k, v)| (*k, *v)).collect(),
            frames: frames.marks().to_vec(),
        };
        content.requests.sort_unstable_by_key(|(key, _)| *key);
        content.streams.sort_unstable_by_key(|(key, _)| *key);
        content.names.sort_unstable_by_key(|(key, _)| *key);
        content
    }
}

/// The runs of all sealed segments, oldest first.
pub(crate) type Runs = Arc<Vec<Arc<Run>>>;

/// What the runs knew when a caller asked them, and how many there were.
#[derive(Debug, Default)]
pub(crate) struct Older {
    asked: usize,
    pub(crate) request: Option<RequestEntry>,
    pub(crate) streams: Vec<Option<StreamHead>>,
    pub(crate) names: Vec<Option<LeafIndex>>,
}

impl Older {
    pub(crate) fn ask(
        runs: &Runs,
        request: Option<&RequestKey>,
        streams: &[StreamKey],
        names: &[NameKey],
    ) -> Result<Self, StoreFault> {
        if runs.is_empty() {
            return Ok(Self::default());
        }
        let request = match request {
            Some(key) => newest(runs, |run| run.request(key))?,
            None => None,
        };
        Ok(Self {
            asked: runs.len(),
            request,
            streams: streams
                .iter()
                .map(|key| newest(runs, |run| run.stream(key)))
                .collect::<Result<_, _>>()?,
            names: names
                .iter()
                .map(|key| newest(runs, |run| run.name(key)))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The whole admission state.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) active: Memory,
    sealing: Option<Arc<Memory>>,
    runs: Runs,
}

impl Admission {
    pub(crate) fn new(active: Memory, runs: Vec<Arc<Run>>) -> Self {
        Self {
            active,
            sealing: None,
            runs: Arc::new(runs),
        }
    }

    pub(crate) fn runs(&self) -> Runs {
        Arc::clone(&self.runs)
    }

    /// Starts a new segment; gives what the full one's run must hold.
    pub(crate) fn rotate(&mut self) -> Arc<Memory> {
        let full = Arc::new(std::mem::take(&mut self.active));
        self.sealing = Some(Arc::clone(&full));
        full
    }

    /// The full segment's run is durable: it takes over from memory.
    pub(crate) fn sealed(&mut self, run: Run) {
        Arc::make_mut(&mut self.runs).push(Arc::new(run));
        self.sealing = None;
    }

    pub(crate) fn request(
        &self,
        key: &RequestKey,
        older: &Older,
    ) -> Result<Option<RequestEntry>, StoreFault> {
        if let Some(found) = self.in_memory(|memory| memory.requests.get(key)) {
            return Ok(Some(*found));
        }
        let younger = newest(self.since(older), |run| run.request(key))?;
        Ok(younger.or(older.request))
    }

    /// `place` is the stream's place among those the caller asked the runs about.
    pub(crate) fn stream(
        &self,
        key: &StreamKey,
        older: &Older,
        place: usize,
    ) -> Result<Option<StreamHead>, StoreFault> {
        if let Some(found) = self.in_memory(|memory| memory.streams.get(key)) {
            return Ok(Some(*found));
        }
        let younger = newest(self.since(older), |run| run.stream(key))?;
        Ok(younger.or(older.streams.get(place).copied().flatten()))
    }

    /// `place` as in [`Admission::stream`].
    pub(crate) fn name(
        &self,
        key: &NameKey,
        older: &Older,
        place: usize,
    ) -> Result<Option<LeafIndex>, StoreFault> {
        if let Some(found) = self.in_memory(|memory| memory.names.get(key)) {
            return Ok(Some(*found));
        }
        let younger = newest(self.since(older), |run| run.name(key))?;
        Ok(younger.or(older.names.get(place).copied().flatten()))
    }

    /// The retention event that names a leaf.
    pub(crate) fn erased(&self, leaf: LeafIndex) -> Result<Option<LeafIndex>, StoreFault> {
        if let Some(found) = self.in_memory(|memory| memory.erased.get(&leaf)) {
            return Ok(Some(*found));
        }
        newest(&self.runs, |run| run.erased(leaf))
    }

    /// All erased leaves, with the retention event of each.
    pub(crate) fn all_erased(&self) -> Result<BTreeMap<LeafIndex, LeafIndex>, StoreFault> {
        let mut all = BTreeMap::new();
        for run in self.runs.iter().filter(|run| run.has_erased()) {
            all.extend(run.all_erased()?);
        }
        if let Some(sealing) = &self.sealing {
            all.extend(&sealing.erased);
        }
        all.extend(&self.active.erased);
        Ok(all)
    }

    fn in_memory<'a, T>(&'a self, get: impl Fn(&'a Memory) -> Option<&'a T>) -> Option<&'a T> {
        get(&self.active).or_else(|| get(self.sealing.as_deref()?))
    }

    fn since(&self, older: &Older) -> &[Arc<Run>] {
        self.runs.get(older.asked..).unwrap_or_default()
    }
}

/// The answer of the youngest run that has one.
fn newest<T>(
    runs: &[Arc<Run>],
    ask: impl Fn(&Run) -> Result<Option<T>, StoreFault>,
) -> Result<Option<T>, StoreFault> {
    for run in runs.iter().rev() {
        if let Some(found) = ask(run)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
