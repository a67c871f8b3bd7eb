//! Repeats under a clock that stands still until it is asked to wait.

use super::*;
use std::sync::Mutex;
use tonic_types::ErrorDetails;

/// Half of what may be waited, each time.
fn policy() -> RetryPolicy {
    RetryPolicy {
        first_pause: Duration::from_secs(2),
        longest_pause: Duration::from_secs(6),
        deadline: Duration::from_mins(1),
        jitter: Arc::new(|longest| longest / 2),
    }
}

fn refusal(reason: Reason, retry: Option<Duration>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason.name(), DOMAIN, std::collections::HashMap::new());
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(reason.meaning().grpc, "refused", details)
}

/// How many calls were made and how long it took, when the first `failures` fail.
async fn outcome(failures: usize, failed: Status) -> (usize, Duration, Result<(), Reason>) {
    let calls = Mutex::new(0);
    let start = Instant::now();
    let answer = repeat(&policy(), || {
        let mut made = calls.lock().unwrap();
        *made += 1;
        let answer = if *made > failures {
            Ok(())
        } else {
            Err(failed.clone())
        };
        async { answer }
    })
    .await;
    let made = *calls.lock().unwrap();
    (
        made,
        start.elapsed(),
        answer.map_err(|error| error.reason()),
    )
}

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_the_longest() {
    let (calls, took, answer) = outcome(4, Status::unavailable("gone")).await;
    assert_eq!((calls, answer), (5, Ok(())));
    // Halves of 2, 4, 6 and 6 seconds.
    assert_eq!(took.as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn the_servers_pause_is_kept() {
    let wait = Duration::from_secs(7);
    let (calls, took, answer) = outcome(1, refusal(Reason::QueueFull, Some(wait))).await;
    assert_eq!((calls, answer), (2, Ok(())));
    assert_eq!(took.as_secs(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_asked_again() {
    for reason in [
        Reason::InvalidArgument,
        Reason::RequestIdReused,
        Reason::Unauthenticated,
    ] {
        let (calls, took, answer) = outcome(1, refusal(reason, None)).await;
        assert_eq!((calls, took, answer), (1, Duration::ZERO, Err(reason)));
    }
    // A limit without a time to come back is none that waiting helps against.
    let (calls, _, answer) = outcome(1, refusal(Reason::ResourceExhausted, None)).await;
    assert_eq!((calls, answer), (1, Err(Reason::ResourceExhausted)));
    let (calls, _, _) = outcome(1, Status::internal("a bug")).await;
    assert_eq!(calls, 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_for_all_tries_together() {
    let (calls, took, answer) = outcome(usize::MAX, Status::unavailable("gone")).await;
    assert_eq!(answer, Err(Reason::Unavailable));
    assert!(
        took <= Duration::from_mins(1) && calls > 10,
        "{calls} calls in {took:?}"
    );
    let start = Instant::now();
    let never = repeat(&policy(), std::future::pending::<Result<(), Status>>).await;
    assert_eq!(never.unwrap_err().reason(), Reason::DeadlineExceeded);
    assert_eq!(start.elapsed().as_secs(), 60);
}
