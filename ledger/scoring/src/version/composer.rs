//! Packagist's order: Composer's normalised versions under PHP's `version_compare`.

use std::cmp::Ordering;

use super::dpkg::split;
use super::{Digits, is_digits};

/// A release or a stage before or after it. Branches (`dev-main`, `1.x-dev`) have no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ComposerVersion {
    numbers: Vec<Digits>,
    stage: Stage,
    stage_numbers: Vec<Digits>,
    /// A `-dev` after everything else comes before the version itself.
    released: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Dev,
    Alpha,
    Beta,
    Candidate,
    Stable,
    Patch,
}

impl ComposerVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text
            .split(['+', '@'])
            .next()
            .unwrap_or(text)
            .to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text);
        let mut numbers = Vec::new();
        let mut rest = text;
        loop {
            let (digits, after) = split(rest, |byte| byte.is_ascii_digit());
            is_digits(digits).then_some(())?;
            numbers.push(Digits::new(digits));
            match after.strip_prefix('.') {
                Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
                _ => {
                    rest = after;
                    break;
                }
            }
        }
        // `1.2` is `1.2.0.0`.
        while numbers.len() < 4 {
            numbers.push(Digits::new(""));
        }
        let (stage, stage_numbers, rest) = stage(rest)?;
        let released = match rest.trim_start_matches(['.', '-', '_']) {
            "" => true,
            "dev" => false,
            _ => return None,
        };
        if released || stage != Stage::Stable {
            return Some(Self {
                numbers,
                stage,
                stage_numbers,
                released,
            });
        }
        Some(Self {
            numbers,
            stage: Stage::Dev,
            stage_numbers,
            released: true,
        })
    }
}

/// Reads `-beta2`, `RC.1`, `_p3`; nothing is the stable stage.
fn stage(text: &str) -> Option<(Stage, Vec<Digits>, &str)> {
    let after = text.trim_start_matches(['.', '-', '_']);
    let (word, rest) = split(after, |byte| byte.is_ascii_alphabetic());
    let stage = match word {
        "stable" => Stage::Stable,
        "alpha" | "a" => Stage::Alpha,
        "beta" | "b" => Stage::Beta,
        "rc" | "c" => Stage::Candidate,
        "patch" | "pl" | "p" => Stage::Patch,
        "" if after.is_empty() => return Some((Stage::Stable, Vec::new(), "")),
        "dev" => return Some((Stage::Stable, Vec::new(), text)),
        _ => return None,
    };
    let mut numbers = Vec::new();
    let mut rest = rest;
    loop {
        let next = rest.strip_prefix(['.', '-']).unwrap_or(rest);
        let (digits, after) = split(next, |byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return Some((stage, numbers, rest));
        }
        numbers.push(Digits::new(digits));
        rest = after;
    }
}

impl PartialOrd for ComposerVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ComposerVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |version: &Self| {
            (
                version.numbers.clone(),
                version.stage,
                version.stage_numbers.clone(),
                version.released,
            )
        };
        key(self).cmp(&key(other))
    }
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::{check_ascending, check_equal};

    #[test]
    fn the_order_is_that_of_composer() {
        check_ascending(
            EcosystemKind::Packagist,
            &[
                "1.0.0-dev",
                "1.0.0-alpha1",
                "1.0.0-beta1",
                "1.0.0-beta2-dev",
                "1.0.0-beta2",
                "1.0.0-RC1",
                "v1.0.0",
                "1.0.0-p1",
                "1.0.1",
                "1.10",
            ],
        );
        check_equal(EcosystemKind::Packagist, "v1.2", "1.2.0.0");
        assert!(crate::version::Parsed::new(EcosystemKind::Packagist, "dev-main").is_none());
    }
}
