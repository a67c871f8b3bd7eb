//! Keys of snapshot rows: how a fact names the record it was read from (FORMATS.md, 7).

use core::fmt;

/// Which kind of record a snapshot row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// An OSV record, once under every package it names.
    Advisory,
    /// An OSV record without a package: it carries names (aliases) and severities only.
    Alias,
    /// A line of an EPSS file.
    Epss,
    /// An entry of the known exploited vulnerabilities catalogue.
    Kev,
    /// A record that joins a severity or decision points to a vulnerability id.
    Severity,
    /// A normalised VEX statement.
    Vex,
}

impl Table {
    /// Every table, in the order of their names.
    pub const ALL: [Self; 6] = [
        Self::Advisory,
        Self::Alias,
        Self::Epss,
        Self::Kev,
        Self::Severity,
        Self::Vex,
    ];

    /// The name in a row.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Alias => "alias",
            Self::Epss => "epss",
            Self::Kev => "kev",
            Self::Severity => "severity",
            Self::Vex => "vex",
        }
    }

    /// The table of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first five elements of a snapshot row: unique in a snapshot, and its order.
///
/// Ordered element by element as UTF-8 bytes, which is the order of the snapshot's Merkle tree
/// ([`Table`]'s order is that of the names).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// Kind of record.
    pub table: Table,
    /// Ecosystem as OSV writes it, release included (`Debian:12`); empty where there is no package.
    pub ecosystem: Box<str>,
    /// Package name under the ecosystem's name rule; empty where there is no package.
    pub package: Box<str>,
    /// Who says it.
    pub source: Box<str>,
    /// The record's id within its source.
    pub id: Box<str>,
}

impl RowKey {
    /// Key of a record that belongs to no package.
    #[must_use]
    pub fn unpackaged(table: Table, source: &str, id: &str) -> Self {
        Self {
            table,
            ecosystem: "".into(),
            package: "".into(),
            source: source.into(),
            id: id.into(),
        }
    }

    /// The elements in their order.
    #[must_use]
    pub fn elements(&self) -> [&str; 5] {
        [
            self.table.name(),
            &self.ecosystem,
            &self.package,
            &self.source,
            &self.id,
        ]
    }

    /// Canonical JSON of the five elements: the `entry` of an evidence reference (FORMATS.md, 6).
    #[must_use]
    pub fn entry(&self) -> String {
        let mut out = String::from("[");
        for (place, element) in self.elements().into_iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            push_json_string(&mut out, element);
        }
        out.push(']');
        out
    }
}

/// Writes a string as RFC 8785 does: the two-character escapes, `\u00xx` for the other control
/// characters, everything else as it is.
pub(crate) fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_tables_is_that_of_their_names() {
        let mut names: Vec<_> = Table::ALL.iter().map(|table| table.name()).collect();
        let listed = names.clone();
        names.sort_unstable();
        assert_eq!(names, listed);
        assert!(Table::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn an_entry_is_canonical_json() {
        let key = RowKey {
            table: Table::Advisory,
            ecosystem: "Go".into(),
            package: "a\"b\\c\u{1}é".into(),
            source: "osv".into(),
            id: "GO-1\n".into(),
        };
        let entry = key.entry();
        assert_eq!(
            entry,
            "[\"advisory\",\"Go\",\"a\\\"b\\\\c\\u0001é\",\"osv\",\"GO-1\\n\"]"
        );
        let parsed: Vec<String> = serde_json::from_str(&entry).unwrap();
        assert_eq!(parsed, key.elements());
    }
}
