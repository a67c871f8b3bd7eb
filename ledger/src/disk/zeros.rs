//! Files full of zeros.
//!
//! Zeros have to be written out: syncs into unwritten extents would each commit the file system's
//! journal. Through the page cache that costs the processor a copy of everything, and the sync at
//! its end floods the disk while commits wait for theirs; written directly it costs neither.

use super::{ByteLength, ByteOffset, DiskFile};
use std::io;
use std::path::Path;

/// Bytes written at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// Writes zeros through the page cache.
pub(super) fn write(file: &dyn DiskFile, length: ByteLength) -> io::Result<()> {
    pieces(&vec![0; PIECE_BYTES], length, |zeros, offset| {
        file.write_at(zeros, offset)
    })
}

/// Writes zeros past the page cache into an existing file; an error when the file system cannot,
/// and then part of them may be there.
#[cfg(target_os = "linux")]
pub(super) fn write_directly(path: &Path, length: ByteLength) -> io::Result<()> {
    use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
    /// Alignment that direct writes ask of memory, offsets and lengths, on every disk there is.
    const ALIGNMENT: usize = 4096;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_DIRECT)
        .open(path)?;
    let buffer = vec![0u8; PIECE_BYTES + ALIGNMENT];
    let start = buffer.as_ptr().align_offset(ALIGNMENT);
    let aligned = buffer
        .get(start..start.saturating_add(PIECE_BYTES))
        .ok_or(io::ErrorKind::Unsupported)?;
    pieces(aligned, length, |zeros, offset| {
        file.write_all_at(zeros, offset.0)
    })
}

/// Writes zeros past the page cache: not on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn write_directly(_: &Path, _: ByteLength) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn pieces(
    zeros: &[u8],
    length: ByteLength,
    mut write: impl FnMut(&[u8], ByteOffset) -> io::Result<()>,
) -> io::Result<()> {
    let mut at = 0;
    while at < length.0 {
        let left = usize::try_from(length.0 - at).unwrap_or(usize::MAX);
        let piece = zeros.get(..left).unwrap_or(zeros);
        write(piece, ByteOffset(at))?;
        at += u64::try_from(piece.len()).map_err(io::Error::other)?;
    }
    Ok(())
}
