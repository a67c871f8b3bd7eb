//! Which VEX statements are about which components.

use std::borrow::Cow;

use crate::matching::{language_package, package_name};
use crate::model::{Ecosystem, EcosystemKind, VexFit, VexProduct, VexQuery, VexStatement};
use crate::purl::Purl;
use crate::version::compare;

/// Key under which statements about a package stand: the advisory ecosystem and name for language
/// packages, `purl:<type>` and the purl's own name for others (a statement names no release).
#[must_use]
pub fn package_key(purl: &Purl) -> (Cow<'static, str>, String) {
    if let Some((ecosystem, name)) = language_package(purl) {
        let kind = Ecosystem::parse(ecosystem).kind();
        return (
            Cow::Borrowed(ecosystem),
            package_name(kind, &name).into_owned(),
        );
    }
    let name = match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    };
    (Cow::Owned(format!("purl:{}", purl.kind())), name)
}

/// How closely a statement fits a finding; `None` when it is about something else.
///
/// A product with parts speaks of those parts within that product: the product must be what was
/// scanned. A product without parts is the component itself, or the whole artifact. A part that is
/// named at an exact version, in a product that has no purl (a CPE, a product name), speaks of that
/// build of the package wherever it is; an unversioned one in an unknown product speaks of nothing
/// that can be told here.
#[must_use]
pub fn fit(statement: &VexStatement, query: VexQuery<'_>) -> Option<VexFit> {
    let names = &statement.vulnerabilities;
    if !names
        .iter()
        .any(|name| query.names.binary_search(name).is_ok())
    {
        return None;
    }
    statement
        .products
        .iter()
        .filter_map(|product| fit_product(product, query))
        .max()
}

fn fit_product(product: &VexProduct, query: VexQuery<'_>) -> Option<VexFit> {
    let is_artifact = |purl: &Purl| {
        query
            .artifacts
            .iter()
            .any(|artifact| names(purl, artifact).is_some())
    };
    if product.subcomponents.is_empty() {
        let purl = product.purl.as_ref()?;
        return match (names(purl, query.component), is_artifact(purl)) {
            (Some(Named::Version), _) => Some(VexFit::ComponentVersion),
            (Some(Named::Package), _) => Some(VexFit::Component),
            (None, true) if purl.version().is_some() => Some(VexFit::ArtifactVersion),
            (None, true) => Some(VexFit::Artifact),
            (None, false) => None,
        };
    }
    let parts = product.subcomponents.iter();
    let part = parts
        .filter_map(|part| names(&part.purl, query.component))
        .max()?;
    match (&product.purl, part) {
        (Some(purl), _) if !is_artifact(purl) => None,
        (Some(_), Named::Version) => Some(VexFit::ComponentVersionInArtifact),
        (Some(_), Named::Package) => Some(VexFit::ComponentInArtifact),
        (None, Named::Version) => Some(VexFit::ComponentVersion),
        (None, Named::Package) => None,
    }
}

/// How a purl of a statement names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// Any version of the package.
    Package,
    /// This version.
    Version,
}

/// Whether `pattern` names `purl`: the same package, the same version if it has one, and every
/// qualifier that it has.
fn names(pattern: &Purl, purl: &Purl) -> Option<Named> {
    if pattern.kind() != purl.kind() || package_key(pattern) != package_key(purl) {
        return None;
    }
    // `jar` is what a Maven purl without a type means.
    let implied = |key: &str, value: &str| (key, value) == ("type", "jar");
    let qualified = pattern
        .qualifiers()
        .all(|(key, value)| implied(key, value) || purl.qualifier(key) == Some(value));
    if !qualified
        || pattern
            .subpath()
            .is_some_and(|path| purl.subpath() != Some(path))
    {
        return None;
    }
    match (pattern.version(), purl.version()) {
        (None, _) => Some(Named::Package),
        (Some(a), Some(b)) if a == b || same_version(purl, a, b) => Some(Named::Version),
        _ => None,
    }
}

