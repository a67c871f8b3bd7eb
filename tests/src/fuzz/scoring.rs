//! The engine's input formats.

use stella_scoring::inputs::{check_members, osv, reachability, sbom, vex};
use stella_scoring::model::{EcosystemKind, FeedSnapshot as _, VexSnapshot as _};
use stella_scoring::purl::Purl;
use stella_scoring::snapshot::{BadRecords, Builder, FeedIndex, VexIndex};
use stella_scoring::version::Parsed;
use stella_verify::json::{JsonError, JsonProblem, parse_strict};
use stella_verify::snapshot::SnapshotKind;

/// A package URL has one canonical spelling, which names the same package.
pub(super) fn purl(data: &[u8]) {
    let Ok(Ok(purl)) = core::str::from_utf8(data).map(str::parse::<Purl>) else {
        return;
    };
    assert_eq!(purl.as_str().parse::<Purl>().as_ref(), Ok(&purl));
    assert!(purl.as_str().starts_with(purl.package_text()));
}

/// Every version order is an order: three lines are three versions.
pub(super) fn version_order(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    for kind in EcosystemKind::ALL {
        let versions: Vec<_> = text
            .lines()
            .take(3)
            .filter_map(|line| Parsed::new(*kind, line))
            .collect();
        for a in &versions {
            let own = a.partial_cmp(a);
            assert_eq!(own, Some(core::cmp::Ordering::Equal), "{a:?} equals itself");
            for b in &versions {
                let forth = a.partial_cmp(b).map(core::cmp::Ordering::reverse);
                assert_eq!(forth, b.partial_cmp(a), "{a:?} and {b:?}");
                for c in &versions {
                    assert!(!(a <= b && b <= c) || a <= c, "{a:?}, {b:?}, {c:?}");
                }
            }
        }
    }
}

/// A bill of materials of any format: what is read has its parts at distinct places.
pub(super) fn sbom(data: &[u8]) {
    if let Ok(bom) = sbom::read(data) {
        let mut places: Vec<_> = bom
            .components
            .iter()
            .map(|component| component.pointer.as_str())
            .collect();
        places.sort_unstable();
        assert!(
            places.is_sorted_by(|a, b| a < b),
            "every component has a place of its own"
        );
        assert!(bom.warnings.is_sorted());
    }
}

/// An advisory stands under at least one row, and rows are sorted.
pub(super) fn osv_record(data: &[u8]) {
    if let Ok(advisory) = osv::read(data) {
        let rows = osv::rows(&advisory);
        assert!(!rows.is_empty() && rows.is_sorted_by(|a, b| a < b));
    }
}

/// A VEX document's statements are what their records say.
pub(super) fn vex_document(data: &[u8]) {
    if let Ok(document) = vex::read(data) {
        for statement in document.statements {
            let again = vex::StatementRecord::parse(&statement.to_bytes());
            assert_eq!(again.as_ref(), Ok(&statement));
        }
    }
}

/// A statement's record has one spelling.
pub(super) fn vex_statement(data: &[u8]) {
    if let Ok(statement) = vex::StatementRecord::parse(data) {
        assert_eq!(statement.to_bytes(), data);
    }
}

/// Facts are sorted, one for each package and vulnerability.
pub(super) fn reachability(data: &[u8]) {
    if let Ok(set) = reachability::read(data) {
        let keys: Vec<_> = set
            .facts
            .iter()
            .map(|fact| (fact.purl.package_text(), &fact.purl, &fact.vulnerability))
            .collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
    }
}

/// Whatever file is imported: what comes of it loads as the snapshot that it says it is.
pub(super) fn snapshot_import(data: &[u8]) {
    for kind in [SnapshotKind::Concelier, SnapshotKind::Excititor] {
        let mut builder = Builder::new(kind);
        if builder.add("file.json", data).is_err() {
            continue;
        }
        let Ok(imported) = builder.finish(BadRecords::LeaveOut) else {
            continue;
        };
        let hash = match kind {
            SnapshotKind::Concelier => FeedIndex::load(&imported.records).map(|feed| feed.hash()),
            SnapshotKind::Excititor => VexIndex::load(&imported.records).map(|vex| vex.hash()),
        };
        assert!(hash.is_ok_and(|hash| hash == imported.header.hash()));
    }
}

/// A records file that loads is the one that its header names.
pub(super) fn snapshot_records(data: &[u8]) {
    if let Ok(feed) = FeedIndex::load(data) {
        assert_eq!(feed.hash(), feed.header().hash());
    }
    if let Ok(vex) = VexIndex::load(data) {
        assert_eq!(vex.hash(), vex.header().hash());
    }
}

/// What the strict parser of the verifier accepts has no member twice, and what it refuses for a member
/// that stands twice is refused here.
pub(super) fn json_members(data: &[u8]) {
    let looked = check_members(data);
    match parse_strict(data) {
        Ok(_) => assert_eq!(looked, Ok(())),
        Err(JsonError {
            problem: JsonProblem::DuplicateMember { .. },
            ..
        }) => assert!(looked.is_err()),
        Err(_) => {}
    }
}
