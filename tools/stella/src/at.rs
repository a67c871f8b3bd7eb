//! `--at`: a point of the log's history.

use crate::failure::Failure;
use crate::session::Session;
use clap::Args;
use std::path::Path;
use stella_proto::ledger::ReadEventsRequest;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::Checkpoint;
use stella_verify::event::EventHeader;
use stella_verify::note::Note;
use stella_verify::time::parse_time;
use tokio_stream::StreamExt as _;

/// As of which tree a question is answered.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct At {
    /// As of a tree size, a checkpoint (a file) or a time (2026-01-31 or RFC 3339)
    #[arg(long, value_name = "SIZE|FILE|TIME")]
    at: Option<String>,
}

/// A point of the history, before the log is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Point {
    /// A tree, with its root where a checkpoint says it.
    Tree(u64, Option<String>),
    /// The leaves that are not later than this, Unix milliseconds.
    Time(u64),
}

impl At {
    /// What the words mean; `None` without any.
    pub(crate) fn point(&self) -> Result<Option<Point>, Failure> {
        let Some(word) = &self.at else {
            return Ok(None);
        };
        if let Ok(size) = word.parse() {
            return Ok(Some(Point::Tree(size, None)));
        }
        if let Some(time) = time(word) {
            return Ok(Some(Point::Time(time)));
        }
        let path = Path::new(word);
        let bytes = crate::commands::scan::read(path)?;
        let note = Note::parse(&bytes).ok();
        let checkpoint = note.and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
        let Some(checkpoint) = checkpoint else {
            return Err(Failure::usage(
                format!("--at {word}: neither a size nor a time nor a checkpoint"),
                "write for example 4711, 2026-01-31 or 2026-01-31T12:00:00Z, or name a file",
            ));
        };
        let head = checkpoint.head;
        Ok(Some(Point::Tree(
            head.size.get(),
            Some(head.root.to_string()),
        )))
    }

    /// The tree size; `None` for the newest.
    pub(crate) async fn tree_size(&self, session: &Session) -> Result<Option<u64>, Failure> {
        Ok(match self.point()? {
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
    fn words_name_sizes_and_times() {
        let point = |word: &str| {
            let at = At {
                at: Some(word.to_owned()),
            };
            at.point().unwrap().unwrap()
        };
        assert_eq!(point("42"), Point::Tree(42, None));
        assert_eq!(point("1970-01-01T00:00:01Z"), Point::Time(1_000));
        assert_eq!(point("1970-01-01T00:00:01.250Z"), Point::Time(1_250));
        assert_eq!(point("1970-01-01"), Point::Time(86_399_999));
        let at = At {
            at: Some("yesterday".to_owned()),
        };
        assert!(at.point().is_err());
        assert_eq!(At::default().point().unwrap(), None);
    }
}