/// Whether two spellings are one version: `v1.2.3` and `1.2.3` of a Go module.
fn same_version(purl: &Purl, a: &str, b: &str) -> bool {
    let kind = match (language_package(purl), purl.kind()) {
        (Some((ecosystem, _)), _) => Ecosystem::parse(ecosystem).kind(),
        (None, "deb") => EcosystemKind::Dpkg,
        (None, "apk") => EcosystemKind::Apk,
        (None, "rpm") => EcosystemKind::Rpm,
        _ => EcosystemKind::Unordered,
    };
    compare(kind, a, b).is_some_and(std::cmp::Ordering::is_eq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Table, VexStatus, VexSubcomponent, unpackaged};

    fn product(purl: Option<&str>, parts: &[&str]) -> VexProduct {
        VexProduct {
            purl: purl.map(|text| text.parse().unwrap()),
            name: "cpe".into(),
            subcomponents: parts
                .iter()
                .map(|text| VexSubcomponent {
                    purl: text.parse().unwrap(),
                })
                .collect(),
        }
    }

    #[track_caller]
    fn check(product: VexProduct, expected: Option<VexFit>) {
        let statement = VexStatement {
            author: "".into(),
            time: None,
            revision: "".into(),
            vulnerabilities: vec!["CVE-1".into()],
            status: VexStatus::NotAffected,
            justification: None,
            products: vec![product],
            row: unpackaged(Table::Vex, "", ""),
        };
        let artifacts = ["pkg:golang/example.com/app@v1.0.0".parse().unwrap()];
        let component = "pkg:golang/example.com/lib@v2.0.0".parse().unwrap();
        let names: [Box<str>; 2] = ["CVE-1".into(), "GO-1".into()];
        let query = VexQuery {
            artifacts: &artifacts,
            component: &component,
            names: &names,
        };
        assert_eq!(fit(&statement, query), expected);
        let others: [Box<str>; 1] = ["CVE-2".into()];
        assert_eq!(
            fit(
                &statement,
                VexQuery {
                    names: &others,
                    ..query
                }
            ),
            None
        );
    }

    #[test]
    fn a_product_is_the_component_or_the_artifact() {
        check(
            product(Some("pkg:golang/example.com/lib"), &[]),
            Some(VexFit::Component),
        );
        check(
            product(Some("pkg:golang/example.com/lib@2.0.0"), &[]),
            Some(VexFit::ComponentVersion),
        );
        check(
            product(Some("pkg:golang/example.com/lib@v2.0.1"), &[]),
            None,
        );
        check(
            product(Some("pkg:golang/example.com/lib?goos=linux"), &[]),
            None,
        );
        check(
            product(Some("pkg:golang/example.com/app"), &[]),
            Some(VexFit::Artifact),
        );
        check(
            product(Some("pkg:golang/example.com/app@v1.0.0"), &[]),
            Some(VexFit::ArtifactVersion),
        );
        check(
            product(Some("pkg:golang/example.com/app@v9.0.0"), &[]),
            None,
        );
        check(product(None, &[]), None);
    }

    #[test]
    fn parts_are_parts_of_what_was_scanned() {
        let (app, lib) = ("pkg:golang/example.com/app", "pkg:golang/example.com/lib");
        let version = "pkg:golang/example.com/lib@v2.0.0";
        check(
            product(Some(app), &[lib]),
            Some(VexFit::ComponentInArtifact),
        );
        check(
            product(Some(app), &[version]),
            Some(VexFit::ComponentVersionInArtifact),
        );
        check(product(Some(app), &["pkg:golang/example.com/other"]), None);
        check(product(Some("pkg:golang/example.com/else"), &[lib]), None);
        check(product(None, &[version]), Some(VexFit::ComponentVersion));
        check(product(None, &[lib]), None);
    }
}
