//! From a package URL to the packages that advisories speak of.

mod distro;

use crate::model::{Distro, Ecosystem, EcosystemKind, SourcePackage, WarningCode};
use crate::purl::Purl;

pub use distro::Release;

/// Where to look a component up: ecosystems, names and the version to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Which ecosystems.
    pub ecosystems: EcosystemChoice,
    /// Family of those ecosystems.
    pub kind: EcosystemKind,
    /// Names to look for, normalised; the first is the package's own or its source package's.
    pub names: Vec<Box<str>>,
    /// The version in that ecosystem.
    pub version: Box<str>,
}

/// Which ecosystems a package may be found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EcosystemChoice {
    /// Exactly one.
    One(Ecosystem),
    /// All that belong to a release of a distribution, or to a registry of several repositories.
    Release(Release),
}

/// Why a component cannot be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoLookup {
    /// The warning to give.
    pub code: WarningCode,
    /// Its detail.
    pub detail: Box<str>,
}

impl NoLookup {
    fn new(code: WarningCode, detail: &str) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// What a document says of a package besides its purl.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The document's operating system, for packages whose purl does not name one.
    pub distro: Option<&'a Distro>,
    /// The source package, for packages whose purl does not name it.
    pub source: Option<&'a SourcePackage>,
}

/// Finds where a package is looked up.
///
/// # Errors
/// [`NoLookup`]: the reason why the component matches nothing.
pub fn lookup(purl: &Purl, origin: Origin<'_>) -> Result<Lookup, NoLookup> {
    check_registry(purl)?;
    let version = purl
        .version()
        .ok_or_else(|| NoLookup::new(WarningCode::VersionMissing, purl.as_str()))?;
    if let Some((ecosystem, name)) = language_package(purl) {
        let ecosystem = Ecosystem::parse(ecosystem);
        let kind = ecosystem.kind();
        let ecosystems = match kind {
            // `Maven:https://...` names the repository of a record's package.
            EcosystemKind::Maven | EcosystemKind::Packagist => {
                EcosystemChoice::Release(Release::Named(ecosystem.as_str().into()))
            }
            _ => EcosystemChoice::One(ecosystem),
        };
        return Ok(Lookup {
            ecosystems,
            kind,
            names: vec![super::package_name(kind, &name).into()],
            version: version.into(),
        });
    }
    distro::lookup(purl, version, origin)
}

/// Packages that came from elsewhere than the registry that the advisories speak of.
fn check_registry(purl: &Purl) -> Result<(), NoLookup> {
    let from_file = purl
        .qualifier("download_url")
        .is_some_and(|url| url.starts_with("file:"));
    let from_repository = purl.kind() == "cargo"
        && (purl.qualifier("vcs_url").is_some()
            || purl
                .qualifier("repository_url")
                .is_some_and(|url| !url.contains("crates.io")));
    if from_file || from_repository {
        return Err(NoLookup::new(WarningCode::NotFromRegistry, purl.as_str()));
    }
    Ok(())
}

/// OSV ecosystem and package name of a language package, by purl type.
pub(super) fn language_package(purl: &Purl) -> Option<(&'static str, String)> {
    let joined = |separator: &str| match purl.namespace() {
        Some(namespace) => format!("{namespace}{separator}{}", purl.name()),
        None => purl.name().to_owned(),
    };
    Some(match purl.kind() {
        "cargo" => ("crates.io", purl.name().to_owned()),
        "npm" => ("npm", joined("/")),
        "pypi" => ("PyPI", purl.name().to_owned()),
        "golang" => ("Go", go_module(joined("/"))),
        "maven" => ("Maven", joined(":")),
        "nuget" => ("NuGet", purl.name().to_owned()),
        "gem" => ("RubyGems", purl.name().to_owned()),
        "composer" => ("Packagist", joined("/")),
        "hex" => ("Hex", joined("/")),
        "pub" => ("Pub", purl.name().to_owned()),
        "swift" => ("SwiftURL", joined("/")),
        "githubactions" => ("GitHub Actions", joined("/")),
        "bitnami" => ("Bitnami", purl.name().to_owned()),
        "conan" => ("ConanCenter", purl.name().to_owned()),
        "cran" => ("CRAN", purl.name().to_owned()),
        "hackage" => ("Hackage", purl.name().to_owned()),
        "julia" => ("Julia", purl.name().to_owned()),
        _ => return None,
    })
}

/// Documents name the standard library `std`, `go` or `stdlib`; advisories say `stdlib`.
fn go_module(name: String) -> String {
    match name.as_str() {
        "std" | "go" => "stdlib".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(purl: &str) -> (String, String, String) {
        let found = lookup(&purl.parse().unwrap(), Origin::default()).unwrap();
        let ecosystem = match found.ecosystems {
            EcosystemChoice::One(ecosystem) => ecosystem.to_string(),
            EcosystemChoice::Release(Release::Named(name)) => name.into(),
            EcosystemChoice::Release(other) => panic!("{purl}: {other:?}"),
        };
        (
            ecosystem,
            found.names[0].to_string(),
            found.version.to_string(),
        )
    }

    #[test]
    fn language_packages_are_looked_up_under_their_registry_names() {
        for (purl, ecosystem, name, version) in [
            (
                "pkg:cargo/lz4_flex@0.12.0",
                "crates.io",
                "lz4_flex",
                "0.12.0",
            ),
            ("pkg:npm/%40babel/core@7.0.0", "npm", "@babel/core", "7.0.0"),
            (
                "pkg:pypi/Zope.Interface@5.0",
                "PyPI",
                "zope-interface",
                "5.0",
            ),
            (
                "pkg:golang/github.com/BurntSushi/toml@v1.0.0",
                "Go",
                "github.com/burntsushi/toml",
                "v1.0.0",
            ),
            ("pkg:golang/std@1.22.4", "Go", "stdlib", "1.22.4"),
            (
                "pkg:golang/a.b/c@v2.0.0%2Bincompatible",
                "Go",
                "a.b/c",
                "v2.0.0+incompatible",
            ),
            ("pkg:maven/org.a/b@1?type=jar", "Maven", "org.a:b", "1"),
            (
                "pkg:nuget/Newtonsoft.Json@13.0.1",
                "NuGet",
                "newtonsoft.json",
                "13.0.1",
            ),
            (
                "pkg:composer/Laravel/Framework@v7.12.0",
                "Packagist",
                "laravel/framework",
                "v7.12.0",
            ),
        ] {
            assert_eq!(one(purl), (ecosystem.into(), name.into(), version.into()));
        }
    }

    #[test]
    fn packages_from_elsewhere_are_named() {
        for (purl, code) in [
            (
                "pkg:cargo/a@1?download_url=file://../a",
                WarningCode::NotFromRegistry,
            ),
            (
                "pkg:cargo/a@1?vcs_url=git%2Bhttps://x",
                WarningCode::NotFromRegistry,
            ),
            (
                "pkg:cargo/a@1?repository_url=https://internal",
                WarningCode::NotFromRegistry,
            ),
            ("pkg:cargo/a", WarningCode::VersionMissing),
            ("pkg:generic/a@1", WarningCode::EcosystemUnknown),
            ("pkg:deb/debian/a@1", WarningCode::DistroMissing),
        ] {
            assert_eq!(
                lookup(&purl.parse().unwrap(), Origin::default())
                    .unwrap_err()
                    .code,
                code,
                "{purl}"
            );
        }
        assert!(
            lookup(
                &"pkg:npm/a@1?vcs_url=git%2Bhttps://x".parse().unwrap(),
                Origin::default()
            )
            .is_ok()
        );
    }
}
