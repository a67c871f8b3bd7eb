//! A file per blob: `sha256/<2 hex>/<62 hex>`, each one zstd frame.
//!
//! A blob is written to a temporary file, synced, renamed, and its folder synced; then it is
//! durable. Writing a blob that exists replaces it with equal bytes, which heals a damaged one.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use stella_verify::hash::{BlobDigest, from_hex, to_hex};

use super::{BlobError, BlobLimit, BlobStore, BlobWriter};

/// The folder of whole blobs, named for the hash that names them.
const BLOBS_FOLDER: &str = "sha256";

/// The folder of unfinished ones.
const TEMPORARY_FOLDER: &str = "tmp";

/// zstd's default: 3 to 6 times smaller SBOMs and snapshots at some hundred MB/s.
const COMPRESSION_LEVEL: i32 = 3;

/// Blobs in one folder of the local file system, owned by one process.
#[derive(Debug, Clone)]
pub struct FileBlobs {
    folder: Arc<Path>,
    next_temporary: Arc<AtomicU64>,
}

impl FileBlobs {
    /// Opens the store in `folder`, creating it when absent; removes what an earlier process left
    /// unfinished.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn open(folder: &Path) -> Result<Self, BlobError> {
        let temporary = folder.join(TEMPORARY_FOLDER);
        if temporary.exists() {
            fs::remove_dir_all(&temporary)?;
        }
        fs::create_dir_all(&temporary)?;
        fs::create_dir_all(folder.join(BLOBS_FOLDER))?;
        sync_folder(folder)?;
        Ok(Self {
            folder: folder.into(),
            next_temporary: Arc::new(AtomicU64::new(0)),
        })
    }

    fn path(&self, digest: &BlobDigest) -> PathBuf {
        let hex = to_hex(digest.as_bytes());
        let (first, rest) = hex.split_at(2);
        self.folder.join(BLOBS_FOLDER).join(first).join(rest)
    }

    /// Puts a synced temporary file in its place.
    fn place(&self, temporary: &Path, digest: &BlobDigest) -> io::Result<()> {
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.folder);
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.folder.join(BLOBS_FOLDER))?;
        }
        fs::rename(temporary, &path)?;
        sync_folder(folder)
    }
}

impl BlobStore for FileBlobs {
    fn create(&self, limit: BlobLimit) -> Result<Box<dyn BlobWriter>, BlobError> {
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(TEMPORARY_FOLDER).join(number.to_string());
        let file = File::create_new(&path)?;
        let writer = FileBlobWriter {
            store: self.clone(),
            temporary: Temporary(path),
            encoder: Some(zstd::Encoder::new(file, COMPRESSION_LEVEL)?),
            hasher: Sha256::new(),
            left: limit,
            limit,
        };
        Ok(Box::new(writer))
    }

    fn open(&self, digest: &BlobDigest) -> Result<Box<dyn Read + Send>, BlobError> {
        let file = File::open(self.path(digest)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::NotFound(*digest),
            _ => error.into(),
        })?;
        let reader = VerifyingReader {
            decoder: zstd::Decoder::new(file)?,
            hasher: Sha256::new(),
            digest: *digest,
        };
        Ok(Box::new(reader))
    }

    fn contains(&self, digest: &BlobDigest) -> Result<bool, BlobError> {
        Ok(self.path(digest).try_exists()?)
    }

    fn remove(&self, digest: &BlobDigest) -> Result<(), BlobError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(sync_folder(path.parent().unwrap_or(&self.folder))?),
        }
    }

    fn list(&self) -> Result<Vec<BlobDigest>, BlobError> {
        let mut digests = Vec::new();
        for folder in fs::read_dir(self.folder.join(BLOBS_FOLDER))? {
            let folder = folder?;
            for file in fs::read_dir(folder.path())? {
                let (first, rest) = (folder.file_name(), file?.file_name());
                let hex = format!("{}{}", first.to_string_lossy(), rest.to_string_lossy());
                // A file of another name is nothing of this store's.
                digests.extend(from_hex(&hex).ok().map(BlobDigest::new));
            }
        }
        digests.sort();
        Ok(digests)
    }
}

/// A file that is removed unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone when it was renamed; else the next open removes it.
        let _ = fs::remove_file(&self.0);
    }
}

struct FileBlobWriter {
    store: FileBlobs,
    /// Dropped after the encoder's file is closed.
    temporary: Temporary,
    encoder: Option<zstd::Encoder<'static, File>>,
    hasher: Sha256,
    left: BlobLimit,
    limit: BlobLimit,
}

