//! Following the log, verified step by step, across restarts of the server.

use crate::edge::Edge;
use crate::error::unverified;
use crate::retry::Repeats;
use crate::{ClientError, Events, RetryPolicy, Verified, VerifyingLog};
use stella_proto::ledger as wire;
use stella_verify::units::{LeafIndex, TreeSize};
use tokio::time::Instant;
use tonic::{Status, Streaming};

/// Events that may come before the checkpoint that covers them.
const MAX_STEP_EVENTS: usize = 65_536;

/// Bytes of leaves and payloads of one step, at most.
const MAX_STEP_BYTES: usize = 256 * 1024 * 1024;

/// The log from an index on.
///
/// Every step is a run of events and a signed checkpoint over them: the events are exactly the
/// leaves behind those of the step before, and each checkpoint continues the one before. When the
/// connection breaks, the next one goes on behind the last step that was handed out: no event is
/// lost or comes twice.
#[derive(Debug)]
pub struct Tail {
    log: VerifyingLog,
    policy: RetryPolicy,
    answers: Option<Streaming<wire::TailResponse>>,
    /// The tree up to the last step.
    edge: Edge,
}

impl VerifyingLog {
    /// Follows the log from an index on, which must not lie beyond its newest tree. `policy` says
    /// how long a server may be away.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the log has not come that far.
    pub async fn tail(mut self, from: LeafIndex, policy: RetryPolicy) -> Result<Tail, ClientError> {
        let edge = Edge::at(self.wire(), TreeSize::new(from.get())).await?;
        Ok(Tail {
            log: self,
            policy,
            answers: None,
            edge,
        })
    }
}

impl Tail {
    /// Where the next step begins.
    #[must_use]
    pub fn position(&self) -> LeafIndex {
        LeafIndex::new(self.edge.size().get())
    }

    /// Waits for the next step; as long as the log does not grow, for ever. Giving up the wait
    /// loses nothing.
    ///
    /// # Errors
    /// [`ClientError::Unverified`] for events that are not the log's, [`ClientError::Fork`] for a
    /// checkpoint that does not continue the last one, and what the server refuses or the
    /// connection breaks with for longer than the policy allows. The tail may be asked again: it
    /// goes on behind the last step.
    pub async fn next(&mut self) -> Result<Verified<Events>, ClientError> {
        let policy = self.policy.clone();
        let mut repeats = Repeats::start(&policy);
        loop {
            // Taken out while it is read: whatever goes wrong below, the next call connects anew.
            let broken = match self.connected().await {
                Ok(mut answers) => {
                    let opened = Instant::now();
                    let broken = match self.step(&mut answers).await {
                        Ok(Some(step)) => {
                            self.answers = Some(answers);
                            return Ok(Verified::new(step));
                        }
                        Ok(None) => Status::unavailable("the tail ended"),
                        Err(Broken::Answer(problem)) => return Err(problem),
                        Err(Broken::Transport(status)) => status,
                    };
                    repeats.held_since(opened);
                    broken
                }
                Err(status) => status,
            };
            repeats.wait(broken).await?;
        }
    }

    async fn connected(&mut self) -> Result<Streaming<wire::TailResponse>, Status> {
        if let Some(answers) = self.answers.take() {
            return Ok(answers);
        }
        let request = wire::TailRequest {
            from: self.edge.size().get(),
        };
        Ok(self.log.wire().tail(request).await?.into_inner())
    }

    /// The events up to the next checkpoint; `None` at the stream's end.
    async fn step(
        &mut self,
        answers: &mut Streaming<wire::TailResponse>,
    ) -> Result<Option<Events>, Broken> {
        // What came of a step that is not complete is forgotten with its connection.
        let mut edge = self.edge.clone();
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(answer) = answers.message().await.map_err(Broken::Transport)? {
            for event in answer.events {
                bytes += event.leaf.len() + event.payload.len();
                if events.len() == MAX_STEP_EVENTS || bytes > MAX_STEP_BYTES {
                    return Err(unverified("too much came without a checkpoint").into());
                }
                events.push(edge.take(event, self.log.origin())?);
            }
            if answer.checkpoint.is_empty() {
                continue;
            }
            let checkpoint = self.log.accept(&answer.checkpoint).await?;
            if checkpoint.head().size < edge.size() {
                return Err(unverified("a checkpoint does not cover its events").into());
            }
            self.log.joins(&edge, &checkpoint).await?;
            self.edge = edge;
            return Ok(Some(Events { events, checkpoint }));
        }
        Ok(None)
    }
}

/// Why a step did not come.
enum Broken {
    /// The connection; another one may do.
    Transport(Status),
    /// What came; asking again does not make it true.
    Answer(ClientError),
}

impl From<ClientError> for Broken {
    fn from(problem: ClientError) -> Self {
        Self::Answer(problem)
    }
}
