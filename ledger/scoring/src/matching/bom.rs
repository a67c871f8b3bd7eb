//! Matching a whole bill of materials.

use super::lookup::lookup;
use super::packages::PackageIndex;
use crate::model::{
    Advisory, Bom, BomMatches, Component, ComponentIndex, Match, Warning, WarningCode,
};
use crate::purl::Purl;

/// Matches every component. Components with one purl are looked up once: documents repeat
/// packages, some of them hundreds of times.
#[must_use]
pub fn match_bom(bom: &Bom, index: &PackageIndex, advisories: &[Advisory]) -> BomMatches {
    let mut packages: Vec<(&Purl, ComponentIndex, &Component)> = bom
        .components
        .iter()
        .zip(0_u32..)
        .filter_map(|(component, place)| {
            Some((component.purl.as_ref()?, ComponentIndex(place), component))
        })
        .collect();
    packages.sort_by(|(a, a_place, _), (b, b_place, _)| a.cmp(b).then(a_place.cmp(b_place)));

    let mut out = BomMatches::default();
    for same in packages.chunk_by(|(a, ..), (b, ..)| a == b) {
        let Some((purl, ..)) = same.first() else {
            continue;
        };
        let warn = |code: WarningCode, detail: &str| Warning {
            pointer: same
                .first()
                .map(|(_, _, component)| component.pointer.clone())
                .unwrap_or_default(),
            code,
            detail: crate::inputs::json::shorten(detail),
        };
        let lookup = match lookup(purl, bom.distro.as_ref()) {
            Ok(lookup) => lookup,
            Err(reason) => {
                out.warnings.push(warn(reason.code, &reason.detail));
                continue;
            }
        };
        let found = index.matches(advisories, &lookup);
        if found.unordered {
            out.warnings
                .push(warn(WarningCode::VersionUnordered, purl.as_str()));
        }
        let components: Vec<_> = same.iter().map(|(_, place, _)| *place).collect();
        out.matches
            .extend(found.matches.into_iter().map(|package| Match {
                purl: (*purl).clone(),
                components: components.clone(),
                package,
            }));
    }
    out.warnings.sort_unstable();
    out
}