impl Write for FileBlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let Some(left) = self.left.0.checked_sub(length) else {
            let error = BlobError::TooLarge(self.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
        };
        let encoder = self.encoder.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        encoder.write_all(bytes)?;
        self.hasher.update(bytes);
        self.left = BlobLimit(left);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for FileBlobWriter {
    fn finish(mut self: Box<Self>, expected: Option<BlobDigest>) -> Result<BlobDigest, BlobError> {
        let found = BlobDigest::new(self.hasher.clone().finalize().into());
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(BlobError::OtherBytes { expected, found });
        }
        let encoder = self
            .encoder
            .take()
            .ok_or(io::Error::from(io::ErrorKind::BrokenPipe))?;
        encoder.finish()?.sync_all()?;
        self.store.place(&self.temporary.0, &found)?;
        Ok(found)
    }
}

struct VerifyingReader {
    decoder: zstd::Decoder<'static, BufReader<File>>,
    hasher: Sha256,
    digest: BlobDigest,
}

impl Read for VerifyingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        if count > 0 {
            self.hasher.update(buffer.get(..count).unwrap_or_default());
            return Ok(count);
        }
        let found: [u8; 32] = self.hasher.clone().finalize().into();
        if buffer.is_empty() || found == *self.digest.as_bytes() {
            Ok(0)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its bytes have another digest",
            ))
        }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_verify::hash::sha256;

    const ROOM: BlobLimit = BlobLimit(1 << 20);

    #[test]
    fn what_is_put_is_got_by_its_digest() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileBlobs::open(dir.path()).unwrap();
        let bytes = b"an SBOM, more or less".repeat(1_000);
        let digest = store.put(&bytes).unwrap();
        assert_eq!(digest, BlobDigest::new(sha256(&bytes)));
        assert_eq!(store.put(&bytes).unwrap(), digest);
        let empty = store.put(b"").unwrap();
        let store = FileBlobs::open(dir.path()).unwrap();
        assert_eq!(store.get(&digest, ROOM).unwrap(), bytes);
        assert_eq!(store.get(&empty, ROOM).unwrap(), b"");
        let mut listed = vec![digest, empty];
        listed.sort();
        assert_eq!(store.list().unwrap(), listed);
        let path = store.path(&digest);
        assert!(path.metadata().unwrap().len() < 1_000, "compressed");
        store.remove(&digest).unwrap();
        store.remove(&digest).unwrap();
        assert!(!store.contains(&digest).unwrap());
        assert_eq!(store.list().unwrap(), [empty]);
    }

    #[test]
    fn wrong_and_oversized_bytes_are_refused_and_leave_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileBlobs::open(dir.path()).unwrap();
        let absent = BlobDigest::new([7; 32]);
        let mut writer = store.create(ROOM).unwrap();
        writer.write_all(b"other").unwrap();
        let refused = writer.finish(Some(absent));
        assert!(matches!(refused, Err(BlobError::OtherBytes { .. })));
        let mut writer = store.create(BlobLimit(3)).unwrap();
        assert!(writer.write_all(b"four").is_err());
        drop(writer);
        assert!(matches!(
            store.get(&absent, ROOM),
            Err(BlobError::NotFound(_))
        ));
        assert!(!store.contains(&absent).unwrap());
        assert!(store.list().unwrap().is_empty());
        let temporary = fs::read_dir(dir.path().join(TEMPORARY_FOLDER)).unwrap();
        assert_eq!(temporary.count(), 0);
        let digest = store.put(b"four").unwrap();
        let small = store.get(&digest, BlobLimit(3));
        assert!(matches!(small, Err(BlobError::TooLarge(BlobLimit(3)))));
    }

    #[test]
    fn damage_is_noticed_and_healed_by_writing_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileBlobs::open(dir.path()).unwrap();
        let bytes = b"0123456789".repeat(50);
        let digest = store.put(&bytes).unwrap();
        let path = store.path(&digest);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            // A bit that the decoder ignores changes nothing that was stored.
            if let Ok(read) = store.get(&digest, ROOM) {
                assert_eq!(read, bytes);
            }
            fs::write(&path, &whole[..at]).unwrap();
            assert!(store.get(&digest, ROOM).is_err(), "cut at {at}");
            assert!(store.check(&digest).is_err());
        }
        store.put(&bytes).unwrap();
        store.check(&digest).unwrap();
        let other = store.put(b"other").unwrap();
        fs::copy(store.path(&other), &path).unwrap();
        assert!(matches!(
            store.check(&digest),
            Err(BlobError::Damaged { .. })
        ));
    }
}
