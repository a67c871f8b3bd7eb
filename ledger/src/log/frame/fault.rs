//! What can be wrong with a frame.

/// What is wrong with bytes that should be a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The first bytes are not a frame header.
    #[error("no frame header")]
    Magic,
    /// The frame is another log's or another segment's.
    #[error("the frame belongs elsewhere")]
    Elsewhere,
    /// It does not start at the leaf where the previous one ended.
    #[error("the frame does not start at the next leaf index")]
    Discontinuous,
    /// It does not name the previous frame's hash.
    #[error("the frame is not chained to the previous one")]
    Unchained,
    /// Section lengths contradict each other or the file.
    #[error("the frame's lengths are wrong")]
    Lengths,
    /// The directory contradicts the sections.
    #[error("the frame's directory is wrong")]
    Directory,
    /// BLAKE3 over the frame differs.
    #[error("the frame's hash is wrong")]
    Hash,
    /// Bytes after the frame's end, in its last block, are not zeros.
    #[error("the frame's padding is not zeros")]
    Padding,
    /// The checkpoint is not UTF-8.
    #[error("the frame's checkpoint is not text")]
    CheckpointText,
    /// An admission record cannot be read.
    #[error("the frame's admission records are wrong")]
    Admission,
}
