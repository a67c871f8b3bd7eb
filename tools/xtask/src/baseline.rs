//! The contract that others build on already.
//!
//! `buf breaking` compares the .proto files with `proto/baseline.binpb`. A change that breaks somebody
//! is made on purpose: this renews the baseline, in the commit that says why.

use crate::codegen::repository;
use std::fs;

/// Makes the contract as it is the baseline.
pub(crate) fn renew() -> Result<String, String> {
    crate::codegen::check()?;
    let from = repository().join("proto/src/generated/descriptors.bin");
    let to = repository().join("proto/baseline.binpb");
    fs::copy(&from, &to).map_err(|e| format!("{}: {e}", to.display()))?;
    Ok(format!(
        "renewed {}: say in the commit what breaks",
        to.display()
    ))
}
