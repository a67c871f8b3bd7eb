use super::*;
use crate::model::{BomFormat, DependencyDepth, Scope};

fn cyclonedx(inner: &str) -> Bom {
    let text = format!(r#"{{"bomFormat": "CycloneDX", "specVersion": "1.6", {inner}}}"#);
    read(text.as_bytes()).unwrap()
}

fn codes(bom: &Bom) -> Vec<(&str, WarningCode)> {
    bom.warnings
        .iter()
        .map(|warning| (warning.pointer.as_str(), warning.code))
        .collect()
}

#[test]
fn nested_components_keep_their_places_and_depths() {
    let bom = cyclonedx(
        r#""metadata": {"component": {"name": "app", "bom-ref": "app", "purl": "pkg:npm/app@1.0.0"}},
        "components": [
            {"type": "library", "name": "a", "bom-ref": "a", "purl": "pkg:npm/a@1.0.0", "scope": "optional",
             "components": [{"type": "library", "name": "b", "bom-ref": "b", "version": "2.0.0", "purl": "pkg:npm/b"}]},
            {"type": "operating-system", "name": "debian", "version": "12"}],
        "dependencies": [{"ref": "app", "dependsOn": ["a"]}, {"ref": "a", "dependsOn": ["b"]}]"#,
    );
    assert_eq!(bom.format, BomFormat::CycloneDx("1.6".into()));
    assert_eq!(
        bom.subject.as_ref().unwrap().depth,
        DependencyDepth::Steps(0)
    );
    let [a, b, system] = bom.components.as_slice() else {
        panic!("three")
    };
    assert_eq!(
        (a.pointer.as_str(), a.depth, a.scope),
        ("/components/0", DependencyDepth::Steps(1), Scope::Optional)
    );
    assert_eq!(
        (b.pointer.as_str(), b.depth),
        ("/components/0/components/0", DependencyDepth::Steps(2))
    );
    assert_eq!(
        b.purl.as_ref().unwrap().as_str(),
        "pkg:npm/b@2.0.0",
        "the component's version"
    );
    assert_eq!(system.depth, DependencyDepth::Unknown);
    assert_eq!(&*bom.distro.as_ref().unwrap().version, "12");
    assert_eq!(codes(&bom), []);
}

#[test]
fn oddities_are_warnings_with_their_places() {
    let bom = cyclonedx(
        r#""serialNumber": 1000, "components": [
            {"type": "library", "name": "a", "bom-ref": "a", "purl": "nonsense"},
            {"type": "library", "name": 7, "bom-ref": "a"},
            "text",
            {"type": "file", "name": "no package, no warning"}],
        "dependencies": [{"ref": "a", "dependsOn": ["a", "gone", "urn:cdx:x/1#y"]}, {"ref": "lost"}]"#,
    );
    assert_eq!(bom.components.len(), 3);
    assert_eq!(
        codes(&bom),
        [
            ("/components/0/purl", WarningCode::PurlInvalid),
            ("/components/1", WarningCode::PurlMissing),
            ("/components/1/bom-ref", WarningCode::ReferenceDuplicate),
            ("/components/1/name", WarningCode::MemberInvalid),
            ("/components/2", WarningCode::MemberInvalid),
            ("/dependencies/0", WarningCode::DependencyLoop),
            ("/dependencies/0/dependsOn/1", WarningCode::ReferenceBroken),
            (
                "/dependencies/0/dependsOn/2",
                WarningCode::ReferenceExternal
            ),
            ("/dependencies/1/ref", WarningCode::ReferenceBroken),
            ("/serialNumber", WarningCode::MemberInvalid),
        ]
    );
}

#[test]
fn spdx_packages_are_components() {
    let bom = read(
        br#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [
            {"SPDXID": "SPDXRef-app", "name": "app", "externalRefs": [
                {"referenceType": "purl", "referenceLocator": "pkg:npm/app@1.0.0"}]},
            {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1.0.0", "externalRefs": [
                {"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:a:a:1"},
                {"referenceType": "purl", "referenceLocator": "pkg:rpm/redhat/a@1.0.0?repository_id=z"},
                {"referenceType": "purl", "referenceLocator": "pkg:rpm/redhat/a@1.0.0?repository_id=b"},
                {"referenceType": "purl", "referenceLocator": "pkg:npm/a"}]}],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-app"},
            {"spdxElementId": "SPDXRef-a", "relationshipType": "DEV_DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-app"},
            {"spdxElementId": "SPDXRef-app", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-gone"}]}"#,
    )
    .unwrap();
    assert_eq!(
        bom.subject
            .as_ref()
            .unwrap()
            .purl
            .as_ref()
            .unwrap()
            .as_str(),
        "pkg:npm/app@1.0.0"
    );
    let seen: Vec<_> = bom
        .components
        .iter()
        .map(|component| {
            (
                component.pointer.as_str(),
                component.purl.as_ref().unwrap().as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                "/packages/0/externalRefs/0/referenceLocator",
                "pkg:npm/app@1.0.0"
            ),
            (
                "/packages/1/externalRefs/3/referenceLocator",
                "pkg:npm/a@1.0.0"
            ),
            (
                "/packages/1/externalRefs/2/referenceLocator",
                "pkg:rpm/redhat/a@1.0.0?repository_id=b"
            ),
        ]
    );
    assert_eq!(
        (bom.components[1].depth, bom.components[1].scope),
        (DependencyDepth::Steps(1), Scope::Optional)
    );
    assert_eq!(
        codes(&bom),
        [("/relationships/2", WarningCode::ReferenceBroken)]
    );
}

#[test]
fn statements_are_opened() {
    let text = br#"{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://cyclonedx.org/bom",
        "predicate": {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"type": "library", "name": "a", "purl": "pkg:npm/a@1"}]}}"#;
    let bom = read(text).unwrap();
    assert_eq!(
        bom.components[0].pointer.as_str(),
        "/predicate/components/0"
    );
    assert_eq!(read_signed(text, Signed::By(&[])), Err(SbomError::Unsigned));
    let deeper =
        br#"{"_type": "x", "predicate": {"Data": {"spdxVersion": "SPDX-2.3", "packages": []}}}"#;
    assert_eq!(read(deeper).unwrap().format, BomFormat::Spdx("2.3".into()));
}

#[test]
fn other_documents_are_refused_with_a_reason() {
    let cases = [
        ("", "at \"\""),
        ("[]", "not a JSON object"),
        ("{}", "not a bill of materials"),
        (r#"{"bomFormat": "Other"}"#, "not CycloneDX"),
        (r#"{"SPDXVersion": "SPDX-2.2"}"#, "tag-value"),
        (
            r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#,
            "SPDX 3",
        ),
        (r#"{"spdxVersion": "SPDX-3.0"}"#, "SPDX 3.0 is not read"),
        (r#"{"_type": "x", "predicate": 1}"#, "/predicate"),
        (
            r#"{"payload": "e30=", "payloadType": "text/plain", "signatures": [{"sig": "AA=="}]}"#,
            "in-toto",
        ),
        (
            r#"{"payload": "!", "payloadType": "application/vnd.in-toto+json", "signatures": []}"#,
            "DSSE",
        ),
        (
            r#"{"bomFormat": "CycloneDX", "bomFormat": "CycloneDX"}"#,
            "duplicate",
        ),
    ];
    for (text, reason) in cases {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = format!(
        r#"{{"bomFormat": "CycloneDX", "components": {}1{}}}"#,
        r#"[{"components": "#.repeat(1_000),
        "}]".repeat(1_000)
    );
    let error = read(deep.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("recursion"), "{error}");
}
