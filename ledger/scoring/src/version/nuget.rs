//! NuGet's order: SemVer 2.0 with an optional fourth number, labels compared without case.

use std::cmp::Ordering;

use super::{Digits, is_digits};

/// A NuGet version without its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NuGetVersion {
    numbers: [Digits; 4],
    /// Empty for a release.
    labels: Vec<Label>,
}

/// Numbers stand before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Number(Digits),
    Word(Box<str>),
}

impl NuGetVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split('+').next().unwrap_or(text);
        let (core, labels) = match text.split_once('-') {
            Some((core, labels)) => (core, Some(labels)),
            None => (text, None),
        };
        let mut numbers = [const { None }; 4].map(|_: Option<()>| Digits::new(""));
        let mut slots = numbers.iter_mut();
        for part in core.split('.') {
            is_digits(part).then_some(())?;
            *slots.next()? = Digits::new(part);
        }
        let labels = match labels {
            Some(labels) => labels.split('.').map(label).collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        Some(Self { numbers, labels })
    }
}

fn label(text: &str) -> Option<Label> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if is_digits(text) {
        return Some(Label::Number(Digits::new(text)));
    }
    let word = !text.is_empty() && text.bytes().all(valid);
    word.then(|| Label::Word(text.to_ascii_lowercase().into()))
}

impl PartialOrd for NuGetVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NuGetVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.labels.is_empty(), other.labels.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => self.labels.cmp(&other.labels),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::{check_ascending, check_equal};

    #[test]
    fn the_order_is_that_of_nuget() {
        check_ascending(
            EcosystemKind::NuGet,
            &[
                "1.0.0-alpha",
                "1.0.0-Alpha.1",
                "1.0.0-beta",
                "1.0",
                "1.0.0.1",
                "1.0.1",
                "1.10",
            ],
        );
        check_equal(EcosystemKind::NuGet, "1.0", "1.0.0.0");
        check_equal(EcosystemKind::NuGet, "1.0.0-RC.1+x", "1.0.0-rc.1");
    }
}
