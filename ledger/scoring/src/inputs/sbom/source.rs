//! Source packages, where a document names them beside the purl.
//!
//! Advisories of Debian, Ubuntu and Alpine speak of source packages. Syft writes them into the purl
//! (`upstream`); Trivy writes properties (CycloneDX) or a sentence (SPDX).

use super::document::{Package, Property};
use crate::inputs::json::{List, Object};
use crate::limits::MAX_ID_BYTES;
use crate::model::SourcePackage;

/// What Trivy's properties begin with.
const PROPERTY: &str = "aquasecurity:trivy:Src";

/// What Trivy's `sourceInfo` begins with.
const SENTENCE: &str = "built package from: ";

/// `SrcName`, `SrcVersion`, `SrcRelease` and `SrcEpoch` of a CycloneDX component.
pub(super) fn of_properties(properties: &List<Object<Property<'_>>>) -> Option<Box<SourcePackage>> {
    let find = |wanted: &str| {
        let mut all = properties.as_slice().iter().filter_map(Object::get);
        let found = all.find(|property| {
            let name = property.name.get().unwrap_or_default();
            name.strip_prefix(PROPERTY) == Some(wanted)
        });
        found?.value.get()
    };
    let name = find("Name")?;
    let version = find("Version").map(|version| {
        let epoch = find("Epoch").filter(|epoch| *epoch != "0");
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let release = find("Release").map(|release| format!("-{release}"));
        format!("{epoch}{version}{}", release.unwrap_or_default())
    });
    source(name, version.as_deref())
}

/// `built package from: NAME VERSION` of an SPDX package.
pub(super) fn of_package(package: &Package<'_>) -> Option<Box<SourcePackage>> {
    let rest = package.source_info.get()?.strip_prefix(SENTENCE)?;
    let mut words = rest.split_whitespace();
    let (name, version) = (words.next()?, words.next());
    // Anything after the version is not the sentence that is known here.
    words.next().is_none().then_some(())?;
    source(name, version)
}

fn source(name: &str, version: Option<&str>) -> Option<Box<SourcePackage>> {
    let short = |text: &str| !text.is_empty() && text.len() <= MAX_ID_BYTES;
    short(name).then(|| {
        Box::new(SourcePackage {
            name: name.into(),
            version: version.filter(|text| short(text)).map(Into::into),
        })
    })
}
