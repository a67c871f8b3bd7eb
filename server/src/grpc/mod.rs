//! gRPC: each service a thin translation between wire messages and use cases.

mod admin;
mod append;
mod audit;
mod ledger;
mod operations;
mod proof;
pub(crate) mod read;
mod replay;
mod scan;
mod score;
mod snapshot;

use crate::App;
use crate::auth::Caller;
use crate::blocking::blocking;
use crate::limits::MAX_MESSAGE_BYTES;
use crate::refusal::Refusal;
use std::sync::Arc;
use stella_proto::reason::Reason;
use tonic::service::Routes;
use tonic::{Request, Status};

use stella_proto::admin::admin_service_server::AdminServiceServer;
use stella_proto::audit::audit_service_server::AuditServiceServer;
use stella_proto::google::longrunning::operations_server::OperationsServer;
use stella_proto::ledger::ledger_service_server::LedgerServiceServer;
use stella_proto::proof::proof_service_server::ProofServiceServer;
use stella_proto::replay::replay_service_server::ReplayServiceServer;
use stella_proto::scan::scan_service_server::ScanServiceServer;
use stella_proto::score::score_service_server::ScoreServiceServer;
use stella_proto::snapshot::snapshot_service_server::SnapshotServiceServer;

/// Every gRPC service over a ledger.
pub(crate) fn routes(app: &Arc<App>) -> Routes {
    let ledger = LedgerServiceServer::new(ledger::LedgerRpc(Arc::clone(app)))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let scans = ScanServiceServer::new(scan::ScanRpc(Arc::clone(app)))
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    Routes::new(ledger)
        .add_service(scans)
        .add_service(AdminServiceServer::new(admin::AdminRpc(Arc::clone(app))))
        .add_service(OperationsServer::new(operations::OperationsRpc(
            Arc::clone(app),
        )))
        .add_service(AuditServiceServer::new(audit::AuditRpc(Arc::clone(app))))
        .add_service(ProofServiceServer::new(proof::ProofRpc(Arc::clone(app))))
        .add_service(ReplayServiceServer::new(replay::ReplayRpc(Arc::clone(app))))
        .add_service(ScoreServiceServer::new(score::ScoreRpc(Arc::clone(app))))
        .add_service(SnapshotServiceServer::new(snapshot::SnapshotRpc(
            Arc::clone(app),
        )))
}

/// Adds what is answered without a ledger: reflection.
pub(crate) fn own_routes(routes: Routes) -> Routes {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(stella_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    match reflection {
        Ok(service) => routes.add_service(service),
        // The checked-in descriptors are tested; without reflection everything else still works.
        Err(_) => routes,
    }
}

/// Who a call is from.
fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| {
        Refusal::new(
            Reason::Internal,
            "a call passed without its caller being known",
        )
        .into()
    })
}

/// A hash from a request field.
fn hash<T>(field: &str, text: &str) -> Result<T, Refusal>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|problem| Refusal::field(field, problem))
}
