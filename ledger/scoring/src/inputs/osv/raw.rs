//! The members of an OSV record that are read.

use serde::Deserialize;

use crate::inputs::json::{List, Object, Text};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawRecord<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) aliases: List<Text<'a>>,
    pub(super) upstream: List<Text<'a>>,
    pub(super) summary: Text<'a>,
    pub(super) withdrawn: Text<'a>,
    pub(super) severity: List<Object<RawSeverity<'a>>>,
    pub(super) affected: List<Object<RawAffected<'a>>>,
    pub(super) database_specific: Object<Specific<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawSeverity<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    pub(super) score: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawAffected<'a> {
    #[serde(borrow)]
    pub(super) package: Object<RawPackage<'a>>,
    pub(super) ranges: List<Object<RawRange<'a>>>,
    pub(super) versions: List<Text<'a>>,
    pub(super) severity: List<Object<RawSeverity<'a>>>,
    pub(super) ecosystem_specific: Object<Specific<'a>>,
    pub(super) database_specific: Object<Specific<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawPackage<'a> {
    #[serde(borrow)]
    pub(super) ecosystem: Text<'a>,
    pub(super) name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawRange<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    pub(super) events: List<Object<RawEvent<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawEvent<'a> {
    #[serde(borrow)]
    pub(super) introduced: Text<'a>,
    pub(super) fixed: Text<'a>,
    pub(super) last_affected: Text<'a>,
    pub(super) limit: Text<'a>,
}

/// What databases add of their own. The schema leaves the contents open.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Specific<'a> {
    /// GitHub, and distributions: a word.
    #[serde(borrow)]
    pub(super) severity: Text<'a>,
    /// Debian.
    pub(super) urgency: Text<'a>,
    /// RUSTSEC.
    pub(super) informational: Text<'a>,
}
