//! CycloneDX JSON 1.2-1.7 (ECMA-424).

use std::collections::BTreeMap;

use stella_verify::hash::BlobDigest;

use super::document::{Document, RawComponent};
use super::graph::{Graph, Node};
use super::warnings::Warnings;
use crate::inputs::json::{DocumentError, List, Object};
use crate::limits::{MAX_COMPONENTS, MAX_TEXT_BYTES};
use crate::model::{
    Bom, BomFormat, Component, DependencyDepth, Distro, JsonPointer, Scope, WarningCode,
};
use crate::purl::Purl;

const KNOWN_VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

pub(super) fn read(
    document: &Document<'_>,
    digest: BlobDigest,
    place: &JsonPointer,
) -> Result<Bom, DocumentError> {
    if document
        .bom_format
        .get()
        .is_some_and(|format| format != "CycloneDX")
    {
        let reason = "`bomFormat` is not CycloneDX";
        return Err(DocumentError::content(place.member("bomFormat"), reason));
    }
    let mut walk = Walk::default();
    walk.check_header(document, place);
    let subject = walk.subject(document, place)?;
    walk.list(&document.components, &place.member("components"))?;
    walk.connect(document, place)?;
    let version = document.spec_version.get().unwrap_or_default();
    Ok(Bom {
        digest,
        format: BomFormat::CycloneDx(version.into()),
        subject,
        distro: walk.distro,
        components: walk.components,
        warnings: walk.warnings.finish(),
    })
}

/// What a reference resolves to.
#[derive(Clone, Copy)]
enum Target {
    Subject,
    Component(usize),
}

#[derive(Default)]
struct Walk {
    components: Vec<Component>,
    /// `bom-ref` to what has it; the first one where several do.
    references: BTreeMap<Box<str>, Target>,
    distro: Option<Distro>,
    warnings: Warnings,
}

impl Walk {
    fn check_header(&mut self, document: &Document<'_>, place: &JsonPointer) {
        match document.spec_version.get() {
            Some(version) if KNOWN_VERSIONS.contains(&version) => {}
            Some(version) => self.warnings.push(
                place.member("specVersion"),
                WarningCode::SpecVersionUnknown,
                version,
            ),
            None => self.warnings.member(true, place, "specVersion"),
        }
        self.warnings
            .member(document.bom_format.get().is_none(), place, "bomFormat");
        self.warnings
            .member(document.serial_number.is_invalid(), place, "serialNumber");
        self.warnings
            .member(document.metadata.is_invalid(), place, "metadata");
        self.warnings
            .member(document.dependencies.is_invalid(), place, "dependencies");
    }

    fn subject(
        &mut self,
        document: &Document<'_>,
        place: &JsonPointer,
    ) -> Result<Option<Component>, DocumentError> {
        let Some(metadata) = document.metadata.get() else {
            return Ok(None);
        };
        let place = place.member("metadata").member("component");
        if metadata.component.is_invalid() {
            self.warnings.push(place, WarningCode::MemberInvalid, "");
            return Ok(None);
        }
        let Some(raw) = metadata.component.get() else {
            return Ok(None);
        };
        let mut subject = self.component(raw, place.clone(), false)?;
        subject.depth = DependencyDepth::Steps(0);
        self.name_reference(raw, &place, Target::Subject);
        self.list(&raw.components, &place.member("components"))?;
        Ok(Some(subject))
    }

    /// Reads components and those nested in them. Recursion is bounded by the JSON parser's depth.
    fn list(
        &mut self,
        list: &List<Object<RawComponent<'_>>>,
        place: &JsonPointer,
    ) -> Result<(), DocumentError> {
        if list.is_invalid() {
            self.warnings
                .push(place.clone(), WarningCode::MemberInvalid, "");
        }
        for (index, item) in list.as_slice().iter().enumerate() {
            let place = place.element(index);
            let Some(raw) = item.get() else {
                self.warnings
                    .push(place, WarningCode::MemberInvalid, "not a component");
                continue;
            };
            if self.components.len() >= MAX_COMPONENTS {
                let reason = format!("more than {MAX_COMPONENTS} components");
                return Err(DocumentError::content(place, reason));
            }
            let component = self.component(raw, place.clone(), true)?;
            self.name_reference(raw, &place, Target::Component(self.components.len()));
            self.components.push(component);
            self.list(&raw.components, &place.member("components"))?;
        }
        Ok(())
    }

