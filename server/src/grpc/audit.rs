//! `stella.audit.v1` over gRPC.

use super::blocking;
use crate::App;
use crate::app::{Export, Piece};
use std::ops::ControlFlow;
use std::sync::Arc;
use stella_proto::audit as wire;
use stella_proto::audit::audit_service_server::AuditService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Messages that wait for a slow reader; then reading pauses.
const PIECES_IN_FLIGHT: usize = 4;

type Answer = Result<wire::ExportEventsResponse, Status>;

pub(super) struct AuditRpc(pub(super) Arc<App>);

#[tonic::async_trait]
impl AuditService for AuditRpc {
    type ExportEventsStream = ReceiverStream<Answer>;

    async fn export_events(
        &self,
        request: Request<wire::ExportEventsRequest>,
    ) -> Result<Response<Self::ExportEventsStream>, Status> {
        let request = request.into_inner();
        let mut export = blocking(&self.0, move |app| app.begin_export(&request)).await?;
        let (sender, answers) = mpsc::channel(PIECES_IN_FLIGHT);
        let app = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let header = wire::ExportEventsResponse {
                header: std::mem::take(&mut export.header).into(),
                ..wire::ExportEventsResponse::default()
            };
            if !header.header.is_empty() && sender.blocking_send(Ok(header)).is_err() {
                return;
            }
            let send = |piece| match sender.blocking_send(Ok(answer(&export, piece))) {
                Ok(()) => ControlFlow::Continue(()),
                // Nobody listens any more.
                Err(_) => ControlFlow::Break(()),
            };
            if let Err(refusal) = app.export_body(export.range, export.next, |_| true, send) {
                sender.blocking_send(Err(refusal.into())).ok();
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

fn answer(export: &Export, piece: Piece) -> wire::ExportEventsResponse {
    wire::ExportEventsResponse {
        header: bytes::Bytes::new(),
        entries: piece.entries.into(),
        payloads: piece.payloads.into(),
        resume: piece.next.map(|next| wire::ResumeToken {
            from: export.range.start.get(),
            to: export.range.end.get(),
            next: next.get(),
        }),
    }
}
