//! Which operation fails, and how.

use crate::entropy::Seed;
use std::io;

/// Place of an operation in the disk's life, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct OperationNumber(pub u64);

/// One planned fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which operation.
    pub at: OperationNumber,
    /// What happens to it.
    pub kind: FaultKind,
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It fails and has done nothing.
    FailedNotPersisted,
    /// It fails although it has done everything; a write is even durable.
    FailedButPersisted,
    /// It fails; a sync has marked the pages clean although they never reached the medium, so they
    /// read back until the power goes, and no later sync brings them there.
    FailedSyncReadsBack,
    /// The disk is full.
    NoSpace,
    /// The process ends before the operation.
    Killed,
}

/// What is left after the power went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerLoss {
    /// Exactly what was synced.
    DropUnsynced,
    /// What was synced, and of every other block and name a coin's choice.
    KeepSome(Seed),
}

/// What an operation is to do.
#[derive(Debug)]
pub(super) enum Verdict {
    Act,
    Refuse(io::Error),
    ActThenRefuse(io::Error),
}

impl FaultKind {
    pub(super) fn verdict(self) -> Verdict {
        let error = || io::Error::other("planned fault");
        match self {
            Self::FailedNotPersisted | Self::FailedSyncReadsBack | Self::Killed => {
                Verdict::Refuse(error())
            }
            Self::FailedButPersisted => Verdict::ActThenRefuse(error()),
            Self::NoSpace => Verdict::Refuse(io::ErrorKind::StorageFull.into()),
        }
    }
}
