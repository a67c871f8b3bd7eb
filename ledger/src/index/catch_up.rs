//! Folding a stretch of the log: digested by several threads, absorbed in order by one.
//!
//! Reading, hashing and parsing events is most of the work and depends on nothing but the events,
//! so each worker digests every n-th step of the stretch and hands its digests over in order. A
//! worker is at most a few steps ahead, which bounds memory.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use stella_verify::hash::RootHash;
use stella_verify::merkle::{LeafRange, TreeHead};
use stella_verify::units::{LeafIndex, TreeSize};

use super::fold::Fold;
use super::kv::StoreError;
use super::source::{EventSource, SourceError};
use crate::limits::INDEX_STEP_LEAVES;
use crate::projection::Digest;

/// Digests that a worker may finish before they are absorbed.
const STEPS_AHEAD: usize = 2;

/// Why folding stopped.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FoldError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The fold's root is not the log's: the log changed under it, or a fault here.
    #[error("the fold of {0} leaves has another root than the log")]
    Root(TreeSize),
    /// It was asked to stop.
    #[error("the fold was stopped")]
    Stopped,
}

/// How a fold is watched and stopped.
pub trait FoldProgress: Sync {
    /// Called once, before the first step, with the size to reach.
    fn to_do(&self, _: TreeSize) {}

    /// Called after each step with the size reached.
    fn applied(&self, size: TreeSize);

    /// Whether to stop before the next step.
    fn stopped(&self) -> bool {
        false
    }
}

impl FoldProgress for () {
    fn applied(&self, _: TreeSize) {}
}

/// How many threads digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers(pub usize);

impl Workers {
    /// One for each core, at most eight: absorbing is one thread's work and keeps up with few more.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self(thread::available_parallelism().map_or(1, |cores| cores.get().min(8)))
    }
}

/// Folds the log up to a published head, committing every complete window, and compares the root.
///
/// # Errors
/// [`FoldError`]; what was absorbed stays absorbed.
pub fn catch_up(
    fold: &Fold,
    source: &dyn EventSource,
    to: TreeHead<RootHash>,
    workers: Workers,
    progress: &dyn FoldProgress,
) -> Result<(), FoldError> {
    let steps = steps(fold.applied(), to.size);
    if steps.len() <= 1 || workers.0 <= 1 {
        for step in steps {
            absorb(fold, digest(source, step)?, to, progress)?;
        }
    } else {
        in_parallel(fold, source, to, &steps, workers, progress)?;
    }
    // The fold may be ahead of an older head; then that was compared before.
    if fold
        .head()
        .is_some_and(|head| head.size == to.size && head.root != to.root)
    {
        return Err(FoldError::Root(to.size));
    }
    Ok(())
}

fn in_parallel(
    fold: &Fold,
    source: &dyn EventSource,
    to: TreeHead<RootHash>,
    steps: &[LeafRange],
    workers: Workers,
    progress: &dyn FoldProgress,
) -> Result<(), FoldError> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut receivers = Vec::new();
        for worker in 0..workers.0.min(steps.len()) {
            let (send, receive) = sync_channel(STEPS_AHEAD);
            receivers.push(receive);
            let mine = steps.iter().copied().skip(worker).step_by(workers.0);
            let stop = &stop;
            scope.spawn(move || work(source, mine, &send, stop));
        }
        let handed = receivers.iter().cycle().take(steps.len());
        let result = absorb_all(fold, handed, to, progress);
        // Workers that wait to hand over see the receivers go; the others see the flag.
        stop.store(true, Ordering::Relaxed);
        drop(receivers);
        result
    })
}

type Handed = Result<Digest, SourceError>;

fn work(
    source: &dyn EventSource,
    steps: impl Iterator<Item = LeafRange>,
    send: &SyncSender<Handed>,
    stop: &AtomicBool,
) {
    for step in steps {
        if stop.load(Ordering::Relaxed) || send.send(digest(source, step)).is_err() {
            return;
        }
    }
}

fn absorb_all<'a>(
    fold: &Fold,
    handed: impl Iterator<Item = &'a Receiver<Handed>>,
    to: TreeHead<RootHash>,
    progress: &dyn FoldProgress,
) -> Result<(), FoldError> {
    for receive in handed {
        // A worker that is gone without an answer has panicked; that is a fault here.
        let digest = receive.recv().map_err(|_| FoldError::Stopped)??;
        absorb(fold, digest, to, progress)?;
    }
    Ok(())
}

fn absorb(
    fold: &Fold,
    digest: Digest,
    to: TreeHead<RootHash>,
    progress: &dyn FoldProgress,
) -> Result<(), FoldError> {
    if progress.stopped() {
        return Err(FoldError::Stopped);
    }
    fold.absorb(digest)?;
    let applied = fold.applied();
    if applied == fold.window_end() {
        fold.commit(to)?;
    }
    progress.applied(applied);
    Ok(())
}

/// The stretch in steps that end at multiples of the step, so that none crosses a window.
fn steps(from: TreeSize, to: TreeSize) -> Vec<LeafRange> {
    let mut steps = Vec::new();
    let mut start = from.get();
    while start < to.get() {
        let end = (start - start % INDEX_STEP_LEAVES + INDEX_STEP_LEAVES).min(to.get());
        steps.push(LeafRange {
            start: LeafIndex::new(start),
            end: LeafIndex::new(end),
        });
        start = end;
    }
    steps
}

fn digest(source: &dyn EventSource, range: LeafRange) -> Result<Digest, SourceError> {
    let mut digest = Digest::starting_at(range.start);
    source.visit(range, &mut |event| {
        digest.push(&event);
        ControlFlow::Continue(())
    })?;
    if digest.end() == range.end {
        digest.sort();
        Ok(digest)
    } else {
        Err(SourceError::new(ShortRead))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a published range came back short")]
struct ShortRead;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_stretch_and_end_with_the_windows() {
        let found = steps(TreeSize::new(100), TreeSize::new(2 * INDEX_STEP_LEAVES + 1));
        let ends: Vec<u64> = found.iter().map(|step| step.end.get()).collect();
        assert_eq!(
            ends,
            [
                INDEX_STEP_LEAVES,
                2 * INDEX_STEP_LEAVES,
                2 * INDEX_STEP_LEAVES + 1
            ]
        );
        assert_eq!(found[0].start.get(), 100);
        assert!(steps(TreeSize::new(5), TreeSize::new(5)).is_empty());
    }
}
