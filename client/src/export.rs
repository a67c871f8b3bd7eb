//! An audit export as it comes from a server, taken up again where it breaks off.

use crate::error::unverified;
use crate::{ClientError, Connection, LogTrust, Verified};
use std::time::Duration;
use stella_proto::audit as wire;
use stella_proto::reason::Reason;
use stella_verify::export::{ExportTrust, ExportVerifier, ExportedEvent, VerifiedExport};
use stella_verify::limits::{MAX_EXPORT_ENTRIES_BYTES, MAX_PAYLOAD_BYTES, TILE_WIDTH};
use tonic::Streaming;

/// Tries to go on without any progress in between.
const MAX_TRIES: u32 = 5;

/// The pause before the first try; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Bytes of an entry bundle with its payloads, at most.
const MAX_BUNDLE_BYTES: usize = MAX_EXPORT_ENTRIES_BYTES + TILE_WIDTH * (MAX_PAYLOAD_BYTES + 64);

/// The file of an export in pieces: its header, then whole entry bundles.
///
/// The pieces are not verified: take them with [`Self::verified`], or keep the file and feed it to an
/// [`ExportVerifier`].
#[derive(Debug)]
pub struct ExportStream {
    connection: Connection,
    answers: Streaming<wire::ExportEventsResponse>,
    resume: Option<wire::ResumeToken>,
    /// What came of the header or of the current bundle; its memory is used again.
    piece: Vec<u8>,
    tries: u32,
}

impl ExportStream {
    /// Begins an export, or goes on with one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn start(
        connection: &Connection,
        request: wire::ExportEventsRequest,
    ) -> Result<Self, ClientError> {
        let resume = request.resume;
        let answers = connection.audit().export_events(request).await?;
        Ok(Self {
            connection: connection.clone(),
            answers: answers.into_inner(),
            resume,
            piece: Vec::new(),
            tries: 0,
        })
    }

    /// The next bytes of the file; `None` behind the last one.
    ///
    /// # Errors
    /// [`ClientError`], when going on failed too or makes no sense.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, ClientError> {
        self.piece.clear();
        let more = loop {
            match self.answers.message().await {
                Ok(Some(answer)) => {
                    if self.take(&answer)? {
                        break true;
                    }
                }
                Ok(None) if self.resume.is_some_and(|at| at.next == at.to) => break false,
                Ok(None) => {
                    self.go_on(tonic::Status::unavailable("the export ended early"))
                        .await?;
                }
                Err(status) => self.go_on(status).await?,
            }
        };
        self.tries = 0;
        Ok(more.then_some(&self.piece))
    }

    /// Reads the export to its end and verifies it while it comes, in memory that does not grow with
    /// it. Events are handed out as they come: that nothing is missing, added or out of place is
    /// known only when this answers.
    ///
    /// # Errors
    /// [`ClientError::Unverified`], and as [`Self::next`].
    pub async fn verified(
        mut self,
        trust: &LogTrust,
        mut visit: impl FnMut(&ExportedEvent<'_>),
    ) -> Result<Verified<VerifiedExport>, ClientError> {
        let mut verifier = ExportVerifier::new(ExportTrust::Log {
            keys: &trust.keys,
            origin: Some(&trust.origin),
        });
        while let Some(piece) = self.next().await? {
            verifier.push(piece, &mut visit).map_err(unverified)?;
        }
        verifier.finish().map(Verified::new).map_err(unverified)
    }

    /// Adds an answer; whether the header or a whole bundle is complete.
    fn take(&mut self, answer: &wire::ExportEventsResponse) -> Result<bool, ClientError> {
        let size = self.piece.len() + answer.entries.len() + answer.payloads.len();
        if size > MAX_BUNDLE_BYTES {
            let message = "an entry bundle is larger than it may be".to_owned();
            return Err(ClientError::Unverified(message));
        }
        for part in [&answer.header, &answer.entries, &answer.payloads] {
            self.piece.extend_from_slice(part);
        }
        if answer.resume.is_some() {
            self.resume = answer.resume;
        }
        Ok(!answer.header.is_empty() || answer.resume.is_some())
    }

    /// Asks for the rest, unless the server refused or it was asked too often.
    async fn go_on(&mut self, broken: tonic::Status) -> Result<(), ClientError> {
        let mut problem = ClientError::from(broken);
        let Some(resume) = self.resume else {
            return Err(problem);
        };
        // What came of a bundle that is not complete comes again.
        self.piece.clear();
        while problem.reason() == Reason::Unavailable && self.tries < MAX_TRIES {
            tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(self.tries)).await;
            self.tries += 1;
            let request = wire::ExportEventsRequest {
                resume: Some(resume),
                ..wire::ExportEventsRequest::default()
            };
            match self.connection.audit().export_events(request).await {
                Ok(answers) => {
                    self.answers = answers.into_inner();
                    return Ok(());
                }
                Err(status) => problem = status.into(),
            }
        }
        Err(problem)
    }
}
