//! Runs of events, shown to be exactly those of the signed tree.

use crate::edge::Edge;
use crate::error::{refused, unverified};
use crate::{ClientError, LogEvent, Verified, VerifyingLog};
use stella_proto::ledger as wire;
use stella_proto::reason::Reason;
use stella_verify::checkpoint::SignedCheckpoint;
use stella_verify::merkle::{Growth, LeafRange};
use stella_verify::units::TreeSize;

/// Events of one read at most: they are held in memory until the last one is shown to be true.
/// More come as an export.
pub const MAX_READ_EVENTS: u64 = 65_536;

/// A run of events, and the tree that they were checked against.
#[derive(Debug, Clone)]
pub struct Events {
    /// Every event of the range, in order.
    pub events: Vec<LogEvent>,
    /// The signed tree head.
    pub checkpoint: SignedCheckpoint,
}

impl VerifyingLog {
    /// The events of a range: each has the payload its leaf commits to, and the leaves are exactly
    /// those that the tree of the newest checkpoint has there, which in turn continues the
    /// remembered one.
    ///
    /// # Errors
    /// [`ClientError::Unverified`] for anything else, [`ClientError::Fork`] as
    /// [`Self::checkpoint`], [`ClientError::Refused`] when the range is beyond the tree or has
    /// more than [`MAX_READ_EVENTS`].
    pub async fn events(&mut self, range: LeafRange) -> Result<Verified<Events>, ClientError> {
        let (start, end) = (range.start.get(), range.end.get());
        let count = end.saturating_sub(start);
        if count > MAX_READ_EVENTS {
            let message = format!("{count} events in one read: at most {MAX_READ_EVENTS}");
            return Err(refused(Reason::TooLarge, message));
        }
        let checkpoint = self.checkpoint().await?;
        let size = checkpoint.head().size;
        if end > size.get() || start > end {
            let message = format!("events {start} to {end} of a tree of {size}");
            return Err(refused(Reason::BeyondTreeSize, message));
        }
        let mut edge = Edge::at(self.wire(), TreeSize::new(start)).await?;
        let mut events = Vec::new();
        if count > 0 {
            let request = wire::ReadEventsRequest {
                from: start,
                limit: count,
                tree_size: Some(size.get()),
            };
            let mut answers = self.wire().read_events(request).await?.into_inner();
            while let Some(answer) = answers.message().await? {
                for event in answer.events {
                    if edge.size().get() == end {
                        return Err(unverified("more events came than were asked for"));
                    }
                    events.push(edge.take(event, self.origin())?);
                }
            }
        }
        if edge.size().get() != end {
            let message = format!("{} events came of {count}", events.len());
            return Err(unverified(message));
        }
        self.joins(&edge, &checkpoint).await?;
        Ok(Verified::new(Events { events, checkpoint }))
    }

    /// Shows that a signed tree continues the one that ends with the events taken.
    pub(crate) async fn joins(
        &mut self,
        edge: &Edge,
        checkpoint: &SignedCheckpoint,
    ) -> Result<(), ClientError> {
        let heads = Growth {
            old: edge.head(),
            new: checkpoint.head(),
        };
        match self.consistent(heads).await {
            Ok(_) => Ok(()),
            // The log signed only one of the two: no fork, only events that are not its own.
            Err(ClientError::Fork(_)) => Err(unverified(format!(
                "the events up to {} are not those of the signed tree of {}",
                heads.old.size, heads.new.size
            ))),
            Err(problem) => Err(problem),
        }
    }
}
