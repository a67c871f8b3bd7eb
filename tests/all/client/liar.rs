//! A server between an honest one and a client, that changes what passes.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use stella_client::{Authorized, Connection};
use stella_proto::ledger as wire;
use stella_proto::ledger::ledger_service_client::LedgerServiceClient;
use stella_proto::ledger::ledger_service_server::{LedgerService, LedgerServiceServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    Nothing,
    /// Another root in a checkpoint, under the old signature.
    WrongRoot,
    /// A checkpoint that was true once.
    OldCheckpoint,
    /// A proof without its last hash.
    ShortProof,
    /// A proof for the tree one leaf smaller.
    OtherSize,
    /// Two events in each other's place.
    Reordered,
    /// Two events in each other's place, each under the other's index.
    Renumbered,
    /// Two events with each other's payload.
    SwappedPayloads,
    /// A payload called erased that is not.
    Erased,
    /// The last event of each message left out.
    Missing,
    /// An event that the log does not have, at the end.
    Added,
}

struct State {
    honest: LedgerServiceClient<Authorized>,
    lie: Lie,
    old: wire::GetCheckpointResponse,
}

/// The liar; its clones are one.
#[derive(Clone)]
pub(super) struct Liar(Arc<Mutex<State>>);

impl Liar {
    /// Stands before a server, on a port of its own; remembers the checkpoint of this moment.
    pub(super) async fn before(honest: &Connection) -> (Self, Connection) {
        let mut ledger = honest.ledger();
        let old = ledger
            .get_checkpoint(wire::GetCheckpointRequest::default())
            .await;
        let liar = Self(Arc::new(Mutex::new(State {
            honest: ledger,
            lie: Lie::Nothing,
            old: old.unwrap().into_inner(),
        })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = LedgerServiceServer::new(liar.clone());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        (liar, Connection::to(&url, None).await.unwrap())
    }

    pub(super) fn tell(&self, lie: Lie) {
        self.0.lock().unwrap().lie = lie;
    }

    /// Passes calls to another server from now on.
    pub(super) fn turn_to(&self, honest: &Connection) {
        self.0.lock().unwrap().honest = honest.ledger();
    }

    fn honest(&self) -> LedgerServiceClient<Authorized> {
        self.0.lock().unwrap().honest.clone()
    }

    fn lie(&self) -> Lie {
        self.0.lock().unwrap().lie
    }

    fn note(&self, note: &mut bytes::Bytes) {
        match self.lie() {
            Lie::WrongRoot => {
                let text = String::from_utf8(note.to_vec()).unwrap();
                let root = text.lines().nth(2).unwrap();
                let mut other = root.to_owned().into_bytes();
                other[5] = if other[5] == b'A' { b'B' } else { b'A' };
                *note = text
                    .replace(root, std::str::from_utf8(&other).unwrap())
                    .into();
            }
            Lie::OldCheckpoint => *note = self.0.lock().unwrap().old.checkpoint.clone(),
            _ => (),
        }
    }

    fn events(&self, events: &mut Vec<wire::Event>) {
        if events.len() < 2 {
            return;
        }
        match self.lie() {
            Lie::Reordered => events.swap(0, 1),
            Lie::Renumbered => {
                events.swap(0, 1);
                let first = events[1].leaf_index;
                (events[0].leaf_index, events[1].leaf_index) = (first, first + 1);
            }
            Lie::SwappedPayloads => {
                let (payload, salt) = (events[0].payload.clone(), events[0].salt.clone());
                events[0].payload = std::mem::replace(&mut events[1].payload, payload);
                events[0].salt = std::mem::replace(&mut events[1].salt, salt);
            }
            Lie::Erased => events[0].erased = true,
            Lie::Missing => drop(events.pop()),
            Lie::Added => {
                let mut more = events.last().unwrap().clone();
                more.leaf_index += 1;
                events.push(more);
            }
            _ => (),
        }
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream of answers, each changed on its way.
fn changed<T: Send + 'static>(
    answers: Response<Streaming<T>>,
    change: impl Fn(&mut T) + Send + 'static,
) -> Response<Answers<T>> {
    let answers = answers.into_inner().map(move |answer| {
        let mut answer = answer?;
        change(&mut answer);
        Ok(answer)
    });
    Response::new(Box::pin(answers))
}

#[tonic::async_trait]
impl LedgerService for Liar {
    type ReadEventsStream = Answers<wire::ReadEventsResponse>;
    type ReadStreamStream = Answers<wire::ReadStreamResponse>;
    type TailStream = Answers<wire::TailResponse>;

    async fn append(
        &self,
        request: Request<wire::AppendRequest>,
    ) -> Result<Response<wire::AppendResponse>, Status> {
        self.honest().append(request.into_inner()).await
    }

    async fn append_stream(
        &self,
        _: Request<Streaming<wire::AppendStreamRequest>>,
    ) -> Result<Response<wire::AppendStreamResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn get_checkpoint(
        &self,
        request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        let mut answer = self.honest().get_checkpoint(request.into_inner()).await?;
        self.note(&mut answer.get_mut().checkpoint);
        Ok(answer)
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<wire::GetInclusionProofRequest>,
    ) -> Result<Response<wire::GetInclusionProofResponse>, Status> {
        let mut request = request.into_inner();
        let newest = self
            .honest()
            .get_inclusion_proof(request)
            .await?
            .into_inner();
        let mut answer = newest.clone();
        match self.lie() {
            Lie::ShortProof => drop(answer.hashes.pop()),
            Lie::OtherSize => {
                request.tree_size = Some(newest.tree_size - 1);
                answer = self
                    .honest()
                    .get_inclusion_proof(request)
                    .await?
                    .into_inner();
                answer.checkpoint = newest.checkpoint;
            }
            _ => self.note(&mut answer.checkpoint),
        }
        Ok(Response::new(answer))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<wire::GetConsistencyProofRequest>,
    ) -> Result<Response<wire::GetConsistencyProofResponse>, Status> {
        let mut answer = self
            .honest()
            .get_consistency_proof(request.into_inner())
            .await?;
        if self.lie() == Lie::ShortProof {
            answer.get_mut().hashes.pop();
        }
        Ok(answer)
    }

    async fn read_events(
        &self,
        request: Request<wire::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let (answers, liar) = (
            self.honest().read_events(request.into_inner()).await?,
            self.clone(),
        );
        Ok(changed(
            answers,
            move |answer: &mut wire::ReadEventsResponse| {
                liar.events(&mut answer.events);
            },
        ))
    }

    async fn read_stream(
        &self,
        request: Request<wire::ReadStreamRequest>,
    ) -> Result<Response<Self::ReadStreamStream>, Status> {
        let answers = self.honest().read_stream(request.into_inner()).await?;
        Ok(changed(answers, |_| ()))
    }

    async fn tail(
        &self,
        request: Request<wire::TailRequest>,
    ) -> Result<Response<Self::TailStream>, Status> {
        let (answers, liar) = (
            self.honest().tail(request.into_inner()).await?,
            self.clone(),
        );
        Ok(changed(answers, move |answer: &mut wire::TailResponse| {
            liar.events(&mut answer.events);
            if !answer.checkpoint.is_empty() {
                liar.note(&mut answer.checkpoint);
            }
        }))
    }
}
