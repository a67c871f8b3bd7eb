//! Distribution packages: which release, which source package, which version.

use super::{EcosystemChoice, Lookup, NoLookup, Origin};
use crate::matching::package_name;
use crate::model::{Distro, Ecosystem, EcosystemKind, WarningCode};
use crate::purl::Purl;

/// A release of a distribution, as a set of OSV ecosystems.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// The ecosystem of this name, and its parts after a further colon: `Rocky Linux:9`,
    /// `Red Hat:enterprise_linux:9` with its repositories.
    Named(Box<str>),
    /// Ubuntu's release with or without `:LTS`. Its Pro ecosystems (`Ubuntu:Pro:22.04:LTS`) have
    /// fixes that a plain system does not get, so they are not part of it.
    Ubuntu(Box<str>),
    /// SUSE's products of one service pack: every ecosystem of `SUSE` that ends so.
    Suse(Box<str>),
}

impl Release {
    /// Whether packages of this release may be found in `ecosystem`.
    #[must_use]
    pub fn includes(&self, ecosystem: &Ecosystem) -> bool {
        let text = ecosystem.as_str();
        match self {
            Self::Named(name) => text
                .strip_prefix(&**name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':')),
            Self::Ubuntu(version) => text
                .strip_prefix("Ubuntu:")
                .is_some_and(|rest| rest.strip_suffix(":LTS").unwrap_or(rest) == &**version),
            Self::Suse(suffix) => text.starts_with("SUSE:") && text.ends_with(&**suffix),
        }
    }
}

pub(super) fn lookup(purl: &Purl, version: &str, origin: Origin<'_>) -> Result<Lookup, NoLookup> {
    let missing = || NoLookup::new(WarningCode::DistroMissing, purl.as_str());
    let unknown = || NoLookup::new(WarningCode::EcosystemUnknown, purl.as_str());
    let kind = match purl.kind() {
        "deb" => EcosystemKind::Dpkg,
        // Older tools write the namespace as the type.
        "apk" | "alpine" => EcosystemKind::Apk,
        "rpm" => EcosystemKind::Rpm,
        _ => return Err(unknown()),
    };
    let distro = named_distro(purl)
        .or_else(|| origin.distro.cloned())
        .or_else(|| dist_tag(purl))
        .ok_or_else(missing)?;
    let release = release(kind, &distro).ok_or_else(unknown)?;
    let (names, source_version) = names(kind, purl, origin);
    let version = with_epoch(purl, source_version.unwrap_or(version));
    Ok(Lookup {
        ecosystems: EcosystemChoice::Release(release),
        kind,
        names: names
            .into_iter()
            .map(|name| package_name(kind, name).into())
            .collect(),
        version: version.into(),
    })
}

/// The purl's `distro` qualifier: `debian-12`, `alpine-3.20.1`, `opensuse-leap-15.5`, a bare
/// version (`12`), or a Debian or Ubuntu code name; the namespace names the distribution then.
fn named_distro(purl: &Purl) -> Option<Distro> {
    let namespace = purl.namespace().unwrap_or(if purl.kind() == "alpine" {
        "alpine"
    } else {
        ""
    });
    let distro = match purl.qualifier("distro") {
        Some(text) => text.to_ascii_lowercase(),
        // BuildKit's and Docker Scout's way.
        None if purl.qualifier("os_name").is_some() => {
            return Some(Distro {
                id: purl.qualifier("os_name")?.to_ascii_lowercase().into(),
                version: purl.qualifier("os_version")?.into(),
            });
        }
        // Rolling distributions have no release.
        None if matches!(namespace, "wolfi" | "chainguard" | "minimos") => {
            return Some(Distro {
                id: namespace.into(),
                version: "".into(),
            });
        }
        None => return None,
    };
    if let Some((id, version)) = code_name(&distro) {
        return Some(Distro {
            id: id.into(),
            version: version.into(),
        });
    }
    match distro.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => Some(Distro {
            id: id.into(),
            version: version.into(),
        }),
        // `debian-bookworm`, `alpine-edge`, `debian-sid`
        Some((id, word)) => {
            let version = code_name(word).map_or(word, |(_, version)| version);
            Some(Distro {
                id: id.into(),
                version: version.into(),
            })
        }
        None if distro.starts_with(|c: char| c.is_ascii_digit()) => Some(Distro {
            id: namespace.into(),
            version: distro.into(),
        }),
        None => Some(Distro {
            id: distro.into(),
            version: "".into(),
        }),
    }
}

/// The release that an rpm's own version names: `el9` in `3.0.7-18.el9_2`, by vendors whose packages
/// carry it. Other namespaces rebuild such packages, so there it says nothing.
fn dist_tag(purl: &Purl) -> Option<Distro> {
    let id = match (purl.kind(), purl.namespace()?) {
        ("rpm", "redhat" | "rhel") => "rhel",
        ("rpm", "rocky" | "rockylinux") => "rocky",
        ("rpm", "almalinux" | "alma") => "almalinux",
        _ => return None,
    };
    let version = purl.version()?;
    let (_, tail) = [".el", "+el"]
        .iter()
        .find_map(|tag| version.split_once(tag))?;
    let end = tail.find(|next: char| !next.is_ascii_digit());
    let release = tail.get(..end.unwrap_or(tail.len()))?;
    (!release.is_empty()).then(|| Distro {
        id: id.into(),
        version: release.into(),
    })
}

