//! A CycloneDX SBOM of a Rust project, from its `Cargo.lock`.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Package {
    fn purl(&self) -> String {
        // `+` of build metadata is not a purl character as it stands.
        format!(
            "pkg:cargo/{}@{}",
            self.name,
            self.version.replace('+', "%2B")
        )
    }

    /// A package without a source is a member of the workspace itself, not of a registry.
    fn reference(&self) -> String {
        match self.source {
            Some(_) => self.purl(),
            None => format!("workspace:{}@{}", self.name, self.version),
        }
    }

    fn component(&self) -> Value {
        let mut component = json!({
            "type": "library",
            "bom-ref": self.reference(),
            "name": self.name,
            "version": self.version,
        });
        if let Value::Object(members) = &mut component {
            if self.source.is_some() {
                members.insert("purl".to_owned(), self.purl().into());
            }
            if let Some(checksum) = &self.checksum {
                let hash = json!([{"alg": "SHA-256", "content": checksum}]);
                members.insert("hashes".to_owned(), hash);
            }
        }
        component
    }
}

/// The SBOM of the project `name`: every locked package with its dependencies, in the lock file's
/// order, without times or random serial numbers, so that the same lock gives the same bytes.
pub(crate) fn sbom(lock: &str, name: &str) -> Result<Vec<u8>, toml::de::Error> {
    let lock: Lock = toml::from_str(lock)?;
    let dependencies: Vec<Value> = lock
        .package
        .iter()
        .map(|package| {
            let on: Vec<String> = package
                .dependencies
                .iter()
                .filter_map(|wanted| find(&lock.package, wanted))
                .map(Package::reference)
                .collect();
            json!({"ref": package.reference(), "dependsOn": on})
        })
        .collect();
    let root = lock
        .package
        .iter()
        .find(|package| package.source.is_none() && package.name == name);
    let subject = root.map_or_else(
        || json!({"type": "application", "name": name}),
        |root| {
            json!({
                "type": "application",
                "bom-ref": format!("application:{}", root.reference()),
                "name": root.name,
                "version": root.version,
            })
        },
    );
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": lock.package.iter().map(Package::component).collect::<Vec<_>>(),
        "dependencies": dependencies,
    });
    Ok(format!("{bom:#}\n").into_bytes())
}

/// The package that a dependency line means: `name`, `name version` or `name version (source)`.
fn find<'a>(packages: &'a [Package], wanted: &str) -> Option<&'a Package> {
    let mut words = wanted.split(' ');
    let name = words.next()?;
    let version = words.next();
    packages
        .iter()
        .find(|package| package.name == name && version.is_none_or(|v| package.version == v))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "a"
version = "1.0.0+zstd.1"
source = "registry+https://example.test/index"
checksum = "00"
[[package]]
name = "a"
version = "2.0.0"
source = "registry+https://example.test/index"
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["a 2.0.0"]
"#;

    #[test]
    fn every_package_stands_in_the_sbom_and_versions_are_told_apart() {
        let bom: Value = serde_json::from_slice(&sbom(LOCK, "app").unwrap()).unwrap();
        assert_eq!(bom["components"].as_array().unwrap().len(), 3);
        assert_eq!(bom["components"][0]["purl"], "pkg:cargo/a@1.0.0%2Bzstd.1");
        assert_eq!(bom["components"][2]["purl"], Value::Null);
        assert_eq!(
            bom["dependencies"][2]["dependsOn"],
            json!(["pkg:cargo/a@2.0.0"])
        );
    }
}
