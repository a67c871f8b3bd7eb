//! SPDX JSON 2.2 and 2.3.

use std::collections::{BTreeMap, BTreeSet};

use stella_verify::hash::BlobDigest;

use super::document::{Document, Package, Relationship};
use super::graph::{Graph, Node};
use super::warnings::Warnings;
use crate::inputs::json::{DocumentError, Text};
use crate::limits::{MAX_COMPONENTS, MAX_TEXT_BYTES};
use crate::model::{
    Bom, BomFormat, Component, DependencyDepth, Distro, JsonPointer, Scope, WarningCode,
};
use crate::purl::Purl;

const KNOWN_VERSIONS: [&str; 2] = ["2.2", "2.3"];

pub(super) fn read(
    document: &Document<'_>,
    digest: BlobDigest,
    place: &JsonPointer,
) -> Result<Bom, DocumentError> {
    let version = document.spdx_version.get().unwrap_or_default();
    let version = version.strip_prefix("SPDX-").unwrap_or(version);
    if !version.starts_with("2.") {
        let reason = format!("SPDX {version} is not read; SPDX JSON 2.2 and 2.3 are");
        return Err(DocumentError::content(place.member("spdxVersion"), reason));
    }
    let mut walk = Walk::default();
    if !KNOWN_VERSIONS.contains(&version) {
        let place = place.member("spdxVersion");
        walk.warnings
            .push(place, WarningCode::SpecVersionUnknown, version);
    }
    walk.packages(document, place)?;
    walk.connect(document, place)?;
    let subject = walk.subject();
    Ok(Bom {
        digest,
        format: BomFormat::Spdx(version.into()),
        subject,
        distro: walk.distro,
        components: walk.components,
        warnings: walk.warnings.finish(),
    })
}

#[derive(Default)]
struct Walk {
    components: Vec<Component>,
    /// For each component, the package it came from, by place.
    owners: Vec<usize>,
    /// `SPDXID` to place of the package; the first one where several have it.
    ids: BTreeMap<Box<str>, usize>,
    /// `SPDXID` of files, which stand in relationships too.
    files: BTreeSet<Box<str>>,
    package_count: usize,
    described: Vec<Node>,
    distro: Option<Distro>,
    warnings: Warnings,
}

impl Walk {
    fn packages(
        &mut self,
        document: &Document<'_>,
        place: &JsonPointer,
    ) -> Result<(), DocumentError> {
        self.warnings
            .member(document.packages.is_invalid(), place, "packages");
        self.warnings
            .member(document.relationships.is_invalid(), place, "relationships");
        let files = document
            .files
            .as_slice()
            .iter()
            .filter_map(|file| file.get()?.id.get());
        self.files = files.map(Into::into).collect();
        let place = place.member("packages");
        let packages = document.packages.as_slice();
        self.package_count = packages.len();
        for (index, item) in packages.iter().enumerate() {
            let place = place.element(index);
            let Some(package) = item.get() else {
                self.warnings
                    .push(place, WarningCode::MemberInvalid, "not a package");
                continue;
            };
            self.package(index, package, &place)?;
        }
        Ok(())
    }

