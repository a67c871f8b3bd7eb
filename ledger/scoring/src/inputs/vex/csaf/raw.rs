//! The members of a CSAF document that are read.

use serde::Deserialize;

use crate::inputs::json::{List, Object, Text};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawCsaf<'a> {
    #[serde(borrow)]
    pub(super) document: Object<RawDocument<'a>>,
    pub(super) product_tree: Object<RawTree<'a>>,
    pub(super) vulnerabilities: List<Object<RawVulnerability<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawDocument<'a> {
    #[serde(borrow)]
    pub(super) csaf_version: Text<'a>,
    pub(super) publisher: Object<RawPublisher<'a>>,
    pub(super) tracking: Object<RawTracking<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawPublisher<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawTracking<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) current_release_date: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawTree<'a> {
    #[serde(borrow)]
    pub(super) branches: List<Object<RawBranch<'a>>>,
    pub(super) full_product_names: List<Object<RawProduct<'a>>>,
    pub(super) relationships: List<Object<RawRelationship<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawBranch<'a> {
    #[serde(borrow)]
    pub(super) branches: List<Object<RawBranch<'a>>>,
    pub(super) product: Object<RawProduct<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawProduct<'a> {
    #[serde(borrow)]
    pub(super) product_id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) product_identification_helper: Object<RawHelper<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawHelper<'a> {
    #[serde(borrow)]
    pub(super) purl: Text<'a>,
    pub(super) cpe: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawRelationship<'a> {
    #[serde(borrow)]
    pub(super) full_product_name: Object<RawProduct<'a>>,
    pub(super) product_reference: Text<'a>,
    pub(super) relates_to_product_reference: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawVulnerability<'a> {
    #[serde(borrow)]
    pub(super) cve: Text<'a>,
    pub(super) ids: List<Object<RawId<'a>>>,
    pub(super) flags: List<Object<RawFlag<'a>>>,
    pub(super) product_status: Object<RawStates<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawId<'a> {
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawFlag<'a> {
    #[serde(borrow)]
    pub(super) label: Text<'a>,
    pub(super) product_ids: List<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawStates<'a> {
    #[serde(borrow)]
    pub(super) first_affected: List<Text<'a>>,
    pub(super) first_fixed: List<Text<'a>>,
    pub(super) fixed: List<Text<'a>>,
    pub(super) known_affected: List<Text<'a>>,
    pub(super) known_not_affected: List<Text<'a>>,
    pub(super) last_affected: List<Text<'a>>,
    pub(super) under_investigation: List<Text<'a>>,
}

impl<'a> RawStates<'a> {
    /// The products in a state.
    pub(super) fn of(&self, state: &str) -> &List<Text<'a>> {
        match state {
            "first_affected" => &self.first_affected,
            "first_fixed" => &self.first_fixed,
            "fixed" => &self.fixed,
            "known_affected" => &self.known_affected,
            "known_not_affected" => &self.known_not_affected,
            "last_affected" => &self.last_affected,
            _ => &self.under_investigation,
        }
    }
}
