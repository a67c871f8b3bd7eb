//! Where an export begins or ends.

use crate::commands::period::Moment;
use crate::commands::scan::read;
use crate::failure::Failure;
use std::path::Path;
use stella_client::LogTrust;
use stella_proto::audit as wire;
use stella_proto::audit::export_point::Point;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::SignedCheckpoint;
use stella_verify::merkle::TreeHead;

/// Which end of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Where it begins.
    From,
    /// Where it ends.
    To,
}

/// A place in the log as the user names it, and the tree that a checkpoint of his says was there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) point: wire::ExportPoint,
    pub(super) head: Option<TreeHead>,
}

/// Reads a leaf index, a day or time, or a file with a signed checkpoint.
pub(super) fn place(end: End, text: &str, trust: &LogTrust) -> Result<Place, Failure> {
    let at = |point| wire::ExportPoint { point: Some(point) };
    if let Ok(index) = text.parse::<u64>() {
        let point = at(Point::LeafIndex(index));
        return Ok(Place { point, head: None });
    }
    if let Some(moment) = Moment::parse(text) {
        let time = match end {
            End::From => moment.start(),
            End::To => moment.end(),
        };
        let point = at(Point::UnixMs(time.get()));
        return Ok(Place { point, head: None });
    }
    let path = Path::new(text);
    if !path.exists() {
        return Err(Failure::usage(
            format!("{text} is no leaf index, day or time, and no file of that name is there"),
            "write for example 4096, 2025-01-31, 2025-01-31T12:00:00Z or checkpoint.txt",
        ));
    }
    let signed = SignedCheckpoint::open(&read(path)?, &trust.keys, Some(&trust.origin));
    let signed = signed.map_err(|problem| {
        let message = format!("{}: {problem}", path.display());
        Failure::of(Reason::VerificationFailed, message)
    })?;
    Ok(Place {
        point: at(Point::LeafIndex(signed.head().size.get())),
        head: Some(signed.head()),
    })
}
