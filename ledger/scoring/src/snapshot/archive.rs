//! ZIP archives of records, such as `all.zip` of osv.dev, read within bounds.

use std::io::{Cursor, Read as _};

use crate::limits::{MAX_ADVISORY_BYTES, MAX_ARCHIVE_BYTES, MAX_ARCHIVE_ENTRIES, MAX_RATIO};

/// Why an archive as a whole could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not a ZIP archive, or its directory is damaged.
    #[error("not a whole ZIP archive: {0}")]
    Damaged(Box<str>),
    /// More than [`MAX_ARCHIVE_ENTRIES`] entries.
    #[error("an archive has at most {MAX_ARCHIVE_ENTRIES} entries")]
    Entries,
    /// More than [`MAX_ARCHIVE_BYTES`] after decompression.
    #[error("an archive holds at most {MAX_ARCHIVE_BYTES} bytes, decompressed")]
    Size,
}

/// Why one entry could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EntryError {
    #[error("damaged archive entry: {0}")]
    Damaged(Box<str>),
    #[error("larger than {MAX_ADVISORY_BYTES} bytes, decompressed")]
    Size,
    #[error("compressed more than {MAX_RATIO} to one")]
    Ratio,
}

/// Whether bytes begin as a ZIP archive does.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Calls `visit` with each file's name and bytes, in the archive's order.
pub(super) fn read(
    bytes: &[u8],
    mut visit: impl FnMut(&str, Result<Vec<u8>, EntryError>),
) -> Result<(), ArchiveError> {
    let damaged = |error: zip::result::ZipError| ArchiveError::Damaged(error.to_string().into());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > MAX_ARCHIVE_ENTRIES {
        return Err(ArchiveError::Entries);
    }
    let mut total = 0_usize;
    for index in 0..archive.len() {
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                visit(
                    &format!("entry {index}"),
                    Err(EntryError::Damaged(error.to_string().into())),
                );
                continue;
            }
        };
        if entry.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let content = read_entry(&mut entry);
        total = total.saturating_add(content.as_ref().map_or(0, Vec::len));
        if total > MAX_ARCHIVE_BYTES {
            return Err(ArchiveError::Size);
        }
        visit(&name, content);
    }
    Ok(())
}

/// The declared sizes are an attacker's to choose: what is read is counted.
fn read_entry(entry: &mut zip::read::ZipFile<'_, Cursor<&[u8]>>) -> Result<Vec<u8>, EntryError> {
    let bound = u64::try_from(MAX_ADVISORY_BYTES).unwrap_or(u64::MAX);
    let packed = entry.compressed_size();
    let ratio = u64::try_from(MAX_RATIO).unwrap_or(u64::MAX);
    // Small files compress well for honest reasons.
    let most = packed.saturating_mul(ratio).max(64 * 1024).min(bound);
    let mut content = Vec::new();
    entry
        .take(most.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|error| EntryError::Damaged(error.to_string().into()))?;
    let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
    if size > most {
        return Err(if most == bound {
            EntryError::Size
        } else {
            EntryError::Ratio
        });
    }
    Ok(content)
}
