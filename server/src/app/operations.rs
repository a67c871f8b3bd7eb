//! Long work as `google.longrunning` knows it: batches of replays and rebuilds under one roof.

use super::App;
use super::acts::Act;
use super::batch::job::Job;
use super::pages::page_size;
use super::rebuilds::{self, Rebuild};
use crate::auth::Caller;
use crate::refusal::Refusal;
use prost::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stella_proto::google::longrunning as wire;
use stella_proto::google::rpc;
use stella_proto::reason::Reason;
use stella_proto::replay::BatchReplayResult;
use wire::operation::Result as Ended;

/// Marks places among the rebuilds, which come after the batches; no log has that many leaves.
const REBUILD_PLACE: u64 = 1 << 63;

/// A piece of long work.
pub(crate) enum Work {
    /// A batch of replays.
    Batch(Arc<Job>),
    /// A rebuild of the projections.
    Rebuild(Arc<Rebuild>),
}

impl Work {
    /// Whether it has ended.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Batch(job) => job.is_done(),
            Self::Rebuild(rebuild) => rebuild.outcome().is_some(),
        }
    }

    /// What it is and how far.
    pub(crate) fn operation(&self) -> wire::Operation {
        match self {
            Self::Batch(job) => batch(&App::operation_of(job)),
            Self::Rebuild(rebuild) => of_rebuild(rebuild),
        }
    }
}

/// A batch as an operation.
pub(crate) fn batch(operation: &stella_proto::replay::Operation) -> wire::Operation {
    let ended = operation.done.then(|| {
        if operation.status == "cancelled" {
            let message = format!("{} was cancelled", operation.name);
            return Ended::Error(status(Refusal::new(Reason::OperationCancelled, message)));
        }
        let result = BatchReplayResult {
            operation: Some(operation.clone()),
        };
        Ended::Response(any("stella.replay.v1.BatchReplayResult", &result))
    });
    wire::Operation {
        name: operation.name.clone(),
        metadata: Some(any("stella.replay.v1.Operation", operation)),
        done: operation.done,
        result: ended,
    }
}

/// A rebuild as an operation.
pub(crate) fn of_rebuild(rebuild: &Rebuild) -> wire::Operation {
    let outcome = rebuild.outcome();
    wire::Operation {
        name: rebuild.name.clone(),
        metadata: Some(any("stella.admin.v1.RebuildProgress", &rebuild.progress())),
        done: outcome.is_some(),
        result: outcome.map(|outcome| match outcome {
            Ok(result) => Ended::Response(any("stella.admin.v1.RebuildResult", &result)),
            Err(refusal) => Ended::Error(status(refusal)),
        }),
    }
}

impl App {
    /// The work that an operation's name stands for.
    pub(crate) fn work(&self, name: &str) -> Result<Work, Refusal> {
        if !name.starts_with(rebuilds::PREFIX) {
            return self.job(name).map(Work::Batch);
        }
        let found = self.rebuilds.get(name).map(Work::Rebuild);
        found.ok_or_else(|| Refusal::new(Reason::NotFound, format!("there is no operation {name}")))
    }

    /// Waits until an operation is done or the time is over.
    pub(crate) fn wait_operation(
        &self,
        name: &str,
        patience: Duration,
    ) -> Result<wire::Operation, Refusal> {
        let until = Instant::now() + patience;
        let work = self.work(name)?;
        while !work.is_done() && Instant::now() < until {
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        Ok(work.operation())
    }

    /// Asks an operation to stop.
    pub(crate) fn cancel(&self, caller: &Caller, name: &str) -> Result<(), Refusal> {
        match self.work(name)? {
            Work::Batch(_) => {
                let request = stella_proto::replay::CancelOperationRequest {
                    name: name.to_owned(),
                    request_id: String::new(),
                };
                self.cancel_operation(caller, &request).map(|_| ())
            }
            Work::Rebuild(rebuild) => {
                // Who may start one may stop one.
                let act = Act::CancelRebuild;
                if !self.may(caller, act) {
                    let message = format!("{name} needs scope {}", act.scope());
                    return Err(Refusal::new(Reason::PermissionDenied, message));
                }
                if rebuild.outcome().is_none() {
                    self.record_act(caller, act, name)?;
                    rebuild.cancel();
                }
                Ok(())
            }
        }
    }

    /// A page of operations: batches, newest first, then rebuilds, newest first.
    pub(crate) fn list_work(
        &self,
        request: &wire::ListOperationsRequest,
    ) -> Result<wire::ListOperationsResponse, Refusal> {
        if !request.name.is_empty() {
            return Err(Refusal::field(
                "name",
                "is not empty: operations have no parent",
            ));
        }
        let done = match request.filter.replace(' ', "").as_str() {
            "" => None,
            "done=true" => Some(true),
            "done=false" => Some(false),
            _ => {
                return Err(Refusal::field(
                    "filter",
                    "is neither done=true nor done=false",
                ));
            }
        };
        let size = u32::try_from(request.page_size)
            .map_err(|_| Refusal::field("page_size", "is negative"))?;
        let size = page_size(size);
        let listing = self.tokens.listing("Operations", &[&request.filter]);
        let (view, from) = self.paged_at(listing, &request.page_token, None)?;
        let (mut shown, mut next) = (Vec::new(), None);
        if from.is_none_or(|at| at & REBUILD_PLACE == 0) {
            let (jobs, more) = self.jobs_at(&view, from, size)?;
            shown.extend(jobs.into_iter().map(Work::Batch));
            next = more;
        }
        if next.is_none() {
            let newest = from.filter(|at| at & REBUILD_PLACE != 0);
            let rebuilds = self.rebuilds.newest().into_iter();
            let mut rest = rebuilds.skip_while(|rebuild| {
                newest.is_some_and(|at| rebuild.number > at & !REBUILD_PLACE)
            });
            while shown.len() < size.get()
                && let Some(rebuild) = rest.next()
            {
                shown.push(Work::Rebuild(rebuild));
            }
            next = rest.next().map(|rebuild| rebuild.number | REBUILD_PLACE);
        }
        let operations = (shown.iter())
            .filter(|work| done.is_none_or(|done| work.is_done() == done))
            .map(Work::operation);
        Ok(wire::ListOperationsResponse {
            operations: operations.collect(),
            next_page_token: self.page_token(listing, view.size(), next),
        })
    }
}

/// How often an operation that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(50);

fn any(name: &str, message: &impl Message) -> prost_types::Any {
    prost_types::Any {
        type_url: format!("type.googleapis.com/{name}"),
        value: message.encode_to_vec(),
    }
}

/// A refusal as it stands in an operation.
fn status(refusal: Refusal) -> rpc::Status {
    let status = tonic::Status::from(refusal);
    // The details of a status are a `google.rpc.Status` that was encoded.
    rpc::Status::decode(status.details()).unwrap_or_else(|_| rpc::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    })
}
