//! Exporting from a ledger, verified while it comes.

use super::point::{End, place};
use super::rows::Sink;
use super::{Export, file, refused};
use crate::failure::Failure;
use crate::session::Session;
use stella_client::ExportStream;
use stella_proto::audit as wire;
use stella_proto::reason::Reason;
use stella_verify::export::{ExportTrust, ExportVerifier, VerifiedExport};
use stella_verify::merkle::{Growth, TreeHead};

/// Exports what the options name.
pub(super) async fn export(options: &Export, session: &Session) -> Result<VerifiedExport, Failure> {
    let (trust, mut log) = options.trust.open_with_trust(session).await?;
    if options
        .origin
        .as_deref()
        .is_some_and(|origin| origin != trust.origin.as_str())
    {
        let message = format!("log {} is not the one expected", trust.origin);
        return Err(Failure::of(Reason::VerificationFailed, message));
    }
    let from = options
        .from
        .as_deref()
        .map(|text| place(End::From, text, &trust));
    let to = options
        .to
        .as_deref()
        .map(|text| place(End::To, text, &trust));
    let (from, to) = (from.transpose()?, to.transpose()?);
    let judge = ExportTrust::Log {
        keys: &trust.keys,
        origin: Some(&trust.origin),
    };
    let (mut verifier, mut sink, request) = if options.resume {
        let target = options.output.as_deref().ok_or_else(super::nowhere)?;
        let broken = file::take_up(target, judge)?;
        let request = wire::ExportEventsRequest {
            resume: Some(broken.left),
            ..wire::ExportEventsRequest::default()
        };
        (broken.verifier, broken.sink, request)
    } else {
        let request = wire::ExportEventsRequest {
            from: from.map(|place| place.point),
            to: to.map(|place| place.point),
            resume: None,
        };
        (ExportVerifier::new(judge), Sink::open(options)?, request)
    };
    if let Err(failure) = receive(session, request, &mut verifier, &mut sink).await {
        if verifier.range().is_none() {
            sink.discard();
        }
        return Err(failure);
    }
    let verified = verifier.finish().map_err(|problem| refused(&problem))?;
    is_there(
        "--from",
        from.and_then(|place| place.head),
        verified.opening,
    )?;
    is_there("--to", to.and_then(|place| place.head), verified.closing)?;
    // The newest checkpoint, and one remembered from before, must continue the export's.
    let newest = log.checkpoint().await?;
    let heads = Growth {
        old: verified.closing,
        new: newest.head(),
    };
    log.consistent(heads).await?;
    sink.finish()?;
    Ok(verified)
}

async fn receive(
    session: &Session,
    request: wire::ExportEventsRequest,
    verifier: &mut ExportVerifier<'_>,
    sink: &mut Sink,
) -> Result<(), Failure> {
    let mut stream = ExportStream::start(session.connection(), request).await?;
    let bar = crate::progress::bar("exporting");
    while let Some(piece) = stream.next().await? {
        sink.take(verifier, piece)?;
        if let (Some(range), Some((left, _))) = (verifier.range(), verifier.resume_point()) {
            bar.set_length(range.end.get().saturating_sub(range.start.get()));
            bar.set_position(left.start.get().saturating_sub(range.start.get()));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// A checkpoint that the log once signed is one of its checkpoints now: else there are two histories.
fn is_there(option: &str, expected: Option<TreeHead>, found: TreeHead) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != found => {
            let message = format!(
                "the checkpoint of {option} has size {} and root {}, the log shows size {} and root {}",
                expected.size, expected.root, found.size, found.root
            );
            Err(Failure::of(Reason::ForkDetected, message))
        }
        _ => Ok(()),
    }
}
