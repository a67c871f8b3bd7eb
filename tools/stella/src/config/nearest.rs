//! The known word that a misspelt one most likely means.

/// The nearest of the known words, if one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bound = word.chars().count().div_ceil(3);
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements between two words.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, c) in one.chars().enumerate() {
        let mut next = vec![line + 1];
        let mut left = line + 1;
        for ((diagonal, above), d) in row.iter().zip(row.iter().skip(1)).zip(&other) {
            left = (left + 1)
                .min(above + 1)
                .min(diagonal + usize::from(c != *d));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_changes() {
        for (one, other, expected) in [
            ("", "", 0),
            ("listen", "listen", 0),
            ("lisen", "listen", 1),
            ("listne", "listen", 2),
            ("", "dev", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn only_a_near_word_is_meant() {
        let known = ["listen", "origin", "token-file"];
        assert_eq!(nearest("lisen", known.into_iter()), Some("listen"));
        assert_eq!(nearest("token_file", known.into_iter()), Some("token-file"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }
}
