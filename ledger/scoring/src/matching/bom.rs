//! Matching a whole bill of materials.

use super::lookup::{Lookup, NoLookup, Origin, lookup};
use super::packages::PackageIndex;
use crate::model::{
    Advisory, Bom, BomMatches, Component, ComponentIndex, JsonPointer, Match, Warning, WarningCode,
};
use crate::purl::Purl;

/// One package of a bill of materials.
#[derive(Debug)]
pub struct BomPackage<'a> {
    /// The package.
    pub purl: &'a Purl,
    /// Its components, in document order; at least one.
    pub components: Vec<ComponentIndex>,
    /// Where the first of them stands.
    pub pointer: &'a JsonPointer,
    /// Where it is looked up, or why it is not.
    pub lookup: Result<Lookup, NoLookup>,
}

/// The packages of a bill of materials, sorted. Components with one purl are one package: documents
/// repeat packages, some of them hundreds of times.
#[must_use]
pub fn bom_packages(bom: &Bom) -> Vec<BomPackage<'_>> {
    let mut places: Vec<(&Purl, ComponentIndex, &Component)> = (bom.components.iter())
        .zip(0_u32..)
        .filter_map(|(component, place)| {
            Some((component.purl.as_ref()?, ComponentIndex(place), component))
        })
        .collect();
    places.sort_by(|(a, a_place, _), (b, b_place, _)| a.cmp(b).then(a_place.cmp(b_place)));
    let same = places.chunk_by(|(a, ..), (b, ..)| a == b);
    same.filter_map(|same| {
        let (purl, _, first) = *same.first()?;
        let origin = Origin {
            distro: bom.distro.as_ref(),
            source: (same.iter()).find_map(|(_, _, component)| component.source.as_deref()),
        };
        Some(BomPackage {
            purl,
            components: same.iter().map(|(_, place, _)| *place).collect(),
            pointer: &first.pointer,
            lookup: lookup(purl, origin),
        })
    })
    .collect()
}

/// Matches every package.
#[must_use]
pub fn match_bom(bom: &Bom, index: &PackageIndex, advisories: &[Advisory]) -> BomMatches {
    let mut out = BomMatches::default();
    for package in bom_packages(bom) {
        let warn = |code: WarningCode, detail: &str| Warning {
            pointer: package.pointer.clone(),
            code,
            detail: crate::inputs::json::shorten(detail),
        };
        let lookup = match &package.lookup {
            Ok(lookup) => lookup,
            Err(reason) => {
                out.warnings.push(warn(reason.code, &reason.detail));
                continue;
            }
        };
        let found = index.matches(advisories, lookup);
        if found.unordered {
            out.warnings
                .push(warn(WarningCode::VersionUnordered, package.purl.as_str()));
        }
        let matches = found.matches.into_iter();
        out.matches.extend(matches.map(|found| Match {
            purl: package.purl.clone(),
            components: package.components.clone(),
            package: found,
        }));
    }
    out.warnings.sort_unstable();
    out
}
