//! Snapshots: importing, publishing, listing.

mod compare;
mod prove;
mod remove;
mod store;

use super::App;
use super::pages::page_size;
use super::repeats::Repeatable;
use super::writer::{AppendOutcome, Draft};
use crate::auth::Caller;
use crate::refusal::Refusal;
use prost::Message as _;
use std::collections::BTreeMap;
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
use stella_verify::units::{LeafIndex, TreeSize, UnixMillis};

/// Bad records that one refusal names; it says how many there are.
const NAMED_RECORDS: usize = 10;

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
        header: &wire::ImportHeader,
        sources: Vec<Source>,
    ) -> Result<wire::ImportSnapshotResponse, Refusal> {
        let asked = repeatable(caller, header, &sources)?;
        let asked = asked.as_ref();
        let _turn = self.turn(asked);
        let kind = kind_of(header.kind())?;
        let any_file = !sources.is_empty();
        let mut builder = Builder::new(kind);
        for source in sources {
            builder
                .add(&source.name, &source.bytes)
                .map_err(|problem| import_refused(&problem))?;
        }
        let imported = builder
            .finish(BadRecords::Refuse)
            .map_err(|problem| import_refused(&problem))?;
        // No statements are what there is without VEX; statements were to be in files that are given.
        let may_be_empty = kind == SnapshotKind::Excititor && !any_file;
        if imported.header.rows() == TreeSize::ZERO && !may_be_empty {
            return Err(nothing_in(kind, &imported.report));
        }
        let hash = imported.header.hash();
        let warnings = warnings(&imported.report);
        if let Some(earlier) = self.earlier(asked)? {
            return Ok(wire::ImportSnapshotResponse {
                snapshot: Some(Self::describe(&self.view_at(earlier.size)?, hash)?),
                existing: earlier.find(EventType::SNAPSHOT_IMPORTED)?.is_none(),
                warnings,
            });
        }
        // From finding chunks of earlier snapshots to naming them, none of those is removed.
        let kept = self.keep_snapshots([])?;
        let stored = self.put_records(&imported.records)?;
        let removed = matches!(
            self.newest()?.snapshot(&hash),
            Err(LedgerError::Missing(Missing::SnapshotRemoved(_)))
        );
        let name = if removed {
            NameRule::Record(Named::Snapshot(hash))
        } else {
            NameRule::Introduce(Named::Snapshot(hash))
        };
        let payload = SnapshotImported {
            header: imported.header,
            records: stored.list,
        };
        let mut draft = Draft::by(caller)
            .asked(asked)
            .name(name)
            .name(NameRule::Record(Named::Blob(stored.list)));
        for chunk in stored.chunks {
            draft = draft.name(NameRule::Record(Named::Blob(chunk)));
        }
        draft = draft.event(
            &format!("snapshot/{hash}"),
            EventType::SNAPSHOT_IMPORTED,
            payload.to_bytes(),
        )?;
        if header.publish {
            draft = publication(draft, hash, kind)?;
        }
        let appended = self.append(draft);
        drop(kept);
        let (existing, snapshot) = match appended {
            Ok(receipt) => (false, Self::describe(&self.view_at(receipt.end())?, hash)?),
            Err(AppendOutcome::AlreadyKnown) if header.publish => {
                (true, self.publish(caller, hash, asked)?)
            }
            Err(AppendOutcome::AlreadyKnown) => {
                self.remember(caller, asked, &hash.to_string())?;
                (true, Self::describe(&self.newest()?, hash)?)
            }
            Err(other) => return Err(other.into()),
        };
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
        request: &wire::PublishSnapshotRequest,
    ) -> Result<wire::Snapshot, Refusal> {
        let hash: SnapshotHash =
            (request.hash.parse()).map_err(|problem| Refusal::field("hash", problem))?;
        let asked = Repeatable::of(caller, "PublishSnapshot", &request.request_id, request)?;
        let _turn = self.turn(asked.as_ref());
        if let Some(earlier) = self.earlier(asked.as_ref())? {
            return Self::describe(&self.view_at(earlier.size)?, hash);
        }
        self.publish(caller, hash, asked.as_ref())
    }

    /// Publishes a snapshot. One that is current is published again where the request has an id: the
    /// event is what a repetition finds.
    fn publish(
        &self,
        caller: &Caller,
        hash: SnapshotHash,
        asked: Option<&Repeatable>,
    ) -> Result<wire::Snapshot, Refusal> {
        let view = self.newest()?;
        let kind = view.snapshot(&hash)?.imported.header.kind();
        if asked.is_none() && current_in(&view, kind)? == Some(hash) {
            return Self::describe(&view, hash);
        }
        let _kept = self.keep_snapshots([hash])?;
        let draft = Draft::by(caller)
            .asked(asked)
            .name(NameRule::Require(Named::Snapshot(hash)));
        let receipt = self.append(publication(draft, hash, kind)?)?;
        Self::describe(&self.view_at(receipt.end())?, hash)
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
        let filter = i32::from(request.kind()).to_string();
        let listing = self.tokens.listing("ListSnapshots", &[&filter]);
        let (view, from) = self.paged_at(listing, &request.page_token, request.tree_size)?;
        let kind = match (from, only) {
            (Some(at), _) if at & VEX_PLACE != 0 => SnapshotKind::Excititor,
            (_, Some(kind)) => kind,
            (_, None) => SnapshotKind::Concelier,
        };
        let from = from.map(|at| LeafIndex::new(at & !VEX_PLACE));
        let page = view.snapshots(kind, from, page_size(request.page_size))?;
        let current = current_in(&view, kind)?;
        let snapshots = page.items.iter().map(|record| {
            let is_current = current == Some(record.imported.header.hash());
            to_wire(&record.imported, record.time, is_current)
        });
        let next = match (kind, page.next) {
            // Then those of the other kind, from the newest.
            (SnapshotKind::Concelier, None) => only.is_none().then_some(u64::MAX),
            (SnapshotKind::Concelier, Some(leaf)) => Some(leaf.get()),
            (SnapshotKind::Excititor, leaf) => leaf.map(|leaf| leaf.get() | VEX_PLACE),
        };
        let next_page_token = self.page_token(listing, view.size(), next);
        Ok(wire::ListSnapshotsResponse {
            snapshots: snapshots.collect(),
            next_page_token,
        })
    }

    /// The current feed snapshot.
    pub(in crate::app) fn current_feed(&self) -> Result<SnapshotHash, Refusal> {
        current_feed_in(&self.newest()?)
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
            ..wire::ImportHeader::default()
        };
        self.import_snapshot(&Caller::own("engine"), &header, Vec::new())?;
        self.current(SnapshotKind::Excititor)?
            .ok_or_else(|| Refusal::new(Reason::Internal, "the empty VEX snapshot is missing"))
    }

    /// The snapshot of a kind that was published last.
    fn current(&self, kind: SnapshotKind) -> Result<Option<SnapshotHash>, Refusal> {
        current_in(&self.newest()?, kind)
    }

    /// One snapshot as of a tree, with its rows counted while there are any.
    pub(crate) fn snapshot(
        &self,
        request: &wire::GetSnapshotRequest,
    ) -> Result<wire::GetSnapshotResponse, Refusal> {
        let hash: SnapshotHash =
            (request.hash.parse()).map_err(|problem| Refusal::field("hash", problem))?;
        let view = self.view_of(request.tree_size)?;
        let snapshot = Self::describe(&view, hash)?;
        let header = view.snapshot(&hash)?.imported.header;
        let counts = match self.records(hash) {
            Ok(records) => count_rows(&records).map_err(|problem| damaged(hash, &problem))?,
            // The event that names it stays; a later one took the records.
            Err(gone) if gone.reason == Reason::SnapshotRemoved => BTreeMap::default(),
            Err(other) => return Err(other),
        };
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

    fn describe(view: &View<'_>, hash: SnapshotHash) -> Result<wire::Snapshot, Refusal> {
        let record = view.snapshot(&hash)?;
        let current = current_in(view, record.imported.header.kind())? == Some(hash);
        Ok(to_wire(&record.imported, record.time, current))
    }
}

