//! The bytes of the three ZIP records, all but a few fields of which are constant.

use super::{ZipEntry, ZipError};
use alloc::vec::Vec;

/// APPNOTE 4.3.7: "PK" 03 04, version needed 10, flags 0, method 0, time 0, date 0x0021 (1980-01-01,
/// the earliest that is valid).
const LOCAL: [u8; 14] = [b'P', b'K', 3, 4, 10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
/// Bytes of a local header before the name.
const LOCAL_SIZE: usize = 30;
/// APPNOTE 4.3.12: "PK" 01 02, made by 0x0314 (Unix, 2.0), then as in the local header.
const CENTRAL: [u8; 16] = [b'P', b'K', 1, 2, 0x14, 3, 10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
/// Bytes of a central header before the name.
const CENTRAL_SIZE: usize = 46;
/// After the name's length: no extra field, no comment, disk 0, internal attributes 0, external
/// attributes 0x81A40000 (a regular file, mode 0644).
const CENTRAL_TAIL: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xA4, 0x81];
/// APPNOTE 4.3.16: "PK" 05 06, disk 0, directory on disk 0.
const END: [u8; 8] = [b'P', b'K', 5, 6, 0, 0, 0, 0];
/// Bytes of the end record without comment.
const END_SIZE: usize = 22;

/// What an entry's two headers say, besides constants.
pub(super) struct Header<'a> {
    name: &'a str,
    name_size: u16,
    checksum: u32,
    size: u32,
    offset: u32,
}

impl<'a> Header<'a> {
    /// The header of an entry whose local header begins at `offset`; `None` beyond what ZIP without
    /// ZIP64 can say.
    pub(super) fn of(entry: ZipEntry<'a>, offset: usize) -> Option<Self> {
        Some(Self {
            name: entry.name,
            name_size: u16::try_from(entry.name.len()).ok()?,
            checksum: crc32fast::hash(entry.content),
            size: u32::try_from(entry.content.len()).ok()?,
            offset: u32::try_from(offset).ok()?,
        })
    }

    /// CRC-32 of the content (APPNOTE 4.4.7).
    pub(super) const fn checksum(&self) -> u32 {
        self.checksum
    }

    pub(super) fn write_local(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&LOCAL);
        self.write_sizes(out);
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(self.name.as_bytes());
    }

    fn write_central(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&CENTRAL);
        self.write_sizes(out);
        out.extend_from_slice(&CENTRAL_TAIL);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
    }

    /// Checksum, compressed and uncompressed size, length of the name.
    fn write_sizes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.checksum.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&self.name_size.to_le_bytes());
    }
}

/// Appends the central directory and the end record; the directory begins where the last entry ends.
pub(super) fn write_directory(headers: &[Header<'_>], out: &mut Vec<u8>) {
    let start = headers.last().map_or(0, |last| {
        u64::from(last.offset)
            + u64::try_from(LOCAL_SIZE).unwrap_or_default()
            + u64::from(last.name_size)
            + u64::from(last.size)
    });
    let before = out.len();
    for header in headers {
        header.write_central(out);
    }
    // Within their types: MAX_BUNDLE_BYTES and MAX_BUNDLE_ENTRIES were checked before.
    let size = u32::try_from(out.len() - before).unwrap_or(u32::MAX);
    let count = u16::try_from(headers.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&END);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&[0, 0]);
}

/// Bytes of the archive of these entries; `None` beyond `usize`.
pub(super) fn archive_size(entries: &[ZipEntry<'_>]) -> Option<usize> {
    entries.iter().try_fold(END_SIZE, |sum, entry| {
        let names = entry.name.len().checked_mul(2)?;
        sum.checked_add(LOCAL_SIZE + CENTRAL_SIZE)?
            .checked_add(names)?
            .checked_add(entry.content.len())
    })
}

/// Walks the local headers.
pub(super) struct Reader<'a> {
    whole: usize,
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            whole: bytes.len(),
            left: bytes,
        }
    }

    pub(super) const fn offset(&self) -> usize {
        self.whole - self.left.len()
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.left
    }

    /// Whether an entry begins here, rather than the directory.
    pub(super) fn at_local_header(&self) -> bool {
        let signature = LOCAL.get(..4).unwrap_or_default();
        self.left.starts_with(signature)
    }

    /// Takes one entry: the checksum that its header claims, its name and its content.
    pub(super) fn local(&mut self) -> Result<(u32, &'a [u8], &'a [u8]), ZipError> {
        let offset = self.offset();
        let header: &[u8; LOCAL_SIZE] = self
            .take(LOCAL_SIZE)?
            .try_into()
            .map_err(|_| ZipError::Truncated { offset })?;
        let [
            fixed @ ..,
            c0,
            c1,
            c2,
            c3,
            p0,
            p1,
            p2,
            p3,
            s0,
            s1,
            s2,
            s3,
            n0,
            n1,
            x0,
            x1,
        ] = header;
        let (packed, size) = ([p0, p1, p2, p3], [s0, s1, s2, s3]);
        if *fixed != LOCAL || packed != size || [*x0, *x1] != [0, 0] {
            return Err(ZipError::Header { offset });
        }
        let name = self.take(usize::from(u16::from_le_bytes([*n0, *n1])))?;
        let size = u32::from_le_bytes(size.map(|byte| *byte));
        let content = self.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        Ok((u32::from_le_bytes([*c0, *c1, *c2, *c3]), name, content))
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], ZipError> {
        let split = self.left.split_at_checked(size);
        let (taken, left) = split.ok_or(ZipError::Truncated { offset: self.whole })?;
        self.left = left;
        Ok(taken)
    }
}
