use super::*;

#[derive(serde::Deserialize, Default, Debug, PartialEq, Eq)]
#[serde(default)]
struct Sample<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    list: List<Object<Inner<'a>>>,
}

#[derive(serde::Deserialize, Default, Debug, PartialEq, Eq)]
#[serde(default)]
struct Inner<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[test]
fn other_types_are_noticed_and_the_rest_is_read() {
    let text = br#"{"text": [1, {"a": 2}], "list": [{"name": "x"}, 7, null, {"name": 8}]}"#;
    let sample: Sample<'_> = parse(text).unwrap();
    assert_eq!(sample.text, Text::Invalid);
    let list = sample.list.as_slice();
    assert_eq!(list[0].get().unwrap().name.get(), Some("x"));
    assert!(list[1].is_invalid());
    assert_eq!(list[2], Object::Absent);
    assert!(list[3].get().unwrap().name.is_invalid());
}

#[test]
fn a_syntax_error_names_its_place() {
    let cases: [(&[u8], &str); 4] = [
        (
            br#"{"list": [{"name": "x"}, {"name": tru}]}"#,
            "/list/1/name",
        ),
        (br#"{"text": "a", "text": "b"}"#, "/text"),
        (br#"{"list": [{}"#, "/list/0"),
        (b"", ""),
    ];
    for (text, pointer) in cases {
        let error = parse::<Sample<'_>>(text).unwrap_err();
        let DocumentError::Json { pointer: found, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(found.as_str(), pointer, "{error}");
    }
}

#[test]
fn what_is_plainly_another_format_is_called_so() {
    for (text, called) in [
        (&b"\xff\xfe{\0}\0"[..], "UTF-16"),
        (b"\xfe\xff\0{\0}", "UTF-16"),
        (b" \n<bom xmlns=\"x\"/>", "XML"),
        (b"\xEF\xBB\xBF<bom/>", "XML"),
    ] {
        let error = parse::<serde::de::IgnoredAny>(text).unwrap_err();
        assert!(error.to_string().contains(called), "{error}");
    }
}
