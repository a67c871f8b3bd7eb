//! Scans, their manifests, sealed roots and replays.

use stella_verify::event::EventHeader;
use stella_verify::event::payload::{
    ManifestRegistered, RootSealed, ScanFootprint, ScanId, ScoreReplayed,
};
use stella_verify::hash::{BlobDigest, ManifestHash, ProofRoot};
use stella_verify::snapshot::{Footprint, UseKey};
use stella_verify::units::{LeafIndex, StreamPosition, UnixMillis};

use super::{Event, LedgerError, Missing, Page, PageSize, View};
use crate::index::keys::Table;
use crate::index::kv::Direction;
use crate::index::postings::Wanted;
use crate::projection::scan_stream;

/// A scan in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanSummary {
    /// Its name.
    pub scan: String,
    /// When it was created.
    pub created: UnixMillis,
    /// Its first event.
    pub first: LeafIndex,
}

/// A manifest that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRecord {
    /// The event.
    pub leaf: LeafIndex,
    /// When.
    pub time: UnixMillis,
    /// The scan and the manifest.
    pub registered: ManifestRegistered,
}

/// A computation that was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealRecord {
    /// The event.
    pub leaf: LeafIndex,
    /// When.
    pub time: UnixMillis,
    /// Root, score and all else that the seal says.
    pub sealed: RootSealed,
}

/// A sealed computation that was recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRecord {
    /// The event.
    pub leaf: LeafIndex,
    /// When.
    pub time: UnixMillis,
    /// Whether it came out equal.
    pub replayed: ScoreReplayed,
}

/// What a computation used of its feed snapshot, left unread: thousands of keys that few callers
/// want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FootprintRecord {
    /// The computation.
    pub manifest: ManifestHash,
    event: Event,
}

impl FootprintRecord {
    /// The event.
    #[must_use]
    pub const fn leaf(&self) -> LeafIndex {
        self.event.index()
    }

    /// What it used.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`].
    pub fn uses(&self) -> Result<Footprint, LedgerError> {
        Ok(self.event.read(ScanFootprint::parse)?.uses)
    }

    fn of(event: &Event) -> Result<Self, LedgerError> {
        let manifest = event.read(|payload| {
            ScanFootprint::manifest_of(payload).ok_or("it is no footprint of a computation")
        })?;
        Ok(Self {
            manifest,
            event: event.clone(),
        })
    }
}

/// What a scan's stream says, one page of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanRecord {
    /// When it was created.
    pub created: UnixMillis,
    /// Manifests registered under it; the first gave it its name.
    pub manifests: Vec<ManifestRecord>,
    /// Roots sealed under it, oldest first.
    pub seals: Vec<SealRecord>,
    /// Replays that ended in the same manifest.
    pub replays: Vec<ReplayRecord>,
    /// What its computations used of their feed snapshots.
    pub footprints: Vec<FootprintRecord>,
    /// Events whose payloads were erased: what is gone is named.
    pub erased: Vec<LeafIndex>,
    /// Where the stream goes on; `None` at its end.
    pub next: Option<StreamPosition>,
}

