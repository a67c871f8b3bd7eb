//! Bundles and audit exports: archives, what stands in them, and whole verifications.

use stella_verify::bundle::{ChainSeal, TrustInput, verify};
use stella_verify::export::{EXPORT_MAGIC, ExportHeader, ExportTrust, ExportVerifier};
use stella_verify::zip;

/// An archive has one spelling, and nothing verifies without a key.
pub(super) fn proof_bundle(data: &[u8]) {
    if let Ok(entries) = zip::read(data) {
        let again = zip::write(&entries);
        assert_eq!(again.as_deref(), Ok(data), "an archive is its own spelling");
    }
    assert!(!verify(data, &TrustInput::new(&[], &[])).verified());
}

pub(super) fn chain_seal(data: &[u8]) {
    if let Ok(seal) = ChainSeal::parse(data) {
        assert_eq!(seal.to_bytes(), data);
    }
}

/// However the bytes are cut, the outcome is one. The export's own checkpoint is taken for judged, so
/// that the events are reached.
pub(super) fn audit_export(data: &[u8]) {
    if let Ok(header) = ExportHeader::parse(data) {
        let written = header.to_bytes().unwrap_or_default();
        assert!(written.ends_with(data), "a header has one spelling");
    }
    let closing = header_of(data).map(|header| header.closing);
    let trust = ExportTrust::Closing(closing.as_deref().unwrap_or_default());
    let whole = outcome(data, data.len(), trust);
    assert_eq!(outcome(data, 7, trust), whole);
}

fn header_of(data: &[u8]) -> Option<ExportHeader> {
    let rest = data.strip_prefix(EXPORT_MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    ExportHeader::parse(rest.get(..length)?).ok()
}

/// Whether the export verifies, and how many events were handed out.
fn outcome(data: &[u8], piece: usize, trust: ExportTrust<'_>) -> (bool, u64) {
    let mut verifier = ExportVerifier::new(trust);
    let mut events = 0;
    for piece in data.chunks(piece.max(1)) {
        if verifier.push(piece, |_| events += 1).is_err() {
            return (false, events);
        }
    }
    (verifier.finish().is_ok(), events)
}