    fn component(
        &mut self,
        raw: &RawComponent<'_>,
        pointer: JsonPointer,
        matched: bool,
    ) -> Result<Component, DocumentError> {
        for (text, name) in [
            (&raw.name, "name"),
            (&raw.version, "version"),
            (&raw.bom_ref, "bom-ref"),
        ] {
            self.warnings.member(text.is_invalid(), &pointer, name);
            if text.get().is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
                let reason = format!("longer than {MAX_TEXT_BYTES} bytes");
                return Err(DocumentError::content(pointer.member(name), reason));
            }
        }
        let kind = raw.kind.get().unwrap_or_default();
        if kind == "operating-system" && self.distro.is_none() {
            self.distro = distro(raw);
        }
        let purl = self.purl(raw, &pointer, matched && is_package(kind));
        Ok(Component {
            name: raw.name.get().unwrap_or_default().into(),
            version: raw.version.get().map(Into::into),
            purl,
            depth: DependencyDepth::Unknown,
            scope: self.scope(raw, &pointer),
            source: super::source::of_properties(&raw.properties),
            pointer,
        })
    }

    fn purl(
        &mut self,
        raw: &RawComponent<'_>,
        pointer: &JsonPointer,
        expected: bool,
    ) -> Option<Purl> {
        self.warnings.member(raw.purl.is_invalid(), pointer, "purl");
        let Some(text) = raw.purl.get() else {
            if expected && !raw.purl.is_invalid() {
                let name = raw.name.get().unwrap_or_default();
                self.warnings
                    .push(pointer.clone(), WarningCode::PurlMissing, name);
            }
            return None;
        };
        match text.parse::<Purl>() {
            Ok(purl) => Some(match (purl.version(), raw.version.get()) {
                (None, Some(version)) => purl.with_version(version),
                _ => purl,
            }),
            Err(error) => {
                let detail = format!("{error}: {text}");
                self.warnings
                    .push(pointer.member("purl"), WarningCode::PurlInvalid, &detail);
                None
            }
        }
    }

    fn scope(&mut self, raw: &RawComponent<'_>, pointer: &JsonPointer) -> Scope {
        match raw.scope.get() {
            Some("required") => Scope::Required,
            Some("optional") => Scope::Optional,
            Some("excluded") => Scope::Excluded,
            Some(other) => {
                self.warnings
                    .push(pointer.member("scope"), WarningCode::MemberInvalid, other);
                Scope::Unspecified
            }
            None => {
                self.warnings
                    .member(raw.scope.is_invalid(), pointer, "scope");
                Scope::Unspecified
            }
        }
    }

    fn name_reference(&mut self, raw: &RawComponent<'_>, place: &JsonPointer, target: Target) {
        let Some(reference) = raw.bom_ref.get() else {
            return;
        };
        if self.references.contains_key(reference) {
            self.warnings.push(
                place.member("bom-ref"),
                WarningCode::ReferenceDuplicate,
                reference,
            );
        } else {
            self.references.insert(reference.into(), target);
        }
    }

    /// Reads `dependencies` and sets the components' depths. Node 0 is the subject.
    fn connect(
        &mut self,
        document: &Document<'_>,
        place: &JsonPointer,
    ) -> Result<(), DocumentError> {
        let place = place.member("dependencies");
        let mut graph = Graph::new(self.components.len() + 1);
        // Where each node's dependencies stand; pointers are made only for what goes wrong.
        let mut entries: BTreeMap<usize, usize> = BTreeMap::new();
        for (entry, item) in document.dependencies.as_slice().iter().enumerate() {
            let place = || place.element(entry);
            let Some(dependency) = item.get() else {
                self.warnings
                    .push(place(), WarningCode::MemberInvalid, "not a dependency");
                continue;
            };
            let from = dependency.reference.get().unwrap_or_default();
            let Some(from) = self.resolve(from, || place().member("ref")) else {
                continue;
            };
            entries.entry(from.0).or_insert(entry);
            for (index, target) in dependency.depends_on.as_slice().iter().enumerate() {
                let place = || place().member("dependsOn").element(index);
                let target = target.get().unwrap_or_default();
                if let Some(to) = self.resolve(target, place) {
                    graph.add(from, to, place)?;
                }
            }
        }
        for (from, _) in graph.closing_edges() {
            let place = entries.get(&from.0).map(|entry| place.element(*entry));
            self.warnings
                .push(place.unwrap_or_default(), WarningCode::DependencyLoop, "");
        }
        let depths = graph.depths(&[Node(0)]);
        for (component, depth) in self.components.iter_mut().zip(depths.into_iter().skip(1)) {
            component.depth = depth;
        }
        Ok(())
    }

    fn resolve(&mut self, reference: &str, place: impl Fn() -> JsonPointer) -> Option<Node> {
        match self.references.get(reference) {
            Some(Target::Subject) => Some(Node(0)),
            Some(Target::Component(index)) => Some(Node(index + 1)),
            None if reference.starts_with("urn:cdx:") => {
                self.warnings
                    .push(place(), WarningCode::ReferenceExternal, reference);
                None
            }
            None => {
                self.warnings
                    .push(place(), WarningCode::ReferenceBroken, reference);
                None
            }
        }
    }
}

/// Component types that a package manager installs, so that a missing purl is worth a warning.
fn is_package(kind: &str) -> bool {
    matches!(kind, "library" | "framework" | "application")
}

fn distro(raw: &RawComponent<'_>) -> Option<Distro> {
    let name = raw.name.get()?.to_lowercase();
    let id = name.split_whitespace().next()?;
    Some(Distro {
        id: id.into(),
        version: raw.version.get()?.into(),
    })
}
