//! The one table of series: name, kind, labels, meaning. `docs/metrics.md` is this table, checked
//! by a test; a scrape has every row of it, in this order.

/// How a series behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size; classic buckets, and native ones where the format has them.
    Histogram,
}

macro_rules! series {
    ($($variant:ident $name:literal $kind:ident $labels:literal $help:literal;)*) => {
        /// A series of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Series {
            $(#[doc = $help] $variant,)*
        }

        impl Series {
            /// Every series, in the order of the table.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the wire.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How it behaves.
            pub(crate) const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Names of its labels, separated by commas; empty for none.
            #[cfg(test)]
            pub(crate) const fn labels(self) -> &'static str {
                match self { $(Self::$variant => $labels,)* }
            }

            /// What it says, one sentence without its full stop.
            pub(crate) const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }
        }
    };
}

series! {
    ReplayDuration "score_replay_duration_seconds" Histogram "" "Time to replay a score, from the request or the job's turn to the durable result";
    Replays "score_replays_total" Counter "outcome" "Replays that ended: computed, verified, unchanged, dry-run or failed";
    ReplayQueue "replay_queue_depth" Gauge "" "Replays that wait or run: scans of batches without a result, and single replays under way";
    Verifications "proof_verifications_total" Counter "result" "Proof bundles that the server verified: verified or failed";
    VerificationFailures "proof_verification_failures_total" Counter "" "Proof bundles that did not verify";
    VerificationRate "proof_verification_success_rate" Gauge "" "Share of the verifications of the last 15 minutes that succeeded, 0 to 1; 1 when there was none";
    AttestorFailures "attestor_verification_failures_total" Counter "check" "Checks that failed in verifications of attestations, by the check";
    BundleSize "proof_bundle_size_bytes" Histogram "" "Size of the proof bundles that were built";
    BundleStorage "proof_bundle_storage_bytes" Gauge "part" "Bytes on disk of what bundles are built from: log, index and blobs, as of at most a minute ago";
    GenerationFailures "proof_generation_failures" Gauge "" "Proofs that could not be generated in the last hour, through no fault of the caller";
    GenerationFailuresTotal "proof_generation_failures_total" Counter "" "Proofs that could not be generated, through no fault of the caller";
    LogEvents "stella_log_events" Gauge "" "Events in the log";
    AppendDuration "stella_log_append_duration_seconds" Histogram "" "Time from a request's submission to the log to its durable answer or refusal";
    Commits "stella_log_commits_total" Counter "" "Commits: each is one write and one fdatasync";
    CommitEvents "stella_log_commit_events" Histogram "" "Events that shared a commit";
    CommitBytes "stella_log_written_bytes_total" Counter "" "Bytes of the frames written to the log";
    SyncDuration "stella_log_fsync_duration_seconds" Histogram "" "Duration of the log's fdatasync calls";
    Poisoned "stella_log_poisoned" Gauge "" "1 when a write of the log failed and the server must be restarted, else 0";
    ProjectionLag "stella_projection_lag_events" Gauge "" "Events in the log that the projections have not folded yet";
    Refolds "stella_projection_refolds_total" Counter "" "How often the projections were dropped and folded again";
    CheckpointAge "stella_checkpoint_age_seconds" Gauge "" "Age of the newest signed checkpoint; grows while nothing is appended";
    Ready "stella_ready" Gauge "" "1 while the server takes calls, 0 while it opens its ledger or stops";
    RefoldDone "stella_refold_events" Gauge "" "Events folded so far while the ledger is opened";
    Requests "stella_requests_total" Counter "method,code" "Requests that ended, by method and code: the gRPC code by name, or the HTTP status";
    RequestDuration "stella_request_duration_seconds" Histogram "method" "Time from a request's head to the end of its answer";
    InFlight "stella_requests_in_flight" Gauge "" "Requests under way, streams included";
    Limited "stella_requests_limited_total" Counter "limit" "Requests refused by a limit of the server";
    DenialsDropped "stella_denials_dropped_total" Counter "" "Refused calls that are in no event: there were too many different ones, or the log took none";
    Connections "stella_connections" Gauge "" "Open connections";
    ConnectionsTotal "stella_connections_total" Counter "" "Connections accepted";
    Spans "stella_spans_dropped_total" Counter "" "Spans that the OTLP exporter could not deliver";
    BuildInfo "stella_build_info" Gauge "version" "Always 1; the version of the server";
    Cpu "process_cpu_seconds_total" Counter "" "User and system CPU time of the process";
    ResidentMemory "process_resident_memory_bytes" Gauge "" "Resident memory of the process";
    VirtualMemory "process_virtual_memory_bytes" Gauge "" "Virtual memory of the process";
    OpenFiles "process_open_fds" Gauge "" "Open file descriptors";
    MaxFiles "process_max_fds" Gauge "" "Most file descriptors that the process may have open";
    StartTime "process_start_time_seconds" Gauge "" "When the process started, in seconds since 1970";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_metrics_is_this_table() {
        let mut expected = String::from(
            "# Metrics\n\n`GET /metrics` on the server's port: Prometheus text, or, where `Accept` asks for it, the protobuf\nexposition, in which every histogram has native buckets (schema 3: eight to a doubling) beside the\nclassic ones. This page is generated from `server/src/metrics/series.rs`; a test compares them.\nAlert rules and a dashboard over these series are in `docs/monitoring`.\n\n| series | kind | labels | meaning |\n|---|---|---|---|\n",
        );
        for series in Series::ALL {
            let labels = series.labels().split(',').filter(|label| !label.is_empty());
            let labels: Vec<_> = labels.map(|label| format!("`{label}`")).collect();
            let kind = format!("{:?}", series.kind()).to_lowercase();
            let labels = labels.join(", ");
            let row = format!(
                "| `{}` | {kind} | {labels} | {} |\n",
                series.name(),
                series.help()
            );
            expected.push_str(&row);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
        if std::env::var_os("STELLA_BLESS").is_some() {
            std::fs::write(path, &expected).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            expected,
            "STELLA_BLESS=1 writes it"
        );
    }
}
