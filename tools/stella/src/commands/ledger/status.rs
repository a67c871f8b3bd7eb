//! What a ledger is, and how far it is.

use crate::failure::Failure;
use crate::output::{self, Format, Table};
use crate::session::Session;
use clap::Args;
use serde_json::{Map, Value, json};
use stella_proto::admin as wire;
use stella_verify::note::VerifierKey;
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;

/// Show what the ledger is and how far it is: size, checkpoint, projections, bytes on disk, keys
///
/// It is what the ledger says of itself; `stella ledger checkpoint` verifies.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    pub(super) async fn run(self, format: Format, session: &Session) -> Result<u8, Failure> {
        let mut client = session.connection().admin();
        let status = client.get_status(wire::GetStatusRequest {}).await?;
        let status = status.into_inner();
        if format == Format::Table {
            in_words(&status)?;
        } else {
            output::document(format, &document(&status))?;
        }
        Ok(0)
    }
}

/// Leaves that the projections lack.
const fn lag(status: &wire::GetStatusResponse) -> u64 {
    status.tree_size.saturating_sub(status.applied_size)
}

/// When the newest checkpoint was signed; `None` for the empty log.
fn signed_at(status: &wire::GetStatusResponse) -> Option<String> {
    let time = status.checkpoint_unix_ms.map(UnixMillis::new)?;
    format_time(time).ok()
}

/// The log key's id as signed notes have it: eight hex digits.
fn log_key_id(status: &wire::GetStatusResponse) -> Option<String> {
    let key: VerifierKey = status.vkey.parse().ok()?;
    Some(key.id().to_string())
}

/// A status as programs read it.
fn document(status: &wire::GetStatusResponse) -> Value {
    let storage = status.storage.iter();
    let storage: Map<_, _> = storage
        .map(|of| (of.part.clone(), of.bytes.into()))
        .collect();
    let fault = Some(&status.index_fault).filter(|fault| !fault.is_empty());
    json!({
        "origin": status.origin,
        "version": status.version,
        "treeSize": status.tree_size,
        "rootHash": status.root_hash,
        "checkpoint": {
            "time": signed_at(status),
            "ageMs": status.checkpoint_age_ms,
        },
        "projections": {
            "appliedSize": status.applied_size,
            "lag": lag(status),
            "refolding": status.refolding,
            "refolds": status.refolds,
            "fault": fault,
        },
        "bytesOnDisk": storage,
        "logKey": {"id": log_key_id(status), "vkey": status.vkey},
        "signingKey": {"id": status.signing_key_id},
    })
}

/// A status as people read it.
fn in_words(status: &wire::GetStatusResponse) -> Result<(), Failure> {
    let mut table = Table::new(&["", ""]);
    let mut row = |name: &str, text: String| table.row([name.to_owned(), text]);
    row("origin", status.origin.clone());
    row("version", status.version.clone());
    row("tree size", status.tree_size.to_string());
    if let (Some(time), Some(age)) = (signed_at(status), status.checkpoint_age_ms) {
        row("root hash", status.root_hash.clone());
        row("checkpoint", format!("{time}, {} s ago", age / 1000));
    } else {
        row("checkpoint", "none: the log is empty".to_owned());
    }
    let state = match (status.refolding, lag(status)) {
        (true, lag) => format!("being folded again, {lag} behind"),
        (false, 0) => "up to date".to_owned(),
        (false, lag) => format!("{lag} behind"),
    };
    row("projections", format!("{}, {state}", status.applied_size));
    if !status.index_fault.is_empty() {
        row("projections' fault", status.index_fault.clone());
    }
    for part in &status.storage {
        row(&format!("{} on disk", part.part), bytes(part.bytes));
    }
    row("log key", log_key_id(status).unwrap_or_default());
    row("signing key", status.signing_key_id.clone());
    output::table(&table)
}

/// Bytes in the largest unit that leaves a whole number before the point.
fn bytes(count: u64) -> String {
    let mut unit = 1_u64;
    let mut name = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if count / unit < 1024 {
            break;
        }
        unit = unit.saturating_mul(1024);
        name = next;
    }
    if unit == 1 {
        return format!("{count} B");
    }
    let tenths = count % unit * 10 / unit;
    format!("{}.{tenths} {name}", count / unit)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_have_the_largest_unit_that_fits() {
        let shown = [0, 1023, 1024, 1536, 1 << 20, (1 << 30) + (1 << 29)].map(bytes);
        let expected = ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.5 GiB"];
        assert_eq!(shown, expected);
    }
}
