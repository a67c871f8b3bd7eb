//! Name rules of ecosystems: when two spellings name one package.

use std::borrow::Cow;

use crate::model::EcosystemKind;

/// The name under which a package of this ecosystem stands in snapshot rows.
///
/// Frozen with the snapshot schema: changing a rule changes snapshot hashes.
#[must_use]
pub fn package_name(kind: EcosystemKind, name: &str) -> Cow<'_, str> {
    match kind {
        EcosystemKind::PyPi => pep_503(name),
        // Module paths keep their case, but the purl specification writes them in lower case, and
        // no host serves two that differ in case only.
        EcosystemKind::Go
        | EcosystemKind::NuGet
        | EcosystemKind::Packagist
        | EcosystemKind::Dpkg
        | EcosystemKind::Apk => lower(name),
        EcosystemKind::CratesIo
        | EcosystemKind::Npm
        | EcosystemKind::Maven
        | EcosystemKind::RubyGems
        | EcosystemKind::SemVerOther
        | EcosystemKind::Rpm
        | EcosystemKind::Unordered => Cow::Borrowed(name),
    }
}

/// PEP 503: lower case, runs of `-`, `_` and `.` are one `-`.
fn pep_503(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.bytes().all(plain) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        match character {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

fn lower(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_registries() {
        for (kind, name, expected) in [
            (EcosystemKind::PyPi, "Foo__Bar.-baz", "foo-bar-baz"),
            (EcosystemKind::PyPi, "zope.interface", "zope-interface"),
            (
                EcosystemKind::Go,
                "github.com/BurntSushi/toml",
                "github.com/burntsushi/toml",
            ),
            (EcosystemKind::NuGet, "Newtonsoft.Json", "newtonsoft.json"),
            (EcosystemKind::Npm, "JSONStream", "JSONStream"),
            (EcosystemKind::CratesIo, "lock_api", "lock_api"),
            (EcosystemKind::Maven, "a.B:c", "a.B:c"),
        ] {
            assert_eq!(package_name(kind, name), expected);
            assert_eq!(package_name(kind, expected), expected, "a fixed point");
        }
    }
}
