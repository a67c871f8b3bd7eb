//! Collecting what is odd about a document.

use crate::inputs::json::shorten;
use crate::limits::MAX_WARNINGS;
use crate::model::{JsonPointer, Warning, WarningCode};

/// Warnings about one document, bounded.
#[derive(Default)]
pub(crate) struct Warnings {
    kept: Vec<Warning>,
    omitted: usize,
}

impl Warnings {
    /// Adds a warning; `detail` is shortened.
    pub(crate) fn push(&mut self, pointer: JsonPointer, code: WarningCode, detail: &str) {
        if self.kept.len() < MAX_WARNINGS {
            self.kept.push(Warning {
                pointer,
                code,
                detail: shorten(detail),
            });
        } else {
            self.omitted += 1;
        }
    }

    /// Adds [`WarningCode::MemberInvalid`] when `invalid`.
    pub(crate) fn member(&mut self, invalid: bool, place: &JsonPointer, name: &str) {
        if invalid {
            self.push(place.member(name), WarningCode::MemberInvalid, "");
        }
    }

    /// The warnings, sorted, with a last one that counts those beyond the bound.
    pub(crate) fn finish(mut self) -> Vec<Warning> {
        if self.omitted > 0 {
            self.kept.push(Warning {
                pointer: JsonPointer::root(),
                code: WarningCode::WarningsOmitted,
                detail: self.omitted.to_string().into(),
            });
        }
        self.kept.sort_unstable();
        self.kept.dedup();
        self.kept
    }
}
