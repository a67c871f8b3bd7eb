//! From the edges, which must not block, to the use cases, which may.

use crate::App;
use crate::refusal::Refusal;
use std::sync::Arc;
use stella_proto::reason::Reason;

/// Runs a use case on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Arc<App>) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let app = Arc::clone(app);
    match tokio::task::spawn_blocking(move || work(&app)).await {
        Ok(outcome) => outcome,
        Err(lost) => {
            let message = format!("a use case ended early: {lost}");
            Err(Refusal::new(Reason::Internal, message))
        }
    }
}
