//! Maven's order (`ComparableVersion`; Maven POM reference, "Version Order Specification").

use std::cmp::Ordering;

use super::Digits;

/// Qualifiers with a place in the order; the empty one is the release. Unknown qualifiers come
/// after all, in alphabetical order.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RELEASE: usize = 5;

/// A version as a list of items, lists nested where a hyphen or a change between digits and
/// letters begins a new part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MavenVersion(Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Number(Digits),
    Word(Box<str>),
    List(Vec<Item>),
}

impl MavenVersion {
    /// Every text is a Maven version.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut parser = Parser {
            lists: vec![Vec::new()],
            token: String::new(),
            digits: false,
        };
        for character in text.chars() {
            parser.take(character);
        }
        if !parser.token.is_empty() {
            parser.end_token(false);
        }
        Self(parser.assemble())
    }
}

struct Parser {
    /// The open lists; each is the last item of the one before it.
    lists: Vec<Vec<Item>>,
    token: String,
    digits: bool,
}

impl Parser {
    fn take(&mut self, character: char) {
        match character {
            '.' => self.end_or_zero(),
            '-' => {
                self.end_or_zero();
                self.lists.push(Vec::new());
            }
            _ => {
                let digit = character.is_ascii_digit();
                if !self.token.is_empty() && digit != self.digits {
                    self.end_token(digit);
                    self.lists.push(Vec::new());
                }
                self.digits = digit;
                self.token.push(character);
            }
        }
    }

    /// An empty token between separators is a zero.
    fn end_or_zero(&mut self) {
        if self.token.is_empty() {
            self.push(Item::Number(Digits::new("")));
        } else {
            self.end_token(false);
        }
    }

    fn end_token(&mut self, followed_by_digit: bool) {
        let token = std::mem::take(&mut self.token);
        self.push(if self.digits {
            Item::Number(Digits::new(&token))
        } else {
            Item::Word(canonical(&token, followed_by_digit).into())
        });
    }

    fn push(&mut self, item: Item) {
        if let Some(list) = self.lists.last_mut() {
            list.push(item);
        }
    }

    /// Nests the lists, innermost first, each without its trailing empty items.
    fn assemble(mut self) -> Vec<Item> {
        let mut inner: Option<Vec<Item>> = None;
        while let Some(mut list) = self.lists.pop() {
            list.extend(inner.take().map(Item::List));
            normalize(&mut list);
            inner = Some(list);
        }
        inner.unwrap_or_default()
    }
}

/// Removes empty items from the end, and those before lists at the end.
fn normalize(list: &mut Vec<Item>) {
    let mut place = list.len();
    while place > 0 {
        place -= 1;
        match list.get(place) {
            Some(item) if item.is_null() => drop(list.remove(place)),
            Some(Item::List(_)) => {}
            _ => break,
        }
    }
}

fn canonical(word: &str, followed_by_digit: bool) -> &str {
    match (word, followed_by_digit) {
        ("a", true) => "alpha",
        ("b", true) => "beta",
        ("m", true) => "milestone",
        ("ga" | "final" | "release", _) => "",
        ("cr", _) => "rc",
        _ => word,
    }
}

/// Place of a qualifier; unknown ones share the last place and differ by name.
fn place(word: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == word) {
        Some(place) => (place, ""),
        None => (QUALIFIERS.len(), word),
    }
}

impl Item {
    fn is_null(&self) -> bool {
        match self {
            Self::Number(number) => number.0.is_empty(),
            Self::Word(word) => word.is_empty(),
            Self::List(list) => list.is_empty(),
        }
    }

    /// Compares with the end of the other version.
    fn compare_with_end(&self) -> Ordering {
        match self {
            Self::Number(number) if number.0.is_empty() => Ordering::Equal,
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => place(word).cmp(&(RELEASE, "")),
            Self::List(list) => list
                .iter()
                .map(Self::compare_with_end)
                .find(|order| *order != Ordering::Equal)
                .unwrap_or(Ordering::Equal),
        }
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers are newer than lists, lists newer than words: `1.1 > 1-1 > 1-sp`.
impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Word(a), Self::Word(b)) => place(a).cmp(&place(b)),
            (Self::List(a), Self::List(b)) => compare(a, b),
            (Self::Number(_), _) | (Self::List(_), Self::Word(_)) => Ordering::Greater,
            (Self::Word(_), _) | (Self::List(_), Self::Number(_)) => Ordering::Less,
        }
    }
}

fn compare(a: &[Item], b: &[Item]) -> Ordering {
    for place in 0..a.len().max(b.len()) {
        let order = match (a.get(place), b.get(place)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(a), None) => a.compare_with_end(),
            (None, Some(b)) => b.compare_with_end().reverse(),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

impl PartialOrd for MavenVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MavenVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::EcosystemKind;
    use crate::version::tests::{check_ascending, check_equal};

    #[test]
    fn the_order_is_that_of_comparable_version() {
        check_ascending(
            EcosystemKind::Maven,
            &[
                "1-alpha2snapshot",
                "1-alpha2",
                "1-alpha-123",
                "1-beta-2",
                "1-beta123",
                "1-m2",
                "1-m11",
                "1-rc",
                "1-cr2",
                "1-rc123",
                "1-SNAPSHOT",
                "1",
                "1-sp",
                "1-sp2",
                "1-sp123",
                "1-abc",
                "1-def",
                "1-pom-1",
                "1-1-snapshot",
                "1-1",
                "1-2",
                "1-123",
            ],
        );
        check_ascending(
            EcosystemKind::Maven,
            &[
                "2.0", "2-1", "2.0.a", "2.0.2", "2.0.123", "2.1.0", "2.1-a", "2.1b", "2.1-c",
                "2.1-1", "2.1.0.1", "2.2", "2.123", "11.a2", "11.a11", "11.b2", "11.b11", "11.m2",
                "11.m11", "11", "11.a", "11b", "11c", "11m",
            ],
        );
    }

    #[test]
    fn several_spellings_are_one_version() {
        for (a, b) in [
            ("1", "1.0"),
            ("1.0.0", "1"),
            ("1-0", "1"),
            ("1.ga", "1"),
            ("1.final", "1.0.0"),
            ("1.0-rc", "1-cr"),
            ("1a1", "1-alpha-1"),
            ("1x", "1-x"),
            ("1.0.0x", "1-x"),
            ("1B2", "1-beta-2"),
            ("01", "1"),
        ] {
            check_equal(EcosystemKind::Maven, a, b);
        }
    }
}
