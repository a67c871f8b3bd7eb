//! The engine: a manifest and its inputs become proof nodes, findings and a score.
//!
//! Pure: no clock, no randomness, no hash-map order, no floating point. The same manifest gives the
//! same bytes on every machine and on any number of threads. Engines are registered by the integer
//! that manifests declare (`engineVersion`); a registered engine is frozen: whatever would move one
//! of its golden roots becomes the next engine. Engine 1 comprises `engine/v1`, the policy language
//! `stella.policy/v1`, CVSS and the matcher.
//!
//! ```text
//!   manifest, SBOM, snapshots, VEX, reachability, policy
//!     -> inputs agree with the manifest -> matches -> facts -> rules -> aggregation -> gates
//!     -> nodes in emission order -> root
//! ```

mod computation;
mod error;
mod inputs;
mod v1;

pub use computation::{
    ComponentScore, Computation, Contribution, Finding, GateOutcome, RuleStep, SeverityOutcome,
    SsvcOutcome, VexOutcome,
};
pub use error::EngineError;
pub use inputs::{EngineInputs, Threads};

use stella_verify::manifest::EngineVersion;

/// A frozen engine.
type Engine = fn(&EngineInputs<'_>, Threads) -> Result<Computation, EngineError>;

/// Every engine that can run, oldest first.
const ENGINES: [(EngineVersion, Engine); 1] = [(EngineVersion::new(1), v1::compute)];

/// The engine that new manifests name.
pub const CURRENT_ENGINE: EngineVersion = EngineVersion::new(1);

/// Versions that can run, oldest first.
pub fn engine_versions() -> impl Iterator<Item = EngineVersion> {
    ENGINES.iter().map(|(version, _)| *version)
}

/// Computes a score with the engine that the manifest names.
///
/// # Errors
/// [`EngineError`]: the manifest names an unknown engine or knob, the inputs are not those it
/// names, or the policy asks for an amount or a number of nodes beyond the limits.
pub fn compute(inputs: &EngineInputs<'_>, threads: Threads) -> Result<Computation, EngineError> {
    let version = inputs.manifest.engine_version;
    let engine = ENGINES.iter().find(|(known, _)| *known == version);
    let (_, engine) = engine.ok_or(EngineError::Version(version))?;
    inputs.check()?;
    engine(inputs, threads)
}

/// What [`compute`] refuses before it computes anything: a manifest that no engine takes, with these
/// inputs.
///
/// # Errors
/// [`EngineError`], but for what only computing finds.
pub fn check(inputs: &EngineInputs<'_>) -> Result<(), EngineError> {
    let version = inputs.manifest.engine_version;
    if !engine_versions().any(|known| known == version) {
        return Err(EngineError::Version(version));
    }
    inputs.check()?;
    inputs.knobs().map(|_| ())
}
