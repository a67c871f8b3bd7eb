//! Answers as JSON documents, made from the contract itself.
//!
//! A document is a message with its fields in camelCase. Unlike proto JSON, which is for machines that
//! have the contract at hand, numbers are numbers, enums are their last word in lower case, every field
//! that is not optional is there, and what the ledger stores as canonical JSON stands in the document
//! as what it is. The schemas of `proto/openapi.json` come from the same descriptors.

mod read;
mod shape;

pub(super) use read::document;
#[cfg(test)]
pub(super) use shape::{Bytes, Field, Kind, Shapes};
