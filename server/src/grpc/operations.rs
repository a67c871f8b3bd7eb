//! `google.longrunning.Operations`: all long work, as clients of any language know it.

use super::{blocking, caller};
use crate::App;
use crate::refusal::Refusal;
use std::sync::Arc;
use std::time::Duration;
use stella_proto::google::longrunning as wire;
use stella_proto::google::longrunning::operations_server::Operations;
use stella_proto::reason::Reason;
use tonic::{Request, Response, Status};

/// How long a wait lasts when it does not say, and at most.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_PATIENCE: Duration = Duration::from_mins(5);

/// How long before the call's deadline a wait answers.
const MARGIN: Duration = Duration::from_millis(250);

/// The service over one ledger.
pub(super) struct OperationsRpc(pub(super) Arc<App>);

#[tonic::async_trait]
impl Operations for OperationsRpc {
    async fn list_operations(
        &self,
        request: Request<wire::ListOperationsRequest>,
    ) -> Result<Response<wire::ListOperationsResponse>, Status> {
        let request = request.into_inner();
        let listed = blocking(&self.0, move |app| app.list_work(&request)).await?;
        Ok(Response::new(listed))
    }

    async fn get_operation(
        &self,
        request: Request<wire::GetOperationRequest>,
    ) -> Result<Response<wire::Operation>, Status> {
        let name = request.into_inner().name;
        let work = blocking(&self.0, move |app| app.work(&name)).await?;
        Ok(Response::new(work.operation()))
    }

    async fn delete_operation(
        &self,
        _: Request<wire::DeleteOperationRequest>,
    ) -> Result<Response<()>, Status> {
        let message = "operations are not deleted: what they did is recorded for good";
        Err(Refusal::new(Reason::MethodNotSupported, message).into())
    }

    async fn cancel_operation(
        &self,
        request: Request<wire::CancelOperationRequest>,
    ) -> Result<Response<()>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        blocking(&self.0, move |app| app.cancel(&caller, &name)).await?;
        Ok(Response::new(()))
    }

    async fn wait_operation(
        &self,
        request: Request<wire::WaitOperationRequest>,
    ) -> Result<Response<wire::Operation>, Status> {
        let deadline = request.metadata().get("grpc-timeout");
        let deadline = deadline
            .and_then(|text| text.to_str().ok())
            .and_then(timeout);
        let request = request.into_inner();
        let asked = match request.timeout {
            None => PATIENCE,
            Some(timeout) => Duration::try_from(timeout)
                .map_err(|problem| Status::from(Refusal::field("timeout", problem)))?,
        };
        let before = deadline.map_or(MAX_PATIENCE, |deadline| deadline.saturating_sub(MARGIN));
        let patience = asked.min(before).min(MAX_PATIENCE);
        let name = request.name;
        let waited = blocking(&self.0, move |app| app.wait_operation(&name, patience)).await?;
        Ok(Response::new(waited))
    }
}

/// The value of `grpc-timeout`: at most eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    let one = match unit {
        "H" => Duration::from_hours(1),
        "M" => Duration::from_mins(1),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    Some(one * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_has_digits_and_a_unit() {
        assert_eq!(timeout("2S"), Some(Duration::from_secs(2)));
        assert_eq!(timeout("1500m"), Some(Duration::from_millis(1500)));
        for bad in ["", "S", "2", "-2S", "123456789S", "2é", "2 S"] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }
}
