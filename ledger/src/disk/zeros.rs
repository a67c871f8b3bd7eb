//! Files full of zeros.
//!
//! A file system that can reserve space gives zeros for nothing. Written out they cost as many bytes
//! as the frames that will replace them, and beside the frames before: a segment's worth in the
//! disk's queue kept commits waiting for milliseconds and halved what large ones reached. The price of
//! reserved space is paid by the first sync after a write into it, which has to commit the file
//! system's journal; the log makes small frames share it (`log/space.rs`).

use super::{ByteLength, ByteOffset, DiskFile};
use std::fs::File;
use std::io;

/// Bytes written at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// Gives an empty file its length and its space. `false`: the file system cannot, the file is as it
/// was.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, length: ByteLength) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::empty(), 0, length.0) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives an empty file its length and its space: not on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn reserve(_: &File, _: ByteLength) -> io::Result<bool> {
    Ok(false)
}

/// Writes zeros.
pub(super) fn write(file: &dyn DiskFile, length: ByteLength) -> io::Result<()> {
    let zeros = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < length.0 {
        let left = usize::try_from(length.0 - at).unwrap_or(usize::MAX);
        let piece = zeros.get(..left).unwrap_or(&zeros);
        file.write_at(piece, ByteOffset(at))?;
        at += u64::try_from(piece.len()).map_err(io::Error::other)?;
    }
    Ok(())
}
