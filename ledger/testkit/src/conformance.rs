//! What any event log must do, as checks over a small trait: every implementation runs them all.

use crate::oracle::Violation;
use stella_verify::hash::RootHash;
use stella_verify::merkle::{Frontier, LeafRange, leaf_hash};
use stella_verify::units::{LeafIndex, TreeSize};

/// A leaf and its payload.
pub type StoredPair = (Vec<u8>, Vec<u8>);

type Check<S> = fn(&S) -> Result<(), Violation>;

/// The least that an event log is.
pub trait EventStore {
    /// Appends payloads to a stream, all or nothing; `expected` is the position that the first
    /// must get. The index of the first leaf.
    ///
    /// # Errors
    /// [`Refused`].
    fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        request_id: Option<&str>,
        payloads: &[&[u8]],
    ) -> Result<LeafIndex, Refused>;

    /// The leaves of a range with their payloads, pinned to a size.
    ///
    /// # Errors
    /// [`Refused`].
    fn read(&self, range: LeafRange, at: TreeSize) -> Result<Vec<StoredPair>, Refused>;

    /// Size and root of what is published.
    fn head(&self) -> (TreeSize, RootHash);
}

/// The refusals that the suite tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The stream is elsewhere.
    WrongExpectedPosition,
    /// The id was used with another body.
    RequestIdReused,
    /// Beyond what is published.
    BeyondTreeSize,
    /// Nothing to append.
    Empty,
    /// Anything else.
    Other(String),
}

/// Makes empty logs.
pub trait NewStore {
    /// What it makes.
    type Store: EventStore;
    /// An empty log, independent of all others.
    ///
    /// # Errors
    /// A [`Violation`] when it cannot.
    fn new_store(&self) -> Result<Self::Store, Violation>;
}

/// Runs every check.
///
/// # Errors
/// The first [`Violation`], named after its check.
pub fn check_all<N: NewStore>(make: &N) -> Result<(), Violation> {
    let checks: [(&str, Check<N::Store>); 7] = [
        ("an empty log has the empty root", empty_root),
        ("indexes are contiguous and final", contiguous_indexes),
        ("the root is the tree over the leaves", root_over_leaves),
        ("an expected position is exact", expected_position),
        ("a refused request leaves no trace", refused_leaves_no_trace),
        ("a request id answers once", idempotent),
        ("reads are pinned", pinned_reads),
    ];
    for (name, check) in checks {
        let store = make.new_store()?;
        check(&store).map_err(|violation| Violation(format!("{name}: {}", violation.0)))?;
    }
    Ok(())
}

fn ensure(holds: bool, what: &str) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation(what.to_owned()))
    }
}

fn accepted<T>(answer: Result<T, Refused>) -> Result<T, Violation> {
    answer.map_err(|refused| Violation(format!("{refused:?}")))
}

fn range(start: u64, end: u64) -> LeafRange {
    LeafRange {
        start: LeafIndex::new(start),
        end: LeafIndex::new(end),
    }
}

fn empty_root<S: EventStore>(store: &S) -> Result<(), Violation> {
    let (size, root) = store.head();
    ensure(size == TreeSize::ZERO, "size")?;
    ensure(root == Frontier::new().root(), "root")?;
    let nothing = accepted(store.read(range(0, 0), TreeSize::ZERO))?;
    ensure(nothing.is_empty(), "leaves")
}

fn contiguous_indexes<S: EventStore>(store: &S) -> Result<(), Violation> {
    let mut next = 0u64;
    for count in [1usize, 3, 1, 7] {
        let payloads = vec![b"x".as_slice(); count];
        let first = accepted(store.append("a", None, None, &payloads))?;
        ensure(first == LeafIndex::new(next), "first index")?;
        next += count as u64;
        ensure(store.head().0 == TreeSize::new(next), "published at once")?;
    }
    Ok(())
}

fn root_over_leaves<S: EventStore>(store: &S) -> Result<(), Violation> {
    let mut tree = Frontier::new();
    for round in 0..20u8 {
        let payload = [round; 5];
        accepted(store.append("s", None, None, &[&payload, &payload]))?;
        let (size, root) = store.head();
        let new = range(size.get() - 2, size.get());
        for (leaf, stored) in accepted(store.read(new, size))? {
            ensure(stored == payload, "payload")?;
            tree.push(leaf_hash(&leaf));
        }
        ensure(tree.root() == root, "root")?;
    }
    Ok(())
}

fn expected_position<S: EventStore>(store: &S) -> Result<(), Violation> {
    accepted(store.append("a", Some(0), None, &[b"1", b"2"]))?;
    let again = store.append("a", Some(0), None, &[b"3"]);
    ensure(again == Err(Refused::WrongExpectedPosition), "behind")?;
    let ahead = store.append("a", Some(3), None, &[b"3"]);
    ensure(ahead == Err(Refused::WrongExpectedPosition), "ahead")?;
    accepted(store.append("b", Some(0), None, &[b"other stream"]))?;
    accepted(store.append("a", Some(2), None, &[b"3"])).map(|_| ())
}

fn refused_leaves_no_trace<S: EventStore>(store: &S) -> Result<(), Violation> {
    accepted(store.append("a", None, None, &[b"1"]))?;
    let before = store.head();
    let refused = store.append("a", Some(9), Some("id"), &[b"2"]);
    ensure(refused == Err(Refused::WrongExpectedPosition), "refusal")?;
    ensure(
        store.append("a", None, None, &[]) == Err(Refused::Empty),
        "empty",
    )?;
    ensure(store.head() == before, "head")?;
    // The refused request's id is free.
    let first = accepted(store.append("a", Some(1), Some("id"), &[b"other"]))?;
    ensure(first == LeafIndex::new(1), "index")
}

fn idempotent<S: EventStore>(store: &S) -> Result<(), Violation> {
    let first = accepted(store.append("a", Some(0), Some("id"), &[b"1", b"2"]))?;
    accepted(store.append("a", None, None, &[b"3"]))?;
    let before = store.head();
    // The id is looked at before the expected position, which is wrong by now.
    let again = accepted(store.append("a", Some(0), Some("id"), &[b"1", b"2"]))?;
    ensure(again == first, "first answer")?;
    ensure(store.head() == before, "nothing appended")?;
    let other = store.append("a", Some(0), Some("id"), &[b"1", b"X"]);
    ensure(other == Err(Refused::RequestIdReused), "other body")
}

fn pinned_reads<S: EventStore>(store: &S) -> Result<(), Violation> {
    accepted(store.append("a", None, None, &[b"1", b"2"]))?;
    let (pinned, _) = store.head();
    accepted(store.append("a", None, None, &[b"3"]))?;
    let beyond = store.read(range(0, 3), pinned);
    ensure(beyond == Err(Refused::BeyondTreeSize), "beyond the pin")?;
    let unpublished = store.read(range(0, 1), TreeSize::new(4));
    ensure(
        unpublished == Err(Refused::BeyondTreeSize),
        "beyond the log",
    )?;
    let read = accepted(store.read(range(1, 2), pinned))?;
    ensure(
        read.len() == 1 && read.first().is_some_and(|(_, payload)| payload == b"2"),
        "leaf",
    )
}
