//! A sentence about a place in a text, with the line and a caret under the place.

use std::ops::Range;

/// `name:line:column: sentence`, then the line, then carets under the span (a range of bytes).
pub(super) fn pointing(name: &str, text: &str, span: Range<usize>, sentence: &str) -> String {
    let (line, column) = place(text, span.start);
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let before: String = content
        .chars()
        .take(column - 1)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    // A span over several lines is marked to the end of its first.
    let rest = content.chars().count().saturating_sub(column - 1);
    let marked = text.get(span).map_or(1, |part| part.chars().count());
    let carets = "^".repeat(marked.min(rest).max(1));
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    format!(
        "{name}:{line}:{column}: {sentence}\n  {number} | {content}\n  {margin} | {before}{carets}"
    )
}

/// Line and column of a byte, both from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count());
    (line, column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let text = "a = 1\n\tb = \"ü\"\n";
        let start = text.find('"').unwrap();
        let told = pointing("f", text, start..start + 4, "no");
        assert_eq!(told, "f:2:6: no\n  2 | \tb = \"ü\"\n    | \t    ^^^");
    }

    #[test]
    fn a_span_at_the_end_or_over_lines_stays_in_its_line() {
        let told = pointing("f", "a = [", 5..5, "cut");
        assert_eq!(told, "f:1:6: cut\n  1 | a = [\n    |      ^");
        let told = pointing("f", "a = [\n1]\n", 4..8, "list");
        assert_eq!(told, "f:1:5: list\n  1 | a = [\n    |     ^");
    }
}
