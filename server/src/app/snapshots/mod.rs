//! Snapshots: importing, publishing, listing.

mod compare;
mod prove;
mod store;

use super::App;
use super::scans::{page_size, page_token};
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use stella_ledger::LedgerError;
use stella_ledger::ledger::{Missing, View};
use stella_ledger::log::{NameRule, Named};
use stella_proto::reason::Reason;
use stella_proto::snapshot as wire;
use stella_scoring::snapshot::{BadRecords, Builder, ImportError, ImportReport, count_rows};
use stella_verify::event::EventType;
use stella_verify::event::payload::{SnapshotImported, SnapshotPublished};
use stella_verify::hash::SnapshotHash;
use stella_verify::snapshot::SnapshotKind;
use stella_verify::time::format_time;
use stella_verify::units::UnixMillis;

/// Bad records that one refusal names; it says how many there are.
const NAMED_RECORDS: usize = 20;

/// A file of an import.
#[derive(Debug)]
pub struct Source {
    /// How messages name it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl App {
    /// Imports a snapshot, all or nothing.
    ///
    /// A crash before the event leaves a blob that nothing names; importing again finds it.
    pub(crate) fn import_snapshot(
        &self,
        caller: &Caller,
        header: wire::ImportHeader,
        sources: Vec<Source>,
    ) -> Result<wire::ImportSnapshotResponse, Refusal> {
        let mut builder = Builder::new(kind_of(header.kind())?);
        for source in sources {
            builder
                .add(&source.name, &source.bytes)
                .map_err(|problem| import_refused(&problem))?;
        }
        let imported = builder
            .finish(BadRecords::Refuse)
            .map_err(|problem| import_refused(&problem))?;
        let hash = imported.header.hash();
        let stored = self.put_records(&imported.records)?;
        let payload = SnapshotImported {
            header: imported.header,
            records: stored.list,
        };
        let mut draft = Draft::by(caller)
            .name(NameRule::Introduce(Named::Snapshot(hash)))
            .name(NameRule::Record(Named::Blob(stored.list)));
        for chunk in stored.chunks {
            draft = draft.name(NameRule::Record(Named::Blob(chunk)));
        }
        draft = draft.event(
            &format!("snapshot/{hash}"),
            EventType::SNAPSHOT_IMPORTED,
            payload.to_bytes(),
        )?;
        let existing = match self.append(draft) {
            Ok(_) => false,
            Err(AppendOutcome::AlreadyKnown) => true,
            Err(other) => return Err(other.into()),
        };
        let snapshot = if header.publish {
            self.publish_snapshot(caller, hash)?
        } else {
            self.describe(hash)?
        };
        let warnings = warnings(&imported.report);
        Ok(wire::ImportSnapshotResponse {
            snapshot: Some(snapshot),
            existing,
            warnings,
        })
    }

    /// Makes a snapshot the current one of its kind, unless it is.
    pub(crate) fn publish_snapshot(
        &self,
        caller: &Caller,
        hash: SnapshotHash,
    ) -> Result<wire::Snapshot, Refusal> {
        let kind = self.newest()?.snapshot(&hash)?.imported.header.kind();
        if self.current(kind)? != Some(hash) {
            let published = SnapshotPublished {
                snapshot: hash,
                kind,
            };
            let draft = Draft::by(caller)
                .name(NameRule::Require(Named::Snapshot(hash)))
                .event(
                    "snapshots",
                    EventType::SNAPSHOT_PUBLISHED,
                    published.to_bytes(),
                )?;
            self.append(draft)?;
        }
        self.describe(hash)
    }

    /// Snapshots of a kind, newest first; of both, feed snapshots first. A page token names the kind
    /// it is in.
    pub(crate) fn list_snapshots(
        &self,
        request: &wire::ListSnapshotsRequest,
    ) -> Result<wire::ListSnapshotsResponse, Refusal> {
        let only = match request.kind() {
            wire::SnapshotKind::Unspecified => None,
            kind => Some(kind_of(kind)?),
        };
        let (kind, token) = match (request.page_token.strip_prefix(VEX_TOKEN), only) {
            (Some(rest), _) => (SnapshotKind::Excititor, rest),
            (None, Some(kind)) if request.page_token.is_empty() => (kind, ""),
            (None, _) => (SnapshotKind::Concelier, request.page_token.as_str()),
        };
        let (view, from) = self.paged_at(token, request.tree_size)?;
        let page = view.snapshots(kind, from, page_size(request.page_size))?;
        let current = current_in(&view, kind)?;
        let snapshots = page.items.iter().map(|record| {
            let is_current = current == Some(record.imported.header.hash());
            to_wire(&record.imported, record.time, is_current)
        });
        let next = page_token(&view, page.next);
        let next_page_token = match (kind, next.is_empty()) {
            (SnapshotKind::Concelier, true) if only.is_none() => VEX_TOKEN.to_owned(),
            (_, true) => String::new(),
            (SnapshotKind::Concelier, false) => next,
            (SnapshotKind::Excititor, false) => format!("{VEX_TOKEN}{next}"),
        };
        Ok(wire::ListSnapshotsResponse {
            snapshots: snapshots.collect(),
            next_page_token,
        })
    }