    fn package(
        &mut self,
        index: usize,
        package: &Package<'_>,
        place: &JsonPointer,
    ) -> Result<(), DocumentError> {
        for (text, name) in [
            (&package.id, "SPDXID"),
            (&package.name, "name"),
            (&package.version_info, "versionInfo"),
        ] {
            self.warnings.member(text.is_invalid(), place, name);
            if text.get().is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
                let reason = format!("longer than {MAX_TEXT_BYTES} bytes");
                return Err(DocumentError::content(place.member(name), reason));
            }
        }
        if let Some(id) = package.id.get() {
            if self.ids.contains_key(id) {
                let place = place.member("SPDXID");
                self.warnings
                    .push(place, WarningCode::ReferenceDuplicate, id);
            } else {
                self.ids.insert(id.into(), index);
            }
        }
        let purpose = package.primary_package_purpose.get().unwrap_or_default();
        if purpose == "OPERATING-SYSTEM" || purpose == "OPERATING_SYSTEM" {
            self.distro = self.distro.take().or_else(|| distro(package));
        }
        let purls = self.purls(package, place);
        if purls.is_empty() && is_package(purpose) {
            let name = package.name.get().unwrap_or_default();
            self.warnings
                .push(place.clone(), WarningCode::PurlMissing, name);
        }
        if purls.is_empty() {
            self.push(index, package, place.clone(), None)?;
        }
        for (purl, place) in purls {
            self.push(index, package, place, Some(purl))?;
        }
        Ok(())
    }

    fn push(
        &mut self,
        owner: usize,
        package: &Package<'_>,
        pointer: JsonPointer,
        purl: Option<Purl>,
    ) -> Result<(), DocumentError> {
        if self.components.len() >= MAX_COMPONENTS {
            let reason = format!("more than {MAX_COMPONENTS} components");
            return Err(DocumentError::content(pointer, reason));
        }
        self.owners.push(owner);
        self.components.push(Component {
            pointer,
            name: package.name.get().unwrap_or_default().into(),
            version: version_info(package).map(Into::into),
            purl,
            depth: DependencyDepth::Unknown,
            scope: Scope::Unspecified,
            source: super::source::of_package(package),
        });
        Ok(())
    }

    /// The package's purls, each with its place. A package that is listed under several purls
    /// which differ in qualifiers only (one per repository it was published to) is one package: the
    /// least spelling stands for it.
    fn purls(&mut self, package: &Package<'_>, place: &JsonPointer) -> Vec<(Purl, JsonPointer)> {
        let place = place.member("externalRefs");
        let mut purls: Vec<(Purl, JsonPointer)> = Vec::new();
        for (index, item) in package.external_refs.as_slice().iter().enumerate() {
            let Some(reference) = item.get() else {
                continue;
            };
            if reference.reference_type.get() != Some("purl") {
                continue;
            }
            let place = place.element(index).member("referenceLocator");
            let text = reference.reference_locator.get().unwrap_or_default();
            match text.parse::<Purl>() {
                Ok(purl) => purls.push((
                    match (purl.version(), version_info(package)) {
                        (None, Some(version)) => purl.with_version(version),
                        _ => purl,
                    },
                    place,
                )),
                Err(error) => {
                    let detail = format!("{error}: {text}");
                    self.warnings.push(place, WarningCode::PurlInvalid, &detail);
                }
            }
        }
        purls.sort_unstable();
        purls.dedup_by(|(later, _), (first, _)| {
            later.package_text() == first.package_text() && later.version() == first.version()
        });
        purls
    }

    /// Reads the relationships, and sets depth and scope of the components.
    fn connect(
        &mut self,
        document: &Document<'_>,
        place: &JsonPointer,
    ) -> Result<(), DocumentError> {
        let root = document.id.get().unwrap_or("SPDXRef-DOCUMENT");
        for text in document.describes.as_slice().iter().filter_map(Text::get) {
            self.described
                .extend(self.ids.get(text).map(|index| Node(*index)));
        }
        let mut graph = Graph::new(self.package_count);
        let mut scopes: BTreeMap<usize, Scope> = BTreeMap::new();
        let place = place.member("relationships");
        for (index, item) in document.relationships.as_slice().iter().enumerate() {
            let Some(relationship) = item.get() else {
                continue;
            };
            let place = place.element(index);
            let Some((whole, part, scope)) = edge(relationship) else {
                continue;
            };
            if whole == root {
                self.described
                    .extend(self.ids.get(part).map(|index| Node(*index)));
                continue;
            }
            let (Some(from), Some(to)) = (self.resolve(whole, &place), self.resolve(part, &place))
            else {
                continue;
            };
            graph.add(from, to, || place.clone())?;
            let known = scopes.entry(to.0).or_insert(scope);
            // Needed by one is needed, whatever the others say.
            *known = (*known).min(scope);
        }
        for (from, _) in graph.closing_edges() {
            let detail = self
                .ids
                .iter()
                .find(|(_, index)| **index == from.0)
                .map(|(id, _)| &**id);
            let detail = detail.unwrap_or_default().to_owned();
            self.warnings
                .push(place.clone(), WarningCode::DependencyLoop, &detail);
        }
        self.described.sort_unstable();
        self.described.dedup();
        let depths = graph.depths(&self.described);
        for (component, owner) in self.components.iter_mut().zip(&self.owners) {
            component.depth = depths
                .get(*owner)
                .copied()
                .unwrap_or(DependencyDepth::Unknown);
            component.scope = scopes.get(owner).copied().unwrap_or(Scope::Unspecified);
        }
        Ok(())
    }

    /// Files and the special elements `NONE` and `NOASSERTION` are no packages; anything else that
    /// does not resolve is broken.
    fn resolve(&mut self, id: &str, place: &JsonPointer) -> Option<Node> {
        if let Some(index) = self.ids.get(id) {
            return Some(Node(*index));
        }
        if id.starts_with("DocumentRef-") {
            self.warnings
                .push(place.clone(), WarningCode::ReferenceExternal, id);
        } else if !matches!(id, "NONE" | "NOASSERTION") && !self.files.contains(id) {
            self.warnings
                .push(place.clone(), WarningCode::ReferenceBroken, id);
        }
        None
    }

    /// The one package that the document describes; none when it describes several.
    fn subject(&self) -> Option<Component> {
        let [Node(described)] = self.described.as_slice() else {
            return None;
        };
        let place = self.owners.iter().position(|owner| owner == described)?;
        self.components.get(place).cloned()
    }
}

