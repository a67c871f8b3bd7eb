//! From the edges, which must not block, to the use cases, which may.

use crate::App;
use crate::refusal::Refusal;
use crate::trace;
use std::sync::Arc;
use std::time::Instant;
use stella_proto::reason::Reason;

/// Runs a use case on a thread that may block, and that knows which call it works for. What nobody
/// waits for any more is not begun; what is begun is finished, whoever waits.
pub(crate) async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Arc<App>) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let app = Arc::clone(app);
    let call = trace::current();
    let working = tokio::task::spawn_blocking(move || {
        trace::working_for(call, || {
            if trace::deadline().is_some_and(|deadline| deadline <= Instant::now()) {
                let message = "the deadline passed before the work began";
                return Err(Refusal::new(Reason::DeadlineExceeded, message));
            }
            work(&app)
        })
    });
    match working.await {
        Ok(outcome) => outcome,
        Err(lost) => {
            let message = format!("a use case ended early: {lost}");
            Err(Refusal::new(Reason::Internal, message))
        }
    }
}