/// The import as its caller sent it.
fn repeatable(
    caller: &Caller,
    header: &wire::ImportHeader,
    sources: &[Source],
) -> Result<Option<Repeatable>, Refusal> {
    if header.request_id.is_empty() {
        return Ok(None);
    }
    let header_bytes = header.encode_to_vec();
    let mut parts: Vec<&[u8]> = vec![&header_bytes];
    for source in sources {
        parts.push(source.name.as_bytes());
        parts.push(&source.bytes);
    }
    Repeatable::of_bytes(caller, "ImportSnapshot", &header.request_id, &parts)
}

/// Adds the event that makes a snapshot the current one of its kind.
fn publication(draft: Draft, hash: SnapshotHash, kind: SnapshotKind) -> Result<Draft, Refusal> {
    let published = SnapshotPublished {
        snapshot: hash,
        kind,
    };
    draft.event(
        "snapshots",
        EventType::SNAPSHOT_PUBLISHED,
        published.to_bytes(),
    )
}

/// The feed snapshot that is current in a tree.
fn current_feed_in(view: &View<'_>) -> Result<SnapshotHash, Refusal> {
    current_in(view, SnapshotKind::Concelier)?.ok_or_else(|| {
        Refusal::new(
            Reason::SnapshotNotFound,
            "no feed snapshot was published yet",
        )
    })
}

fn current_in(view: &View<'_>, kind: SnapshotKind) -> Result<Option<SnapshotHash>, Refusal> {
    match view.current_snapshot(kind) {
        Ok(record) => Ok(Some(record.imported.header.hash())),
        Err(LedgerError::Missing(Missing::CurrentSnapshot(_))) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Marks places among VEX snapshots; no log has that many leaves.
const VEX_PLACE: u64 = 1 << 63;

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

/// An import without a record: taken as it is it would make all that is looked up in it unaffected.
fn nothing_in(kind: SnapshotKind, report: &ImportReport) -> Refusal {
    let looked_at: Vec<String> = warnings(report).into_iter().take(NAMED_RECORDS).collect();
    let files = match looked_at.as_slice() {
        [] => "no file was given".to_owned(),
        files => files.join("; "),
    };
    let message = format!("a {kind} snapshot without a record is not imported: {files}");
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
