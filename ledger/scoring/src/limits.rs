//! Every bound on inputs of the engine, in one place: the constant, its unit and its reason.
//!
//! Bounds are checked before anything is allocated for the thing they bound. Relations between
//! them are asserted at compile time at the end of this file.

/// Longest package URL, in bytes of text. Real ones stay below 1 KiB; qualifiers may carry URLs.
pub const MAX_PURL_BYTES: usize = 8 * 1024;

/// Qualifiers of one package URL.
pub const MAX_PURL_QUALIFIERS: usize = 64;

/// Longest text repeated in a warning, in bytes: enough to find it, too little to flood a proof.
pub const MAX_WARNING_DETAIL_BYTES: usize = 200;

/// Largest single document (SBOM, VEX, reachability, KEV, EPSS), in bytes, decompressed. The
/// largest real SBOMs stay below 100 MB.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024 * 1024;

/// Components of one bill of materials, nested ones included.
pub const MAX_COMPONENTS: usize = 500_000;

/// Longest name, version or reference in a bill of materials, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Edges of one dependency graph.
pub const MAX_DEPENDENCY_EDGES: usize = 5_000_000;

/// Warnings kept for one document; more are counted in a last one. They stand in proofs.
pub const MAX_WARNINGS: usize = 1_000;

/// Longest text that is read as a version, in bytes.
pub const MAX_VERSION_BYTES: usize = 512;

/// Largest advisory record, in bytes. Records of the Linux kernel with thousands of versions reach
/// 5 MB.
pub const MAX_ADVISORY_BYTES: usize = 32 * 1024 * 1024;

/// Longest id, alias, ecosystem or package name of an advisory, in bytes.
pub const MAX_ID_BYTES: usize = 1_024;

/// Largest policy document, in bytes of YAML or JSON. A decision table of 1,000 rows needs 64 KiB.
pub const MAX_POLICY_BYTES: usize = 1024 * 1024;

/// Deepest nesting of a policy document; amounts and conditions nest within it.
pub const MAX_POLICY_DEPTH: usize = 24;

/// Values (scalars, lists, maps) in a policy document.
pub const MAX_POLICY_VALUES: usize = 50_000;

/// Rules of a policy: each is a proof node for every finding.
pub const MAX_POLICY_RULES: usize = 100;

/// Longest name of a rule, gate, weight or knob, in bytes.
pub const MAX_POLICY_NAME_BYTES: usize = 64;

/// Statements, severities or pointers repeated in one proof node; more are counted.
pub const MAX_NODE_ITEMS: usize = 16;

/// Threads of one computation.
pub const MAX_THREADS: usize = 256;

/// Entries of one archive. osv.dev's largest ecosystem has some 250,000 records.
pub const MAX_ARCHIVE_ENTRIES: usize = 2_000_000;

/// Bytes of one archive's content, decompressed.
pub const MAX_ARCHIVE_BYTES: usize = 8 * 1024 * 1024 * 1024;

/// Decompressed size over compressed size of one archive entry. Deflate cannot exceed 1,032.
/// Records with long version lists reach 30.
pub const MAX_RATIO: usize = 200;

/// Rows of one snapshot: all of osv.dev and all of EPSS, several times over.
pub const MAX_ROWS: usize = 10_000_000;

/// Reachability facts of one document.
pub const MAX_REACHABILITY_FACTS: usize = 1_000_000;

/// Gates on one call path.
pub const MAX_GATES: usize = 64;
