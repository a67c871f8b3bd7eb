//! The gRPC contract: messages, clients and servers generated from `proto/stella/**`.
//!
//! The generated code is checked in, so a build needs no protoc; `cargo xtask codegen` writes it
//! and CI refuses a stale copy. These types live only at the edges: nothing below the server and
//! the client names them.

pub mod reason;

/// A `FileDescriptorSet` of every file, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

macro_rules! package {
    ($(#[$doc:meta])* $module:ident, $file:literal) => {
        $(#[$doc])*
        #[allow(
            missing_docs,
            unreachable_pub,
            clippy::all,
            clippy::pedantic,
            clippy::allow_attributes_without_reason,
            reason = "generated code"
        )]
        pub mod $module {
            include!(concat!("generated/", $file));
        }
    };
}

package!(
    /// `stella.admin.v1`: status, check, rebuild.
    admin,
    "stella.admin.v1.rs"
);
package!(
    /// `stella.audit.v1`: exports.
    audit,
    "stella.audit.v1.rs"
);
package!(
    /// `stella.errors.v1`: the reasons of refusals, as an enum.
    errors,
    "stella.errors.v1.rs"
);
package!(
    /// `stella.ledger.v1`: the log.
    ledger,
    "stella.ledger.v1.rs"
);
package!(
    /// `stella.options.v1`: options of methods.
    options,
    "stella.options.v1.rs"
);
package!(
    /// `stella.proof.v1`: roots, nodes, bundles.
    proof,
    "stella.proof.v1.rs"
);
package!(
    /// `stella.replay.v1`: batches of replays.
    replay,
    "stella.replay.v1.rs"
);
package!(
    /// `stella.scan.v1`: scans.
    scan,
    "stella.scan.v1.rs"
);
package!(
    /// `stella.score.v1`: manifests and replays.
    score,
    "stella.score.v1.rs"
);
package!(
    /// `stella.snapshot.v1`: snapshots and policies.
    snapshot,
    "stella.snapshot.v1.rs"
);

/// Public definitions of others that this contract uses.
pub mod google {
    package!(
        /// `google.longrunning`: operations.
        longrunning,
        "google.longrunning.rs"
    );
    package!(
        /// `google.rpc`: the status in an operation.
        rpc,
        "google.rpc.rs"
    );
}
