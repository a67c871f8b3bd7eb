//! The one table of refusals: every reason with its gRPC code, HTTP status and exit code.
//!
//! A reason travels as `google.rpc.ErrorInfo.reason` in domain [`DOMAIN`] over gRPC, as `code` in
//! problem+json over HTTP, and decides the exit code of the command line. Names are public and
//! never change their meaning. `docs/errors.md` is this table, checked by a test.

use tonic::Code;

/// The `domain` of every `ErrorInfo` of this system.
pub const DOMAIN: &str = "stella";

/// What an error means at each edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Status code over gRPC.
    pub grpc: Code,
    /// Status over HTTP.
    pub http: u16,
    /// Exit code of the command line (DESIGN: 1 operational, 2 usage, 3 verification, 4 not
    /// authorised, 5 not found, 6 scores differ, 8 timeout, 20 fork or truncation).
    pub exit: u8,
    /// Whose fault it is and what to do next, one sentence.
    pub hint: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $name:literal $grpc:ident $http:literal $exit:literal $hint:literal;)*) => {
        /// Why something was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The public name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means at each edge.
            #[must_use]
            pub const fn meaning(self) -> Meaning {
                match self {
                    $(Self::$variant => Meaning { grpc: Code::$grpc, http: $http, exit: $exit, hint: $hint },)*
                }
            }

            /// The reason of a public name.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.name() == name)
            }
        }
    };
}

