//! The product tree of a CSAF document.

use std::collections::BTreeMap;

use super::raw::{RawBranch, RawCsaf, RawProduct};
use crate::inputs::json::{List, Object};
use crate::model::{VexProduct, VexSubcomponent};
use crate::purl::Purl;

/// How deep products may be made of products.
const MAX_PRODUCT_DEPTH: usize = 8;

/// The product tree, flattened.
pub(super) struct Products<'r> {
    products: BTreeMap<&'r str, (Option<Purl>, &'r str)>,
    /// Product id to (part, whole).
    relationships: BTreeMap<&'r str, (&'r str, &'r str)>,
}

impl<'r> Products<'r> {
    pub(super) fn read(raw: &'r RawCsaf<'_>) -> Self {
        let mut out = Self {
            products: BTreeMap::new(),
            relationships: BTreeMap::new(),
        };
        let Some(tree) = raw.product_tree.get() else {
            return out;
        };
        for product in tree
            .full_product_names
            .as_slice()
            .iter()
            .filter_map(Object::get)
        {
            out.add(product);
        }
        out.branches(&tree.branches);
        for relationship in tree.relationships.as_slice().iter().filter_map(Object::get) {
            let full = relationship.full_product_name.get();
            let (Some(full), Some(part), Some(whole)) = (
                full.and_then(|full| full.product_id.get()),
                relationship.product_reference.get(),
                relationship.relates_to_product_reference.get(),
            ) else {
                continue;
            };
            out.relationships.insert(full, (part, whole));
        }
        out
    }

    /// Recursion is bounded by the JSON parser's depth.
    fn branches(&mut self, branches: &'r List<Object<RawBranch<'_>>>) {
        for branch in branches.as_slice().iter().filter_map(Object::get) {
            if let Some(product) = branch.product.get() {
                self.add(product);
            }
            self.branches(&branch.branches);
        }
    }

    fn add(&mut self, raw: &'r RawProduct<'_>) {
        let Some(id) = raw.product_id.get() else {
            return;
        };
        let helper = raw.product_identification_helper.get();
        let purl = helper
            .and_then(|helper| helper.purl.get())
            .and_then(|text| text.parse().ok());
        let cpe = helper.and_then(|helper| helper.cpe.get());
        self.products
            .insert(id, (purl, cpe.or(raw.name.get()).unwrap_or(id)));
    }

    /// What a product id stands for: a product, or a part within a product.
    pub(super) fn resolve(&self, id: &str) -> Option<VexProduct> {
        if let Some((part, whole)) = self.relationships.get(id) {
            let part = self.innermost(part);
            let mut product = self.resolve_within(whole, 0)?;
            if let Some((Some(purl), _)) = self.products.get(part) {
                product.subcomponents = vec![VexSubcomponent { purl: purl.clone() }];
            } else {
                // A part that has no purl cannot be told from the whole, which the statement is
                // not about: name the pair, so that it matches nothing.
                product = VexProduct {
                    purl: None,
                    name: id.into(),
                    subcomponents: Vec::new(),
                };
            }
            return Some(product);
        }
        self.resolve_within(id, 0)
    }

    /// The whole that a part belongs to; where the whole is itself a part of something, the
    /// outermost product.
    fn resolve_within(&self, id: &str, depth: usize) -> Option<VexProduct> {
        if let Some((_, whole)) = self
            .relationships
            .get(id)
            .filter(|_| depth < MAX_PRODUCT_DEPTH)
        {
            return self.resolve_within(whole, depth + 1);
        }
        let (purl, name) = self.products.get(id)?;
        let name = if purl.is_some() { "" } else { name };
        Some(VexProduct {
            purl: purl.clone(),
            name: name.into(),
            subcomponents: Vec::new(),
        })
    }

    /// The part of a part.
    fn innermost<'i>(&'i self, id: &'i str) -> &'i str {
        let mut id = id;
        for _ in 0..MAX_PRODUCT_DEPTH {
            match self.relationships.get(id) {
                Some((part, _)) => id = part,
                None => break,
            }
        }
        id
    }
}
