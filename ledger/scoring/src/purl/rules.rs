//! What the purl types ask of their parts (purl specification, "Known purl types").

/// Applies the type's rule to a namespace, already decoded.
pub(super) fn namespace(kind: &str, text: String) -> String {
    match kind {
        "alpm" | "apk" | "bitbucket" | "composer" | "deb" | "github" | "hex" | "qpkg" | "rpm" => {
            text.to_lowercase()
        }
        _ => text,
    }
}

/// Applies the type's rule to a name, already decoded.
pub(super) fn name(kind: &str, text: String) -> String {
    match kind {
        "alpm" | "apk" | "bitbucket" | "bitnami" | "composer" | "deb" | "github" | "hex"
        | "luarocks" | "oci" => text.to_lowercase(),
        "pypi" => text.to_lowercase().replace('_', "-"),
        _ => text,
    }
}

/// Applies the type's rule to a version, already decoded.
pub(super) fn version(kind: &str, text: String) -> String {
    match kind {
        "huggingface" | "oci" => text.to_lowercase(),
        _ => text,
    }
}

/// Whether the type forbids a purl without namespace.
pub(super) fn needs_namespace(kind: &str) -> bool {
    matches!(kind, "bitbucket" | "composer" | "github" | "swift")
}