reasons! {
    /// A field of the request is missing or malformed.
    InvalidArgument "INVALID_ARGUMENT" InvalidArgument 400 2 "correct the named field of the request";
    /// No credentials, or unknown ones.
    Unauthenticated "UNAUTHENTICATED" Unauthenticated 401 4 "send `authorization: Bearer <token>`; serve --dev wrote one to <data-dir>/dev-token";
    /// The credentials do not allow this.
    PermissionDenied "PERMISSION_DENIED" PermissionDenied 403 4 "ask the operator for the scope that the method needs";
    /// The event type is written by the ledger itself only.
    EventTypeReserved "EVENT_TYPE_RESERVED" PermissionDenied 403 4 "use a type of your own; FORMATS.md section 4 lists the reserved ones";
    /// A stream is not where the request expected it.
    WrongExpectedPosition "WRONG_EXPECTED_POSITION" FailedPrecondition 409 1 "read the stream's end and decide again";
    /// A request id was used before with another body.
    RequestIdReused "REQUEST_ID_REUSED" AlreadyExists 409 1 "use a new request id for a new request";
    /// A manifest with these inputs is registered already.
    ScanExists "SCAN_EXISTS" AlreadyExists 409 1 "say --idempotent to take the existing scan as the answer";
    /// A request id is older than the window in which repeats are recognised.
    RequestIdExpired "REQUEST_ID_EXPIRED" FailedPrecondition 409 1 "look in the log whether the earlier request was appended";
    /// Something is larger than its limit.
    TooLarge "TOO_LARGE" InvalidArgument 413 2 "split or shrink what the message names";
    /// The append queue is full.
    QueueFull "QUEUE_FULL" ResourceExhausted 429 1 "retry after the time given; nothing was appended";
    /// A limit on requests was reached.
    ResourceExhausted "RESOURCE_EXHAUSTED" ResourceExhausted 429 1 "retry after the time given";
    /// A tree size, index or range lies beyond the published tree.
    BeyondTreeSize "BEYOND_TREE_SIZE" OutOfRange 404 5 "ask for the newest checkpoint first";
    /// The projections have not reached the tree size that the request names.
    ProjectionBehind "PROJECTION_BEHIND" Unavailable 503 1 "retry shortly";
    /// No such scan.
    ScanNotFound "SCAN_NOT_FOUND" NotFound 404 5 "list the scans with `stella scan list`";
    /// No such sealed root.
    ProofNotFound "PROOF_NOT_FOUND" NotFound 404 5 "list the proofs with `stella proof list --scan-id ID`";
    /// No such proof node.
    NodeNotFound "NODE_NOT_FOUND" NotFound 404 5 "take node ids from score_proof.json of a bundle";
    /// No such snapshot.
    SnapshotNotFound "SNAPSHOT_NOT_FOUND" NotFound 422 5 "list the snapshots with `stella snapshot list`, or import it";
    /// A snapshot that was removed: its records are gone.
    SnapshotRemoved "SNAPSHOT_REMOVED" FailedPrecondition 410 5 "import it again from the same files, or name another snapshot";
    /// A snapshot that something retained needs.
    SnapshotInUse "SNAPSHOT_IN_USE" FailedPrecondition 409 1 "keep it as long as what the message names; of the current one, publish another first";
    /// No such policy.
    PolicyNotFound "POLICY_NOT_FOUND" NotFound 422 5 "register the policy first";
    /// A resource has no such name.
    NotFound "NOT_FOUND" NotFound 404 5 "check the name";
    /// An SBOM that is not one, or breaks a limit.
    BadSbom "BAD_SBOM" InvalidArgument 422 2 "correct the document where the message points";
    /// A record of an import cannot be used; nothing was imported.
    SnapshotBadRecord "SNAPSHOT_BAD_RECORD" InvalidArgument 422 2 "correct or leave out the named record, then import again";
    /// A policy that does not hold.
    BadPolicy "BAD_POLICY" InvalidArgument 422 2 "correct the policy where the message points";
    /// A manifest that the engine refuses.
    BadManifest "BAD_MANIFEST" InvalidArgument 422 2 "correct the named member of the manifest";
    /// Recomputing a sealed computation gave other nodes.
    ReplayDiffers "REPLAY_DIFFERS" DataLoss 500 6 "keep the data directory as it is and report the first differing node";
    /// What was fetched does not verify.
    VerificationFailed "VERIFICATION_FAILED" DataLoss 500 3 "do not trust the file; fetch it again, and report it if it fails again";
    /// Two signed checkpoints contradict each other.
    ForkDetected "FORK_DETECTED" DataLoss 500 20 "keep both checkpoints as evidence and stop trusting the log";
    /// The log is shorter than evidence says that it was.
    LogTruncated "LOG_TRUNCATED" DataLoss 500 20 "restore the complete log; do not append";
    /// Bytes of the log are not what was written.
    LogDamaged "LOG_DAMAGED" DataLoss 500 3 "run `stella ledger fsck`, restore the named file from a replica or backup";
    /// A stored input is not what its name says.
    BlobDamaged "BLOB_DAMAGED" DataLoss 500 3 "restore the named blob; its content is its name";
    /// A write failed; the log speaks again only after it was reopened.
    LogPoisoned "LOG_POISONED" Unavailable 503 1 "the outcome of the last request is unknown: restart the server, then repeat it with the same request id";
    /// The payload was erased by a retention event.
    PayloadErased "PAYLOAD_ERASED" FailedPrecondition 410 5 "the proof of what was there stands; the content is gone";
    /// Another process owns the data directory.
    DirectoryInUse "DIRECTORY_IN_USE" FailedPrecondition 409 1 "talk to the running server with --server, or stop it";
    /// The keys or the name at hand are not this log's.
    WrongKey "WRONG_KEY" FailedPrecondition 409 1 "restore `keys/` and `config.json` as they were with this log; no event and no key was written";
    /// Storage said no.
    Storage "STORAGE" Unavailable 503 1 "check the disk of the data directory";
    /// The server is stopping or not ready.
    Unavailable "UNAVAILABLE" Unavailable 503 1 "retry, or check that the server runs and the address is right";
    /// The ledger is being opened.
    NotReady "NOT_READY" Unavailable 503 1 "retry after the time given; `/readyz` says how far opening is";
    /// The deadline passed.
    DeadlineExceeded "DEADLINE_EXCEEDED" DeadlineExceeded 504 8 "retry with a longer deadline; a request id makes that safe";
    /// A long-running operation was asked to stop.
    OperationCancelled "OPERATION_CANCELLED" Cancelled 409 1 "start it again to finish the rest";
    /// The method exists in a standard, and this server declines it.
    MethodNotSupported "METHOD_NOT_SUPPORTED" Unimplemented 501 1 "read what the method's comment says to do instead";
    /// The path exists, and not with this HTTP method.
    MethodNotAllowed "METHOD_NOT_ALLOWED" Unimplemented 405 2 "use a method that the `allow` header names";
    /// A fault in this program.
    Internal "INTERNAL" Internal 500 1 "report it with the server's log";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of(reason.name()), Some(*reason));
        }
    }

    #[test]
    fn the_enum_of_the_contract_has_every_reason_and_no_other() {
        use crate::errors::Reason as Published;
        let mut published = Vec::new();
        // Numbers are never given again, so there are no gaps.
        for number in 1.. {
            match Published::try_from(number) {
                Ok(of) => published.push(of.as_str_name().to_owned()),
                Err(_) => break,
            }
        }
        let names = Reason::ALL.iter();
        let mut names: Vec<_> = names.map(|of| format!("REASON_{}", of.name())).collect();
        names.sort();
        published.sort();
        assert_eq!(
            published, names,
            "add it at the end of proto/stella/errors/v1/errors.proto, then `cargo xtask codegen`"
        );
    }

    #[test]
    fn the_page_of_errors_is_this_table() {
        let mut expected = String::from(
            "# Errors\n\nOver gRPC the reason stands in `google.rpc.ErrorInfo` (domain `stella`), over HTTP in `code` of\nproblem+json. This page is generated from `proto/src/reason.rs`; a test compares them.\n\n| reason | gRPC | HTTP | exit | what to do |\n|---|---|---|---|---|\n",
        );
        for reason in Reason::ALL {
            let meaning = reason.meaning();
            let row = format!(
                "| `{}` | {:?} | {} | {} | {} |\n",
                reason.name(),
                meaning.grpc,
                meaning.http,
                meaning.exit,
                meaning.hint
            );
            expected.push_str(&row);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");
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
