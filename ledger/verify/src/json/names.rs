//! Member names of our own formats, which reading need not allocate.

use super::Text;

macro_rules! known_names {
    ($($name:literal)+) => {
        /// The name as text; a constant of the program when it is one of our formats'.
        pub(super) fn intern(name: &str) -> Text {
            match name {
                $($name => Text::Borrowed($name),)+
                _ => Text::Owned(name.into()),
            }
        }
    };
}

known_names! {
    "advisoryId" "artifactDigest" "artifactPurl" "component" "concelierSnapshotHash" "deltaBps"
    "deterministic" "engineVersion" "entry" "evidenceRefs" "excititorSnapshotHash" "id" "in" "input"
    "kind" "knobs" "latticePolicyHash" "line" "manifestHash" "nodes" "out" "parentIds" "pointer"
    "purl" "reachabilityDigest" "ruleId" "sbomDigest" "scannerVersion" "schema" "scope" "seed"
    "subject" "totalBps" "workerVersion"
}
