//! How a command fails: one sentence, a hint, an exit code.

use std::io::Write as _;
use std::process::ExitCode;
use stella_client::ClientError;
use stella_proto::reason::Reason;

/// A command's failure.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: String,
    exit: u8,
    reason: &'static str,
}

impl Failure {
    /// The user's words do not fit: exit code 2.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            exit: 2,
            reason: "USAGE",
        }
    }

    /// This machine said no: exit code 1.
    pub(crate) fn operational(problem: impl core::fmt::Display) -> Self {
        Self::of(Reason::Storage, problem.to_string())
    }

    /// A row of the table of refusals.
    pub(crate) fn of(reason: Reason, message: impl Into<String>) -> Self {
        let meaning = reason.meaning();
        Self {
            message: message.into(),
            hint: meaning.hint.to_owned(),
            exit: meaning.exit,
            reason: reason.name(),
        }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, problem: &std::io::Error) -> Self {
        let reason = match problem.kind() {
            std::io::ErrorKind::NotFound => Reason::NotFound,
            std::io::ErrorKind::PermissionDenied => Reason::PermissionDenied,
            _ => Reason::Storage,
        };
        let mut failure = Self::of(reason, format!("{}: {problem}", path.display()));
        "check the path".clone_into(&mut failure.hint);
        failure
    }

    /// With a better hint than the table's.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Whether it is of this row of the table.
    pub(crate) fn is(&self, reason: Reason) -> bool {
        self.reason == reason.name()
    }

    /// Says it on stderr and answers the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "error[{}]: {}", self.reason, self.message).ok();
        if !self.hint.is_empty() {
            writeln!(stderr, "  hint: {}", self.hint).ok();
        }
        ExitCode::from(self.exit)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::of(error.reason(), error.to_string())
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        ClientError::from(status).into()
    }
}

impl From<std::io::Error> for Failure {
    /// Writing to stdout failed.
    fn from(problem: std::io::Error) -> Self {
        Self::operational(problem)
    }
}
