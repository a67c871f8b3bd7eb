//! What a command says on stdout: a table for people, JSON for programs.

use crate::failure::Failure;
use serde_json::Value;
use std::io::Write as _;
use stella_scoring::explain::score_text;
use stella_verify::units::BasisPoints;

/// How to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// SARIF 2.1.0 (`score compute`).
    Sarif,
    /// CycloneDX with ratings (`score compute`).
    Cyclonedx,
    /// Comma-separated values (`score compute`).
    Csv,
    /// An in-toto statement with the vulnerability-scan predicate (`score compute`).
    InToto,
}

impl Format {
    /// The formats of neighbours are for one command only.
    fn refused(self) -> Result<(), Failure> {
        Err(Failure::usage(
            format!("{self:?} is a format of `stella score compute`"),
            "use --format table, json or jsonl",
        ))
    }
}

/// A cell's row of headings and rows below it.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn render(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(self.headings.clone());
        for row in &self.rows {
            table.add_row(row.clone());
        }
        let mut text = String::new();
        for line in table.to_string().lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Prints text as it is.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Prints bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes) {
        // A reader that has seen enough (`| head`) is no failure of ours.
        Err(problem) if problem.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints one document: a table of `name: value` lines for people.
pub(crate) fn document(format: Format, value: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => text(&format!("{value:#}\n")),
        Format::Jsonl => text(&format!("{value}\n")),
        Format::Sarif | Format::Cyclonedx | Format::Csv | Format::InToto => format.refused(),
        Format::Table => {
            let mut table = Table::new(&["", ""]);
            lines("", value, &mut table);
            text(table.render().trim_start_matches('\n'))
        }
    }
}

/// Prints many documents: the named members as columns for people, an array for programs.
pub(crate) fn documents(
    format: Format,
    values: &[Value],
    columns: &[&'static str],
) -> Result<(), Failure> {
    match format {
        Format::Json => text(&format!("{:#}\n", Value::Array(values.to_vec()))),
        Format::Jsonl => values
            .iter()
            .try_for_each(|value| text(&format!("{value}\n"))),
        Format::Sarif | Format::Cyclonedx | Format::Csv | Format::InToto => format.refused(),
        Format::Table => {
            let mut table = Table::new(columns);
            for value in values {
                let cells = columns.iter();
                table.row(cells.map(|name| {
                    let shown = value.get(name).map(|value| cell(name, value));
                    shown.unwrap_or_default()
                }));
            }
            text(&table.render())
        }
    }
}

/// Prints a table for people.
pub(crate) fn table(table: &Table) -> Result<(), Failure> {
    // Without headings the first line is empty.
    text(table.render().trim_start_matches('\n'))
}

/// Says on stderr what was noticed and did not stop the command.
pub(crate) fn warn(sentence: &str) {
    writeln!(std::io::stderr().lock(), "warning: {sentence}").ok();
}

/// A row for each member, those of members inside as `outer.inner`.
fn lines(above: &str, value: &Value, table: &mut Table) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{above}{name}");
        if value.is_object() {
            lines(&format!("{path}."), value, table);
        } else {
            table.row([path, cell(name, value)]);
        }
    }
}

fn cell(name: &str, value: &Value) -> String {
    match value {
        // People read two places, also where JSON leaves a zero out.
        Value::Number(score) if name == "score" => score
            .as_f64()
            .map_or_else(String::new, |score| format!("{score:.2}")),
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) if !items.iter().any(Value::is_object) => {
            (items.iter().map(|item| cell("", item)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    }
}

/// A score in basis points as people read it: `87.50`.
pub(crate) fn points(bps: i64) -> String {
    score_text(BasisPoints::new(bps))
}

#[cfg(test)]
mod tests {
    #[test]
    fn members_inside_are_rows_and_lists_read_as_lists() {
        let mut table = super::Table::new(&["", ""]);
        let value = serde_json::json!({"a": {"b": {"c": 1}, "d": ["x", 2]}, "e": null});
        super::lines("", &value, &mut table);
        let expected = [["a.b.c", "1"], ["a.d", "x, 2"], ["e", ""]];
        assert_eq!(
            table.rows,
            expected.map(|row| row.map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn scores_have_two_places_in_tables_and_are_numbers_elsewhere() {
        let value = serde_json::json!({"score": 77.5, "count": 3});
        assert_eq!(super::cell("score", &value["score"]), "77.50");
        assert_eq!(super::cell("count", &value["count"]), "3");
    }

    #[test]
    fn basis_points_read_as_points() {
        assert_eq!(super::points(8750), "87.50");
        assert_eq!(super::points(-5), "-0.05");
        assert_eq!(super::points(10_000), "100.00");
    }
}