/// The relationships that say "uses" in either direction: who uses, what is used, how it is needed
/// (SPDX 2.3, clause 11).
fn edge<'r>(relationship: &'r Relationship<'_>) -> Option<(&'r str, &'r str, Scope)> {
    let left = relationship.left.get()?;
    let right = relationship.right.get()?;
    Some(match relationship.kind.get()? {
        "DESCRIBES" | "CONTAINS" | "HAS_PREREQUISITE" => (left, right, Scope::Unspecified),
        "DESCRIBED_BY" | "CONTAINED_BY" | "PREREQUISITE_FOR" | "PACKAGE_OF" => {
            (right, left, Scope::Unspecified)
        }
        "DEPENDS_ON" => (left, right, Scope::Required),
        "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" => (right, left, Scope::Required),
        "OPTIONAL_DEPENDENCY_OF"
        | "DEV_DEPENDENCY_OF"
        | "TEST_DEPENDENCY_OF"
        | "PROVIDED_DEPENDENCY_OF"
        | "OPTIONAL_COMPONENT_OF" => (right, left, Scope::Optional),
        "BUILD_DEPENDENCY_OF" | "DEV_TOOL_OF" | "BUILD_TOOL_OF" | "TEST_TOOL_OF" => {
            (right, left, Scope::Excluded)
        }
        _ => return None,
    })
}

fn version_info<'p>(package: &'p Package<'_>) -> Option<&'p str> {
    package
        .version_info
        .get()
        .filter(|text| !matches!(*text, "NOASSERTION" | "NONE"))
}

fn is_package(purpose: &str) -> bool {
    matches!(purpose, "" | "LIBRARY" | "FRAMEWORK" | "APPLICATION")
}

fn distro(package: &Package<'_>) -> Option<Distro> {
    let name = package.name.get()?.to_lowercase();
    let id = name.split_whitespace().next()?;
    Some(Distro {
        id: id.into(),
        version: version_info(package)?.into(),
    })
}
