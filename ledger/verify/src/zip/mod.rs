//! Strict ZIP: the same content is the same bytes (FORMATS.md section 9).
//!
//! A small subset of ZIP (APPNOTE.TXT 6.3) in which nothing is left to choose: entries stored and
//! sorted bytewise by name, every header field fixed, no extra fields, comments, descriptors,
//! directories or ZIP64. The reader walks the local headers from the start, takes entries as slices
//! of the input, allocates by what it has seen rather than by what a header claims, and compares the
//! central directory with the one it would have written: an archive with a second reading (two
//! entries of one name, data between entries, sizes that disagree) is refused.

mod layout;

use crate::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_ENTRIES, MAX_BUNDLE_NAME_BYTES};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use layout::{Header, Reader};

/// Why an archive was not written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZipError {
    /// Larger than [`MAX_BUNDLE_BYTES`].
    #[error("an archive has at most {MAX_BUNDLE_BYTES} bytes")]
    TooLarge,
    /// More entries than [`MAX_BUNDLE_ENTRIES`].
    #[error("an archive has at most {MAX_BUNDLE_ENTRIES} entries")]
    TooManyEntries,
    /// A name is not a plain relative path.
    #[error("entry name {name:?} is not 1-255 printable ASCII characters of a plain relative path")]
    Name {
        /// The name, with other characters replaced.
        name: String,
    },
    /// Two entries have one name, or a name stands before a lesser one.
    #[error("entry {name:?} is repeated or out of order; names are sorted bytewise")]
    Order {
        /// The later entry.
        name: String,
    },
    /// The archive ends inside an entry or before its directory.
    #[error("the archive ends too early, at byte {offset}")]
    Truncated {
        /// Where more was expected.
        offset: usize,
    },
    /// A header field is not what the format fixes it to.
    #[error("the entry header at byte {offset} differs from the one form this format has")]
    Header {
        /// Where the header begins.
        offset: usize,
    },
    /// An entry's content was changed.
    #[error("entry {name:?} does not match its checksum")]
    Checksum {
        /// The entry.
        name: String,
    },
    /// The central directory is not the one that these entries have, or something follows it.
    #[error("the directory at byte {offset} differs from what the entries say")]
    Directory {
        /// The first byte that differs.
        offset: usize,
    },
}

/// One entry of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZipEntry<'a> {
    /// Its name: a relative path with `/`.
    pub name: &'a str,
    /// Its content.
    pub content: &'a [u8],
}

/// Writes an archive; entries may be given in any order.
///
/// # Errors
/// [`ZipError`]: a name is no plain path or occurs twice, or a bound is passed.
pub fn write(entries: &[ZipEntry<'_>]) -> Result<Vec<u8>, ZipError> {
    if entries.len() > MAX_BUNDLE_ENTRIES {
        return Err(ZipError::TooManyEntries);
    }
    let mut sorted: Vec<ZipEntry<'_>> = entries.to_vec();
    sorted.sort_by_key(|entry| entry.name);
    let mut last = None;
    for entry in &sorted {
        check_name(entry.name.as_bytes(), last)?;
        last = Some(entry.name);
    }
    let size = layout::archive_size(&sorted).filter(|size| *size <= MAX_BUNDLE_BYTES);
    let mut out = Vec::with_capacity(size.ok_or(ZipError::TooLarge)?);
    let mut headers = Vec::with_capacity(sorted.len());
    for entry in sorted {
        let header = Header::of(entry, out.len()).ok_or(ZipError::TooLarge)?;
        header.write_local(&mut out);
        out.extend_from_slice(entry.content);
        headers.push(header);
    }
    layout::write_directory(&headers, &mut out);
    Ok(out)
}

/// Reads an archive that [`write()`] could have written, and no other.
///
/// # Errors
/// [`ZipError`] names the first difference.
pub fn read(bytes: &[u8]) -> Result<Vec<ZipEntry<'_>>, ZipError> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(ZipError::TooLarge);
    }
    let mut reader = Reader::new(bytes);
    let mut entries: Vec<ZipEntry<'_>> = Vec::new();
    let mut headers = Vec::new();
    while reader.at_local_header() {
        if entries.len() == MAX_BUNDLE_ENTRIES {
            return Err(ZipError::TooManyEntries);
        }
        let offset = reader.offset();
        let (claimed, name, content) = reader.local()?;
        let name = check_name(name, entries.last().map(|entry| entry.name))?;
        let entry = ZipEntry { name, content };
        let header = Header::of(entry, offset).ok_or(ZipError::TooLarge)?;
        if claimed != header.checksum() {
            return Err(ZipError::Checksum {
                name: name.to_string(),
            });
        }
        entries.push(entry);
        headers.push(header);
    }
    let mut directory = Vec::new();
    layout::write_directory(&headers, &mut directory);
    let (start, found) = (reader.offset(), reader.rest());
    if found == directory {
        return Ok(entries);
    }
    if directory.starts_with(found) {
        return Err(ZipError::Truncated {
            offset: bytes.len(),
        });
    }
    let same = found
        .iter()
        .zip(&directory)
        .take_while(|(left, right)| left == right)
        .count();
    Err(ZipError::Directory {
        offset: start + same,
    })
}

/// A name must be a plain relative path, greater than the one before it.
fn check_name<'a>(name: &'a [u8], last: Option<&str>) -> Result<&'a str, ZipError> {
    let refuse = || ZipError::Name {
        name: String::from_utf8_lossy(name).into_owned(),
    };
    let printable = name
        .iter()
        .all(|byte| (b'!'..=b'~').contains(byte) && *byte != b'\\');
    let text = core::str::from_utf8(name).map_err(|_| refuse())?;
    let plain = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !printable || !plain || name.len() > MAX_BUNDLE_NAME_BYTES {
        return Err(refuse());
    }
    if last.is_some_and(|last| last >= text) {
        return Err(ZipError::Order {
            name: text.to_string(),
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