impl View<'_> {
    /// Scans created at or after `since`, oldest or newest first.
    ///
    /// # Errors
    /// [`LedgerError::Index`].
    pub fn scans(
        &self,
        since: UnixMillis,
        from: Option<LeafIndex>,
        size: PageSize,
        direction: Direction,
    ) -> Result<Page<ScanSummary>, LedgerError> {
        let wanted = self.wanted(from, size, direction);
        let mut found = self.ask(|fold| fold.scans(since, &wanted, direction))?;
        let next = found.get(size.get()).map(|scan| scan.leaf);
        found.truncate(size.get());
        let items = found.into_iter().map(|created| ScanSummary {
            scan: created.scan,
            created: created.time,
            first: created.leaf,
        });
        Ok(Page {
            items: items.collect(),
            next,
        })
    }

    /// What is known of a scan, from a position of its stream on.
    ///
    /// # Errors
    /// [`Missing::Scan`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn scan(
        &self,
        scan: &ScanId,
        from: StreamPosition,
        size: PageSize,
    ) -> Result<ScanRecord, LedgerError> {
        let stream = scan_stream(scan.as_str());
        let mut leaves = self.stream_leaves(&stream, from, size.get() + 1)?;
        let created = self.stream_leaves(&stream, StreamPosition::ZERO, 1)?;
        let Some(created) = created.first() else {
            return Err(Missing::Scan(scan.to_string()).into());
        };
        let mut record = ScanRecord {
            created: self.event(*created)?.known_header()?.time,
            ..ScanRecord::default()
        };
        if leaves.len() > size.get() {
            leaves.truncate(size.get());
            let count = u64::try_from(size.get()).unwrap_or(u64::MAX);
            record.next = Some(StreamPosition::new(from.get().saturating_add(count)));
        }
        for event in self.events_at(&leaves)? {
            match record.take(&event) {
                Err(LedgerError::Erased { leaf, .. }) => record.erased.push(leaf),
                taken => taken?,
            }
        }
        Ok(record)
    }

    /// A manifest by its hash.
    ///
    /// # Errors
    /// [`Missing::Manifest`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn manifest(&self, hash: &ManifestHash) -> Result<ManifestRecord, LedgerError> {
        let place = (Table::Manifests, hash.as_bytes().as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Forward, manifest_record)?;
        let found = page.items.into_iter().next();
        found.ok_or_else(|| Missing::Manifest(*hash).into())
    }

    /// Manifests of an artifact, newest first.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn manifests_of(
        &self,
        artifact: &BlobDigest,
        from: Option<LeafIndex>,
        size: PageSize,
    ) -> Result<Page<ManifestRecord>, LedgerError> {
        let place = (Table::Artifacts, artifact.as_bytes().as_slice());
        self.page(place, from, size, Direction::Backward, manifest_record)
    }

    /// Computations that looked up what a key stands for, in the log's order: from a package, or a
    /// name of a flaw, to scans.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn computations_using(
        &self,
        key: UseKey,
        from: LeafIndex,
        size: PageSize,
    ) -> Result<Page<ScanFootprint>, LedgerError> {
        let mut items: Vec<ScanFootprint> = Vec::new();
        let mut wanted = Wanted {
            from,
            end: self.size.next_index(),
            limit: size.get() + 1,
        };
        loop {
            let leaves = self.ask(|fold| fold.footprints(key, &wanted))?;
            for leaf in &leaves {
                if items.len() == size.get() {
                    return Ok(Page {
                        items,
                        next: Some(*leaf),
                    });
                }
                // The index knows 40 bits of a key; the event has all of it, unless it was erased.
                let footprint = self.event(*leaf)?.read(ScanFootprint::parse).ok();
                items.extend(footprint.filter(|footprint| footprint.uses.contains(key)));
            }
            let Some(last) = leaves.last().filter(|_| leaves.len() == wanted.limit) else {
                return Ok(Page { items, next: None });
            };
            wanted.from = LeafIndex::new(last.get().saturating_add(1));
        }
    }

    /// Leaves of all footprints that may have a key, by the index alone. It knows 40 bits of a key:
    /// every footprint that has the key is among them, and now and then one that has not.
    ///
    /// # Errors
    /// [`LedgerError::Index`].
    pub fn footprints_near(&self, key: UseKey) -> Result<Vec<LeafIndex>, LedgerError> {
        let wanted = Wanted {
            from: LeafIndex::ZERO,
            end: self.size.next_index(),
            limit: usize::MAX,
        };
        self.ask(|fold| fold.footprints(key, &wanted))
    }

    /// The seal of a computation, `None` while it has none.
    ///
    /// # Errors
    /// [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn seal_of(&self, manifest: &ManifestHash) -> Result<Option<SealRecord>, LedgerError> {
        let place = (Table::SealsByManifest, manifest.as_bytes().as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Forward, seal_record)?;
        Ok(page.items.into_iter().next())
    }

    /// The seal that fixed a proof root. Node 0 names the manifest, so there is one.
    ///
    /// # Errors
    /// [`Missing::Root`]; [`LedgerError::Index`] or [`LedgerError::Read`].
    pub fn root(&self, root: &ProofRoot) -> Result<SealRecord, LedgerError> {
        let place = (Table::Roots, root.as_bytes().as_slice());
        let size = PageSize::of(1);
        let page = self.page(place, None, size, Direction::Forward, seal_record)?;
        let found = page.items.into_iter().next();
        found.ok_or_else(|| Missing::Root(*root).into())
    }
}

impl ScanRecord {
    fn take(&mut self, event: &Event) -> Result<(), LedgerError> {
        let header = event.known_header()?;
        match header.event_type.as_str() {
            "manifest.registered" => self.manifests.push(manifest_record(event, &header)?),
            "root.sealed" => self.seals.push(seal_record(event, &header)?),
            "scan.footprint" => self.footprints.push(FootprintRecord::of(event)?),
            "score.replayed" => self.replays.push(ReplayRecord {
                leaf: event.index(),
                time: header.time,
                replayed: event.read(ScoreReplayed::parse)?,
            }),
            _ => {}
        }
        Ok(())
    }
}

fn manifest_record(event: &Event, header: &EventHeader<'_>) -> Result<ManifestRecord, LedgerError> {
    Ok(ManifestRecord {
        leaf: event.index(),
        time: header.time,
        registered: event.read(ManifestRegistered::parse)?,
    })
}

fn seal_record(event: &Event, header: &EventHeader<'_>) -> Result<SealRecord, LedgerError> {
    Ok(SealRecord {
        leaf: event.index(),
        time: header.time,
        sealed: event.read(RootSealed::parse)?,
    })
}
