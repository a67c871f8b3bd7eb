//! Work over several threads with a result that does not depend on them.

use super::EngineError;
use crate::engine::Threads;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Work units given to a thread at a time: small enough to balance, large enough to be rare.
const CHUNK: usize = 16;

/// Applies `work` to every item; results stand in the order of the items. Of several errors the
/// one of the first item is returned.
pub(super) fn map<T: Sync, R: Send>(
    items: &[T],
    threads: Threads,
    work: impl Fn(&T) -> Result<R, EngineError> + Sync,
) -> Result<Vec<R>, EngineError> {
    let threads = threads.get().min(items.len().div_ceil(CHUNK)).max(1);
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    let run = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = chunks.get(place) else {
                return done;
            };
            done.push((place, chunk.iter().map(&work).collect::<Vec<_>>()));
        }
    };
    let mut parts = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut parts = Vec::with_capacity(chunks.len());
        for handle in handles {
            parts.extend(handle.join().map_err(|_| EngineError::Thread)?);
        }
        Ok::<_, EngineError>(parts)
    })?;
    parts.sort_by_key(|(place, _)| *place);
    parts.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..1000).collect();
        for threads in [1, 2, 3, 16, 200] {
            let squares = map(&items, Threads::new(threads), |item| Ok(item * item)).unwrap();
            assert!(
                squares
                    .iter()
                    .zip(&items)
                    .all(|(square, item)| *square == item * item)
            );
            assert_eq!(squares.len(), items.len());
        }
    }

    #[test]
    fn the_first_items_error_is_returned() {
        let items: Vec<u32> = (0..1000).collect();
        let fail = |item: &u32| match item {
            300.. => Err(EngineError::Index {
                what: "item",
                place: *item,
            }),
            _ => Ok(()),
        };
        for threads in [1, 4] {
            let error = map(&items, Threads::new(threads), fail).unwrap_err();
            assert_eq!(
                error,
                EngineError::Index {
                    what: "item",
                    place: 300
                }
            );
        }
    }
}
