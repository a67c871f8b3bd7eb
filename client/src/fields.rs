//! Members of answers: each is a value of its kind, or the answer does not verify.

use crate::ClientError;
use crate::error::unverified;
use std::fmt::Display;
use std::str::FromStr;
use stella_verify::time::parse_time;
use stella_verify::units::UnixMillis;

/// A text that must be there.
pub(crate) fn parsed<T>(member: &str, text: &str) -> Result<T, ClientError>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|problem| wrong(member, problem))
}

/// A text that may be empty.
pub(crate) fn optional<T>(member: &str, text: &str) -> Result<Option<T>, ClientError>
where
    T: FromStr<Err: Display>,
{
    (!text.is_empty()).then(|| parsed(member, text)).transpose()
}

/// A time that must be there.
pub(crate) fn time(member: &str, text: &str) -> Result<UnixMillis, ClientError> {
    parse_time(text).map_err(|problem| wrong(member, problem))
}

/// A message that must be there.
pub(crate) fn present<T>(member: &str, value: Option<T>) -> Result<T, ClientError> {
    value.ok_or_else(|| wrong(member, "it is missing"))
}

/// A number that fits its type.
pub(crate) fn number<T, N>(member: &str, value: N) -> Result<T, ClientError>
where
    T: TryFrom<N, Error: Display>,
{
    T::try_from(value).map_err(|problem| wrong(member, problem))
}

/// What is wrong with a member.
pub(crate) fn wrong(member: &str, problem: impl Display) -> ClientError {
    unverified(format!("{member}: {problem}"))
}

/// A value for a request, where nothing is written as nothing.
pub(crate) fn text_of<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
