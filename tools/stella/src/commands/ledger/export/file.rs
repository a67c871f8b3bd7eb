//! Exports that lie on this machine.

use super::rows::{Sink, part};
use super::{Export, refused};
use crate::failure::Failure;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use stella_proto::audit as wire;
use stella_verify::checkpoint::Origin;
use stella_verify::export::{ExportTrust, ExportVerifier, VerifiedExport};
use stella_verify::note::VerifierKey;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Verifies a file, and writes its events where the options ask for them.
pub(super) fn verify(
    options: &Export,
    path: &Path,
    keys: &[VerifierKey],
    origin: Option<&Origin>,
) -> Result<VerifiedExport, Failure> {
    if options.output.is_some() && options.shape.is_none() {
        return Err(Failure::usage(
            "the file is an export already",
            "say --as jsonl to write its events, or leave --output away",
        ));
    }
    let mut file = File::open(path).map_err(|problem| Failure::file(path, &problem))?;
    let mut verifier = ExportVerifier::new(ExportTrust::Log { keys, origin });
    let mut sink = Sink::open(options)?;
    let whole = u64::MAX;
    each_piece(path, &mut file, whole, |piece| {
        sink.take(&mut verifier, piece)
    })?;
    let verified = verifier.finish().map_err(|problem| refused(&problem))?;
    sink.finish()?;
    Ok(verified)
}

/// An export that broke off: what is kept of it, verified so far, and what is left to ask for.
pub(super) struct Broken<'a> {
    pub(super) verifier: ExportVerifier<'a>,
    pub(super) sink: Sink,
    pub(super) left: wire::ResumeToken,
}

/// Takes up what lies beside the target: whole entry bundles are kept, what follows is cut off.
pub(super) fn take_up<'a>(target: &Path, trust: ExportTrust<'a>) -> Result<Broken<'a>, Failure> {
    let path = part(target);
    let failed = |problem: std::io::Error| Failure::file(&path, &problem);
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    let mut first = ExportVerifier::new(trust);
    each_piece(&path, &mut file, u64::MAX, |piece| {
        first
            .push(piece, |_| ())
            .map_err(|problem| refused(&problem))
    })?;
    let range = first.range();
    let Some(((left, kept), range)) = first.resume_point().zip(range) else {
        return Err(Failure::usage(
            format!("{} breaks off before its header ends", path.display()),
            "export it anew: leave --resume away",
        ));
    };
    file.set_len(kept).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut verifier = ExportVerifier::new(trust);
    each_piece(&path, &mut file, kept, |piece| {
        verifier
            .push(piece, |_| ())
            .map_err(|problem| refused(&problem))
    })?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    Ok(Broken {
        verifier,
        sink: Sink::append(target, file),
        left: wire::ResumeToken {
            from: range.start.get(),
            to: range.end.get(),
            next: left.start.get(),
        },
    })
}

/// The first `most` bytes of a file, a piece at a time.
fn each_piece(
    path: &Path,
    file: &mut File,
    most: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut file = file.take(most);
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|p| Failure::file(path, &p))?;
        match buffer.get(..count) {
            Some(piece) if count > 0 => take(piece)?,
            _ => return Ok(()),
        }
    }
}
