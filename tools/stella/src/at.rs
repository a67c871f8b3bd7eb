//! `--at`: a point of the log's history.

use crate::commands::ledger::TrustedLog;
use crate::failure::Failure;
use crate::session::Session;
use clap::Args;
use std::path::Path;
use stella_proto::ledger::ReadEventsRequest;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::SignedCheckpoint;
use stella_verify::event::EventHeader;
use stella_verify::hash::RootHash;
use stella_verify::merkle::{Growth, TreeHead};
use stella_verify::time::parse_time;
use tokio_stream::StreamExt as _;

/// As of which tree a question is answered.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct At {
    /// As of a tree size, a checkpoint (a file) or a time (2026-01-31 or RFC 3339)
    ///
    /// A checkpoint must be signed by the log's key, and the log must continue it: another history
    /// is a fork (exit 20).
    #[arg(long, alias = "tree-size", value_name = "SIZE|FILE|TIME")]
    at: Option<String>,
    #[command(flatten)]
    trust: TrustedLog,
}

/// What the word of `--at` is, before anything is asked or checked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word<'a> {
    Size(u64),
    Time(u64),
    File(&'a Path),
}

/// A point of the log's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A tree; with its root where a checkpoint says it.
    Tree(u64, Option<RootHash>),
    /// The leaves that are not later than this, Unix milliseconds.
    Time(u64),
}

impl At {
    fn word(&self) -> Option<Word<'_>> {
        let word = self.at.as_deref()?;
        if let Ok(size) = word.parse() {
            return Some(Word::Size(size));
        }
        Some(time(word).map_or(Word::File(Path::new(word)), Word::Time))
    }

    /// What the words mean; `None` without any. A checkpoint is one that the log has signed and
    /// that its newest tree continues.
    pub(crate) async fn point(&self, session: &Session) -> Result<Option<Point>, Failure> {
        Ok(match self.word() {
            None => None,
            Some(Word::Size(size)) => Some(Point::Tree(size, None)),
            Some(Word::Time(time)) => Some(Point::Time(time)),
            Some(Word::File(path)) => {
                let head = self.signed_head(path, session).await?;
                Some(Point::Tree(head.size.get(), Some(head.root)))
            }
        })
    }

    /// The tree of a checkpoint's file, checked against the log's key and the log.
    async fn signed_head(&self, path: &Path, session: &Session) -> Result<TreeHead, Failure> {
        let bytes = std::fs::read(path).map_err(|problem| match problem.kind() {
            std::io::ErrorKind::NotFound => Failure::usage(
                format!(
                    "--at {}: neither a size nor a time, and no file of that name is there",
                    path.display()
                ),
                "write for example 4711, 2026-01-31, 2026-01-31T12:00:00Z or checkpoint.txt",
            ),
            _ => Failure::file(path, &problem),
        })?;
        let (trust, mut log) = self.trust.open_with_trust(session).await?;
        let signed = SignedCheckpoint::open(&bytes, &trust.keys, Some(&trust.origin));
        let kept = signed.map_err(|problem| {
            let message = format!("{}: {problem}", path.display());
            Failure::of(Reason::VerificationFailed, message)
        })?;
        let newest = log.checkpoint().await?.head();
        let kept = kept.head();
        // One that is larger than the log must be continued, too: the log once had it.
        let heads = if kept.size <= newest.size {
            Growth {
                old: kept,
                new: newest,
            }
        } else {
            Growth {
                old: newest,
                new: kept,
            }
        };
        log.consistent(heads).await?;
        Ok(kept)
    }

    /// The tree size; `None` for the newest.
    pub(crate) async fn tree_size(&self, session: &Session) -> Result<Option<u64>, Failure> {
        Ok(match self.point(session).await? {
            None => None,
            Some(Point::Tree(size, _)) => Some(size),
            Some(Point::Time(time)) => Some(size_at(session, time).await?),
        })
    }
}

/// A day (its end) or a time, in Unix milliseconds.
fn time(word: &str) -> Option<u64> {
    let day = word.len() == 10;
    let text = if day {
        format!("{word}T23:59:59.999Z")
    } else if word.ends_with('Z') && !word.contains('.') {
        format!("{}.000Z", word.trim_end_matches('Z'))
    } else {
        word.to_owned()
    };
    parse_time(&text)
        .ok()
        .map(stella_verify::units::UnixMillis::get)
}

/// How many leaves are not later than a time. Times never fall, so the log is halved.
async fn size_at(session: &Session, time: u64) -> Result<u64, Failure> {
    let request = stella_proto::admin::GetStatusRequest {};
    let status = session.connection().admin().get_status(request).await?;
    let (mut low, mut high) = (0, status.into_inner().tree_size);
    while low < high {
        let middle = low + (high - low) / 2;
        if time_of(session, middle).await? <= time {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

async fn time_of(session: &Session, leaf: u64) -> Result<u64, Failure> {
    let request = ReadEventsRequest {
        from: leaf,
        limit: 1,
        tree_size: None,
    };
    let mut answers = session
        .connection()
        .ledger()
        .read_events(request)
        .await?
        .into_inner();
    while let Some(answer) = answers.next().await {
        if let Some(event) = answer?.events.first() {
            let header = EventHeader::decode(&event.leaf).map_err(Failure::operational)?;
            return Ok(header.time.get());
        }
    }
    let message = format!("the log has no leaf {leaf}");
    Err(Failure::of(Reason::BeyondTreeSize, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_sizes_times_and_files() {
        let at = |word: &str| At {
            at: Some(word.to_owned()),
            ..At::default()
        };
        let check = |word: &str, expected| assert_eq!(at(word).word(), Some(expected));
        check("42", Word::Size(42));
        check("1970-01-01T00:00:01Z", Word::Time(1_000));
        check("1970-01-01T00:00:01.250Z", Word::Time(1_250));
        check("1970-01-01", Word::Time(86_399_999));
        check("kept.txt", Word::File(Path::new("kept.txt")));
        assert_eq!(At::default().word(), None);
    }
}
