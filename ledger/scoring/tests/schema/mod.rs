//! The parts of foreign schemas that our documents use: which members an object may and must have,
//! their types and words. Written from the published schemas (SARIF 2.1.0 with errata 01, CycloneDX
//! 1.6); a member that is not listed fails, so a new one is looked up before it is written.

use serde_json::Value;
use std::collections::BTreeSet;

/// What a value must be.
pub(crate) enum Shape {
    /// Any text of at least one byte.
    Text,
    /// A text that is a URI reference: no white space, no raw non-ASCII, nothing to be encoded.
    Uri,
    /// One of these words.
    Words(&'static [&'static str]),
    /// An integer of at least this.
    Integer(u64),
    /// Any number.
    Number,
    /// An object of any members.
    Bag,
    /// A list of these, without repetition where the schema says `uniqueItems`.
    List(&'static Shape, Repeats),
    /// An object: name, needed, shape.
    Object(&'static [(&'static str, bool, Shape)]),
}

/// Whether a list may repeat an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    Yes,
    No,
}

use Repeats::{No, Yes};
use Shape::{Bag, Integer, List, Number, Object, Text, Uri, Words};

/// Panics with the JSON pointer of the first value that does not fit.
pub(crate) fn check(shape: &Shape, value: &Value) {
    walk(shape, value, "");
}

