use super::*;
use crate::limits::MAX_JSON_DEPTH;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use proptest::prelude::*;

fn canonical(input: &str) -> Result<String, JsonProblem> {
    let value = parse_strict(input.as_bytes()).map_err(|error| error.problem)?;
    Ok(String::from_utf8(canonicalize(&value)).unwrap())
}

/// RFC 8785 appendix B: IEEE 754 bits and the expected text.
#[test]
fn doubles_are_spelt_as_ecmascript_spells_them() {
    let cases: &[(u64, &str)] = &[
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, expected) in cases {
        let mut out = Vec::new();
        Double::new(f64::from_bits(*bits)).unwrap().write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), *expected, "{bits:016x}");
    }
    assert!(Double::new(f64::NAN).is_none());
    assert!(Double::new(f64::INFINITY).is_none());
}

#[test]
fn ambiguous_texts_are_refused() {
    use JsonProblem as P;
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(canonical(&deep(MAX_JSON_DEPTH)).is_ok());
    assert_eq!(
        canonical(&deep(MAX_JSON_DEPTH + 1)),
        Err(P::Depth {
            limit: MAX_JSON_DEPTH
        })
    );
    assert_eq!(
        canonical(r#"{"a":1,"\u0061":2}"#),
        Err(P::DuplicateMember {
            name: "a".to_string()
        })
    );
    for (input, problem) in [
        ("9007199254740992", P::UnsafeInteger),
        ("-9007199254740992", P::UnsafeInteger),
        ("99999999999999999999999", P::UnsafeInteger),
        ("1e400", P::NumberOverflow),
        ("-1e400", P::NumberOverflow),
        ("\u{feff}1", P::ByteOrderMark),
        ("1 1", P::TrailingBytes),
        ("01", P::BadNumber),
        ("-", P::BadNumber),
        ("1.", P::BadNumber),
        ("1e", P::BadNumber),
        (r#""\ud800""#, P::LoneSurrogate),
        (r#""\udc00""#, P::LoneSurrogate),
        (r#""\ud800\ud800""#, P::LoneSurrogate),
        (r#""\ud800x""#, P::LoneSurrogate),
        (r#""\u00g0""#, P::BadEscape),
        (r#""\u+123""#, P::BadEscape),
        (r#""\x""#, P::BadEscape),
        ("\"\n\"", P::ControlCharacter),
        ("\"", P::UnexpectedEnd),
        ("", P::UnexpectedEnd),
        ("[1,", P::UnexpectedEnd),
    ] {
        assert_eq!(canonical(input), Err(problem), "{input}");
    }
    for input in [
        "NaN",
        "Infinity",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "nul",
        "+1",
        ".5",
    ] {
        assert!(
            matches!(canonical(input), Err(P::Unexpected { .. })),
            "{input}"
        );
    }
    assert_eq!(parse_strict(b"\"\xff\"").unwrap_err().problem, P::NotUtf8);
}

#[test]
fn hashed_objects_allow_less_than_json() {
    let problem = |input: &str| parse_canonical(input.as_bytes()).unwrap_err().problem;
    assert!(parse_canonical(br#"{"a":[],"b":-1}"#).is_ok());
    assert_eq!(problem("1.0"), JsonProblem::NotInteger);
    assert_eq!(problem("1e3"), JsonProblem::NotInteger);
    assert_eq!(problem("[null]"), JsonProblem::Null);
    assert_eq!(problem("-0"), JsonProblem::NotCanonical);
    assert_eq!(problem("[1, 2]"), JsonProblem::NotCanonical);
    assert_eq!(problem(r#"{"b":1,"a":2}"#), JsonProblem::NotCanonical);
    assert_eq!(problem(r#""\/""#), JsonProblem::NotCanonical);
    assert_eq!(problem(r#""\u000A""#), JsonProblem::NotCanonical);
}

#[test]
fn a_member_nobody_asked_for_is_refused() {
    let object = Object::new().with("known", 1).with("unknown", 2);
    let mut fields = Fields::new(&object);
    fields.integer("known").unwrap();
    // Asked for twice, it does not count for another.
    fields.integer("known").unwrap();
    let refused = fields.finish().unwrap_err();
    assert_eq!(
        (refused.member.as_str(), refused.problem),
        ("unknown", FieldProblem::Unknown)
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |value| Double::new(value).map(Value::Double)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_form_is_a_fixed_point(value in any_value()) {
        let once = canonicalize(&value);
        let again = canonicalize(&parse_strict(&once).or_else(|error| match error.problem {
            // A large double is written without fraction and then reads as an unsafe integer.
            JsonProblem::UnsafeInteger => Ok(value),
            _ => Err(error),
        }).unwrap());
        prop_assert_eq!(once, again);
    }

    #[test]
    fn order_is_that_of_utf16(left in "\\PC{0,6}", right in "\\PC{0,6}") {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        prop_assert_eq!(utf16_order(&left, &right), units(&left).cmp(&units(&right)));
    }

    #[test]
    fn order_is_that_of_utf16_at_the_edges(
        left in "[\u{7f}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
        right in "[\u{7f}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
    ) {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        prop_assert_eq!(utf16_order(&left, &right), units(&left).cmp(&units(&right)));
    }

    #[test]
    fn doubles_read_back(bits in any::<u64>()) {
        let Some(double) = Double::new(f64::from_bits(bits)) else { return Ok(()) };
        let mut out = Vec::new();
        double.write(&mut out);
        let back: f64 = String::from_utf8(out).unwrap().parse().unwrap();
        prop_assert_eq!(Double::new(back + 0.0), Double::new(double.get() + 0.0));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_strict(&bytes);
        let _ = parse_canonical(&bytes);
    }

    #[test]
    fn safe_integers_read_back(number in -MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER) {
        let mut out = Vec::new();
        SafeInteger::new(number).unwrap().write(&mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
    }
}