/// Code names of Debian and Ubuntu releases, which their purls often carry.
fn code_name(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "wheezy" => ("debian", "7"),
        "jessie" => ("debian", "8"),
        "stretch" => ("debian", "9"),
        "buster" => ("debian", "10"),
        "bullseye" => ("debian", "11"),
        "bookworm" => ("debian", "12"),
        "trixie" => ("debian", "13"),
        "forky" => ("debian", "14"),
        "trusty" => ("ubuntu", "14.04"),
        "xenial" => ("ubuntu", "16.04"),
        "bionic" => ("ubuntu", "18.04"),
        "focal" => ("ubuntu", "20.04"),
        "jammy" => ("ubuntu", "22.04"),
        "noble" => ("ubuntu", "24.04"),
        "plucky" => ("ubuntu", "25.04"),
        "questing" => ("ubuntu", "25.10"),
        _ => return None,
    })
}

/// OSV's name of a release.
fn release(kind: EcosystemKind, distro: &Distro) -> Option<Release> {
    let version = &*distro.version;
    let major = version.split('.').next().unwrap_or(version);
    let named = |name: String| Some(Release::Named(name.into()));
    match (kind, &*distro.id) {
        (EcosystemKind::Dpkg, "debian") => named(format!("Debian:{major}")),
        (EcosystemKind::Dpkg, "ubuntu") => {
            // A point release, `22.04.3`, is of its release.
            let mut parts = version.splitn(3, '.');
            let (year, month) = (parts.next()?, parts.next()?);
            Some(Release::Ubuntu(format!("{year}.{month}").into()))
        }
        (EcosystemKind::Apk, "alpine") if version == "edge" => named("Alpine:edge".into()),
        (EcosystemKind::Apk, "alpine") => {
            let mut parts = version.split(['.', '_']);
            let major = parts.next()?.trim_start_matches('v').to_owned();
            named(format!("Alpine:v{major}.{}", parts.next()?))
        }
        (EcosystemKind::Apk, "wolfi") => named("Wolfi".into()),
        (EcosystemKind::Apk, "chainguard") => named("Chainguard".into()),
        (EcosystemKind::Apk, "minimos") => named("MinimOS".into()),
        (EcosystemKind::Rpm, "rhel" | "redhat" | "red hat" | "red") => {
            named(format!("Red Hat:enterprise_linux:{major}"))
        }
        (EcosystemKind::Rpm, "rocky" | "rockylinux") => named(format!("Rocky Linux:{major}")),
        (EcosystemKind::Rpm, "almalinux" | "alma") => named(format!("AlmaLinux:{major}")),
        (EcosystemKind::Rpm, "mageia") => named(format!("Mageia:{major}")),
        (EcosystemKind::Rpm, "openeuler") => named(format!("openEuler:{version}")),
        (EcosystemKind::Rpm, "azurelinux" | "mariner") => named(format!("Azure Linux:{major}")),
        (EcosystemKind::Rpm, "photon") => named(format!("Photon OS:{version}")),
        (EcosystemKind::Rpm, "opensuse-leap" | "opensuse.leap") => {
            named(format!("openSUSE:Leap {version}"))
        }
        (EcosystemKind::Rpm, "opensuse-tumbleweed" | "opensuse.tumbleweed") => {
            named("openSUSE:Tumbleweed".into())
        }
        (EcosystemKind::Rpm, "sles" | "sle" | "suse" | "sled") => {
            Some(match version.split_once('.') {
                Some((major, "0")) => Release::Suse(format!(" {major}").into()),
                Some((major, pack)) => Release::Suse(format!(" {major} SP{pack}").into()),
                None => Release::Suse(format!(" {version}").into()),
            })
        }
        _ => None,
    }
}

/// Names to look a package up by. Debian, Ubuntu and Alpine advisories name source packages; those of
/// rpm, Wolfi and its kin name binary or source packages, by distribution, so both are tried. The `upstream`
/// qualifier names the source package, with its version where that differs; else the document does.
fn names<'a>(
    kind: EcosystemKind,
    purl: &'a Purl,
    origin: Origin<'a>,
) -> (Vec<&'a str>, Option<&'a str>) {
    let qualifier = purl.qualifier("upstream");
    let Some(upstream) = qualifier.or_else(|| purl.qualifier("origin")) else {
        let Some(source) = origin.source else {
            return (vec![purl.name()], None);
        };
        if either_name(kind, purl) {
            let mut names = vec![purl.name(), &source.name];
            names.dedup();
            return (names, None);
        }
        return (vec![&source.name], source.version.as_deref());
    };
    if either_name(kind, purl) {
        let source = source_rpm(upstream).unwrap_or(upstream);
        let mut names = vec![purl.name(), source];
        names.dedup();
        return (names, None);
    }
    // The first, where several are named.
    let upstream = upstream.split(',').next().unwrap_or(upstream);
    match upstream.split_once('@') {
        Some((source, version)) if !version.is_empty() => (vec![source], Some(version)),
        _ => (vec![upstream.trim_end_matches('@')], None),
    }
}

/// Whether advisories may name the package as it is installed.
fn either_name(kind: EcosystemKind, purl: &Purl) -> bool {
    let kin = ["wolfi", "chainguard", "minimos"];
    kind == EcosystemKind::Rpm || purl.namespace().is_some_and(|of| kin.contains(&of))
}

/// The name in `name-version-release.src.rpm`.
fn source_rpm(file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".rpm")?;
    let stem = stem
        .strip_suffix(".src")
        .or_else(|| stem.strip_suffix(".nosrc"))
        .unwrap_or(stem);
    let (rest, _release) = stem.rsplit_once('-')?;
    rest.rsplit_once('-').map(|(name, _version)| name)
}

/// Puts the purl's `epoch` before the version, unless it stands there already.
fn with_epoch(purl: &Purl, version: &str) -> String {
    match purl.qualifier("epoch") {
        Some(epoch) if epoch != "0" && !version.contains(':') => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    }
}

#[cfg(test)]
mod tests;
