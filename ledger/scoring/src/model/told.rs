//! Warnings as people read them: one line for each kind.

use std::collections::BTreeMap;

use super::{Warning, WarningCode};

/// Most bytes of the place that a line names; a document may have members with names of megabytes.
const MAX_PLACE_BYTES: usize = 200;

/// One line for each kind of warning: how often, and where first. All of them stand in the proof.
#[must_use]
pub fn told<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> BTreeMap<WarningCode, String> {
    let mut kinds: BTreeMap<WarningCode, (usize, &Warning)> = BTreeMap::new();
    for warning in warnings {
        let (count, first) = kinds.entry(warning.code).or_insert((0, warning));
        *count += 1;
        *first = earlier(first, warning);
    }
    let line = |(code, (count, first)): (WarningCode, (usize, &Warning))| {
        let place = first.pointer.as_str();
        let shown = place.get(..place.floor_char_boundary(MAX_PLACE_BYTES));
        let line = format!(
            "{code}: {count}, the first at {} {}",
            shown.unwrap_or_default(),
            first.detail
        );
        (code, line.trim_end().to_owned())
    };
    kinds.into_iter().map(line).collect()
}

/// The one of two that stands first: elements of one array by their numbers, which have fewer digits.
fn earlier<'a>(one: &'a Warning, other: &'a Warning) -> &'a Warning {
    let place = |warning: &'a Warning| (warning.pointer.as_str().len(), warning);
    if place(other) < place(one) {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JsonPointer;

    #[test]
    fn a_kind_is_one_line_with_its_first_place() {
        let warning = |place: usize, code| Warning {
            pointer: JsonPointer::root().member("components").element(place),
            code,
            detail: "".into(),
        };
        let warnings = [
            warning(10, WarningCode::PurlMissing),
            warning(2, WarningCode::PurlMissing),
            warning(9, WarningCode::DistroMissing),
        ];
        let lines: Vec<String> = told(&warnings).into_values().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.contains(&"purl-missing: 2, the first at /components/2".to_owned()));
        let long = Warning {
            pointer: JsonPointer::root().member(&"ä".repeat(1_000_000)),
            ..warning(1, WarningCode::PurlMissing)
        };
        assert!(told([&long]).into_values().all(|line| line.len() < 300));
    }
}
