//! A call as a whole: its ids, who it is from, how long it may take, how it ended.

mod body;
mod context;
mod layer;
mod otlp;

pub(crate) use context::Context;
pub(crate) use layer::TraceLayer;
pub use otlp::{OtlpError, Spans};

use crate::metrics::Entered;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

tokio::task_local! {
    static CALL: Arc<Call>;
}

/// One call under way.
#[derive(Debug)]
pub(crate) struct Call {
    context: Context,
    caller: OnceLock<Arc<str>>,
    deadline: OnceLock<Instant>,
    /// The place that this call takes among those that may be under way; given back when nothing
    /// works for the call any more.
    place: OnceLock<Entered>,
}

impl Call {
    fn new(context: Context) -> Self {
        Self {
            context,
            caller: OnceLock::new(),
            deadline: OnceLock::new(),
            place: OnceLock::new(),
        }
    }

    /// Says until when the caller waits.
    pub(crate) fn until(&self, deadline: Instant) {
        self.deadline.set(deadline).ok();
    }

    /// Says which place the call takes.
    pub(crate) fn takes(&self, place: Entered) {
        self.place.set(place).ok();
    }
}

/// The call that this task or thread works for; none outside of one.
pub(crate) fn current() -> Option<Arc<Call>> {
    CALL.try_with(Arc::clone).ok()
}

/// Works for a call on a thread of its own.
pub(crate) fn working_for<T>(call: Option<Arc<Call>>, work: impl FnOnce() -> T) -> T {
    match call {
        Some(call) => CALL.sync_scope(call, work),
        None => work(),
    }
}

/// The trace id of the call that this task answers; empty outside of one.
pub(crate) fn trace_id() -> String {
    let id = CALL.try_with(|call| call.context.trace_id.to_string());
    id.unwrap_or_default()
}

/// The id of the request that this task or thread works for; empty outside of one.
pub(crate) fn request_id() -> Arc<str> {
    let id = CALL.try_with(|call| Arc::clone(&call.context.request_id));
    id.unwrap_or_else(|_| Arc::from(""))
}

/// Says who the call is from, for the log.
pub(crate) fn identify(caller: &Arc<str>) {
    CALL.try_with(|call| call.caller.set(Arc::clone(caller)).ok())
        .ok();
}

/// Until when the caller waits, if that is known.
pub(crate) fn deadline() -> Option<Instant> {
    CALL.try_with(|call| call.deadline.get().copied())
        .ok()
        .flatten()
}

/// How long to wait for something: at most `most`, and not past the caller's deadline.
pub(crate) fn patience(most: Duration) -> Duration {
    let left = deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
    left.map_or(most, |left| left.min(most))
}
