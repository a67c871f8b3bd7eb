//! What the log tells whoever measures it. The log keeps no figures beyond its own counters.

use std::time::Duration;
use stella_verify::units::TreeSize;

/// Hears of commits, on the thread that committed and with the right to write in its hand: it must
/// be quick, and must neither append nor read.
pub trait LogObserver: Send + Sync + std::fmt::Debug {
    /// A frame became durable.
    fn committed(&self, commit: &CommitSample);
}

/// One commit: one write and one `fdatasync`.
#[derive(Debug, Clone, Copy)]
pub struct CommitSample {
    /// Leaves of its frame.
    pub leaves: u64,
    /// Bytes of its frame, whole blocks.
    pub bytes: u64,
    /// How long the `fdatasync` took.
    pub sync: Duration,
    /// The tree that it published.
    pub size: TreeSize,
}

/// Nobody measures.
impl LogObserver for () {
    fn committed(&self, _: &CommitSample) {}
}