    /// The current feed snapshot.
    pub(in crate::app) fn current_feed(&self) -> Result<SnapshotHash, Refusal> {
        self.current(SnapshotKind::Concelier)?.ok_or_else(|| {
            Refusal::new(
                Reason::SnapshotNotFound,
                "no feed snapshot was published yet",
            )
        })
    }

    /// The current VEX snapshot; the empty one, imported on first use, when none was published.
    pub(super) fn current_vex(&self) -> Result<SnapshotHash, Refusal> {
        if let Some(current) = self.current(SnapshotKind::Excititor)? {
            return Ok(current);
        }
        let kind = wire::SnapshotKind::Excititor.into();
        let header = wire::ImportHeader {
            kind,
            publish: true,
        };
        self.import_snapshot(&Caller::own("engine"), header, Vec::new())?;
        self.current(SnapshotKind::Excititor)?
            .ok_or_else(|| Refusal::new(Reason::Internal, "the empty VEX snapshot is missing"))
    }

    /// The snapshot of a kind that was published last.
    fn current(&self, kind: SnapshotKind) -> Result<Option<SnapshotHash>, Refusal> {
        current_in(&self.newest()?, kind)
    }

    /// One snapshot, with its rows counted.
    pub(crate) fn snapshot(
        &self,
        hash: SnapshotHash,
    ) -> Result<wire::GetSnapshotResponse, Refusal> {
        let snapshot = self.describe(hash)?;
        let header = self.newest()?.snapshot(&hash)?.imported.header;
        let counts = count_rows(&self.records(hash)?).map_err(|problem| damaged(hash, &problem))?;
        let tables = counts.into_iter().map(|(table, rows)| wire::TableCount {
            table: table.as_str().to_owned(),
            rows,
        });
        Ok(wire::GetSnapshotResponse {
            snapshot: Some(snapshot),
            tables: tables.collect(),
            header: header.to_bytes().into(),
        })
    }

    fn describe(&self, hash: SnapshotHash) -> Result<wire::Snapshot, Refusal> {
        let record = self.newest()?.snapshot(&hash)?;
        let current = self.current(record.imported.header.kind())? == Some(hash);
        Ok(to_wire(&record.imported, record.time, current))
    }
}

fn current_in(view: &View<'_>, kind: SnapshotKind) -> Result<Option<SnapshotHash>, Refusal> {
    match view.current_snapshot(kind) {
        Ok(record) => Ok(Some(record.imported.header.hash())),
        Err(LedgerError::Missing(Missing::CurrentSnapshot(_))) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Marks page tokens of VEX snapshots.
const VEX_TOKEN: &str = "vex:";

fn to_wire(imported: &SnapshotImported, time: UnixMillis, current: bool) -> wire::Snapshot {
    let header = &imported.header;
    let kind = match header.kind() {
        SnapshotKind::Concelier => wire::SnapshotKind::Concelier,
        SnapshotKind::Excititor => wire::SnapshotKind::Excititor,
    };
    wire::Snapshot {
        hash: header.hash().to_string(),
        kind: kind.into(),
        count: header.rows().get(),
        root: header.root().to_string(),
        sources: header.sources().to_vec(),
        imported_at: format_time(time).unwrap_or_default(),
        current,
    }
}

/// The records of a snapshot are not what its hash says.
fn damaged(hash: SnapshotHash, problem: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Reason::BlobDamaged,
        format!("the records of snapshot {hash}: {problem}"),
    )
}

fn kind_of(kind: wire::SnapshotKind) -> Result<SnapshotKind, Refusal> {
    match kind {
        wire::SnapshotKind::Concelier => Ok(SnapshotKind::Concelier),
        wire::SnapshotKind::Excititor => Ok(SnapshotKind::Excititor),
        wire::SnapshotKind::Unspecified => Err(Refusal::field("header.kind", "is missing")),
    }
}

fn import_refused(problem: &ImportError) -> Refusal {
    let message = match problem {
        ImportError::BadRecords(report) => {
            let named: Vec<String> = report
                .bad
                .iter()
                .take(NAMED_RECORDS)
                .map(ToString::to_string)
                .collect();
            format!("{problem}: {}", named.join("; "))
        }
        other => other.to_string(),
    };
    Refusal::new(Reason::SnapshotBadRecord, message)
}

fn warnings(report: &ImportReport) -> Vec<String> {
    let skipped = report
        .skipped
        .iter()
        .map(|place| format!("{place}: holds no records"));
    let notes = report
        .notes
        .iter()
        .map(|note| format!("{}: {}", note.place, note.text));
    skipped.chain(notes).collect()
}