fn walk(shape: &Shape, value: &Value, at: &str) {
    let fits = match shape {
        Text => value.as_str().is_some_and(|text| !text.is_empty()),
        Uri => value.as_str().is_some_and(is_uri_reference),
        Words(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Integer(least) => value.as_u64().is_some_and(|number| number >= *least),
        Number => value.is_number(),
        Bag => value.is_object(),
        List(item, repeats) => {
            let items = value.as_array().unwrap_or_else(|| panic!("{at}: no list"));
            for (place, value) in items.iter().enumerate() {
                walk(item, value, &format!("{at}/{place}"));
            }
            let distinct: BTreeSet<String> = items.iter().map(Value::to_string).collect();
            *repeats == Yes || distinct.len() == items.len()
        }
        Object(members) => {
            let object = value
                .as_object()
                .unwrap_or_else(|| panic!("{at}: no object"));
            for (name, value) in object {
                let known = members.iter().find(|(known, ..)| known == name);
                let (_, _, shape) =
                    known.unwrap_or_else(|| panic!("{at}: member {name} is not known"));
                walk(shape, value, &format!("{at}/{name}"));
            }
            let missing = members
                .iter()
                .find(|(name, needed, _)| *needed && !object.contains_key(*name));
            missing.is_none_or(|(name, ..)| panic!("{at}: member {name} is missing"))
        }
    };
    assert!(fits, "{at}: {value}");
}

/// RFC 3986, as far as characters go; a first segment with a colon would be a scheme.
fn is_uri_reference(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut escapes = text.split('%').skip(1);
    text.bytes().all(allowed)
        && escapes.all(|rest| {
            rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
        })
}

const MESSAGE: Shape = Object(&[("text", true, Text)]);

/// SARIF 2.1.0, `sarif-schema-2.1.0.json`.
pub(crate) const SARIF: Shape = Object(&[
    ("$schema", false, Uri),
    ("version", true, Words(&["2.1.0"])),
    (
        "runs",
        true,
        List(
            &Object(&[
                (
                    "columnKind",
                    false,
                    Words(&["utf16CodeUnits", "unicodeCodePoints"]),
                ),
                ("properties", false, Bag),
                (
                    "tool",
                    true,
                    Object(&[(
                        "driver",
                        true,
                        Object(&[
                            ("name", true, Text),
                            ("version", false, Text),
                            (
                                "rules",
                                false,
                                List(
                                    &Object(&[
                                        ("id", true, Text),
                                        ("helpUri", false, Uri),
                                        ("properties", false, Bag),
                                        ("shortDescription", false, MESSAGE),
                                    ]),
                                    No,
                                ),
                            ),
                        ]),
                    )]),
                ),
                (
                    "results",
                    false,
                    List(
                        &Object(&[
                            (
                                "kind",
                                false,
                                Words(&[
                                    "notApplicable",
                                    "pass",
                                    "fail",
                                    "review",
                                    "open",
                                    "informational",
                                ]),
                            ),
                            ("level", false, Words(&["none", "note", "warning", "error"])),
                            ("message", true, MESSAGE),
                            ("ruleId", false, Text),
                            ("ruleIndex", false, Integer(0)),
                            ("partialFingerprints", false, Bag),
                            (
                                "suppressions",
                                false,
                                List(
                                    &Object(&[
                                        ("kind", true, Words(&["inSource", "external"])),
                                        (
                                            "status",
                                            false,
                                            Words(&["accepted", "underReview", "rejected"]),
                                        ),
                                        ("justification", false, Text),
                                    ]),
                                    No,
                                ),
                            ),
                            (
                                "locations",
                                false,
                                List(
                                    &Object(&[
                                        (
                                            "physicalLocation",
                                            false,
                                            Object(&[
                                                (
                                                    "artifactLocation",
                                                    false,
                                                    Object(&[("uri", false, Uri)]),
                                                ),
                                                (
                                                    "region",
                                                    false,
                                                    Object(&[("startLine", false, Integer(1))]),
                                                ),
                                            ]),
                                        ),
                                        (
                                            "logicalLocations",
                                            false,
                                            List(
                                                &Object(&[
                                                    ("name", false, Text),
                                                    ("fullyQualifiedName", false, Text),
                                                    ("kind", false, Text),
                                                ]),
                                                No,
                                            ),
                                        ),
                                    ]),
                                    Yes,
                                ),
                            ),
                        ]),
                        Yes,
                    ),
                ),
            ]),
            Yes,
        ),
    ),
]);

const SEVERITIES: Shape = Words(&[
    "critical", "high", "medium", "low", "info", "none", "unknown",
]);
const METHODS: Shape = Words(&[
    "CVSSv2", "CVSSv3", "CVSSv31", "CVSSv4", "OWASP", "SSVC", "other",
]);
const NAMED: Shape = Object(&[("name", false, Text)]);
const COMPONENT_TYPES: Shape = Words(&["application", "library", "framework", "operating-system"]);

/// CycloneDX 1.6, `bom-1.6.schema.json`.
pub(crate) const CYCLONEDX: Shape = Object(&[
    ("bomFormat", true, Words(&["CycloneDX"])),
    ("specVersion", true, Words(&["1.6"])),
    ("version", false, Integer(1)),
    (
        "metadata",
        false,
        Object(&[
            (
                "component",
                false,
                Object(&[
                    ("type", true, COMPONENT_TYPES),
                    ("name", true, Text),
                    ("purl", false, Text),
                    (
                        "hashes",
                        false,
                        List(
                            &Object(&[("alg", true, Words(&["SHA-256"])), ("content", true, Text)]),
                            Yes,
                        ),
                    ),
                ]),
            ),
            (
                "properties",
                false,
                List(
                    &Object(&[("name", false, Text), ("value", false, Text)]),
                    Yes,
                ),
            ),
            (
                "tools",
                false,
                Object(&[(
                    "components",
                    false,
                    List(
                        &Object(&[
                            ("type", true, COMPONENT_TYPES),
                            ("name", true, Text),
                            ("version", false, Text),
                        ]),
                        No,
                    ),
                )]),
            ),
        ]),
    ),
    (
        "components",
        false,
        List(
            &Object(&[
                ("type", true, COMPONENT_TYPES),
                ("name", true, Text),
                ("bom-ref", false, Text),
                ("group", false, Text),
                ("purl", false, Text),
                ("version", false, Text),
            ]),
            No,
        ),
    ),
    (
        "vulnerabilities",
        false,
        List(
            &Object(&[
                ("bom-ref", false, Text),
                ("id", false, Text),
                ("description", false, Text),
                ("recommendation", false, Text),
                ("source", false, NAMED),
                ("affects", false, List(&Object(&[("ref", true, Text)]), No)),
                (
                    "references",
                    false,
                    List(&Object(&[("id", true, Text), ("source", true, NAMED)]), Yes),
                ),
                (
                    "ratings",
                    false,
                    List(
                        &Object(&[
                            ("method", false, METHODS),
                            ("score", false, Number),
                            ("severity", false, SEVERITIES),
                            ("source", false, NAMED),
                            ("vector", false, Text),
                        ]),
                        Yes,
                    ),
                ),
                (
                    "analysis",
                    false,
                    Object(&[
                        (
                            "state",
                            false,
                            Words(&[
                                "resolved",
                                "resolved_with_pedigree",
                                "exploitable",
                                "in_triage",
                                "false_positive",
                                "not_affected",
                            ]),
                        ),
                        (
                            "justification",
                            false,
                            Words(&[
                                "code_not_present",
                                "code_not_reachable",
                                "requires_configuration",
                                "requires_dependency",
                                "requires_environment",
                                "protected_by_compiler",
                                "protected_at_runtime",
                                "protected_at_perimeter",
                                "protected_by_mitigating_control",
                            ]),
                        ),
                        ("detail", false, Text),
                    ]),
                ),
            ]),
            No,
        ),
    ),
]);
