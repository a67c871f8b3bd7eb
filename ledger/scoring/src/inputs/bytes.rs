//! Compressed input.

use std::borrow::Cow;
use std::io::Read as _;

use crate::limits::MAX_DOCUMENT_BYTES;

/// How a gzip stream begins.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Why an input could not be decompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// The gzip stream is damaged or cut short.
    #[error("not a whole gzip stream: {0}")]
    Damaged(Box<str>),
    /// What was compressed is compressed again: decompressed as often as it is read, it would be
    /// another document each time.
    #[error("compressed more than once")]
    Twice,
    /// Larger than [`MAX_DOCUMENT_BYTES`], as received or decompressed.
    #[error("larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
}

/// The bytes of an input, decompressed when they begin as gzip does (RFC 1952).
///
/// # Errors
/// [`DecompressError`]; at most [`MAX_DOCUMENT_BYTES`] are ever produced.
pub fn decompress(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DecompressError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(DecompressError::TooLarge);
    }
    if !bytes.starts_with(GZIP) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::new();
    let bound = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX);
    flate2::read::MultiGzDecoder::new(bytes)
        .take(bound.saturating_add(1))
        .read_to_end(&mut out)
        .map_err(|error| DecompressError::Damaged(error.to_string().into()))?;
    if out.len() > MAX_DOCUMENT_BYTES {
        return Err(DecompressError::TooLarge);
    }
    if out.starts_with(GZIP) {
        return Err(DecompressError::Twice);
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn gzip_is_undone_and_damage_named() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"{\"a\":1}").unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(&*decompress(&packed).unwrap(), b"{\"a\":1}");
        assert_eq!(&*decompress(b"plain").unwrap(), b"plain");
        let mut again = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        again.write_all(&packed).unwrap();
        let twice = decompress(&again.finish().unwrap()).unwrap_err();
        assert_eq!(twice, DecompressError::Twice);
        for cut in [2, 10, packed.len() - 1] {
            let error = decompress(packed.get(..cut).unwrap()).unwrap_err();
            assert!(
                matches!(error, DecompressError::Damaged(_)),
                "{cut}: {error}"
            );
        }
    }
}
