//! The canonical form, written straight into a buffer.

use super::scan::clean_prefix;
use super::{Object, SafeInteger, Value};
use crate::hash::HASH_SIZE;
use alloc::vec::Vec;

/// The canonical bytes of a value (RFC 8785).
#[must_use]
pub fn canonicalize(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value);
    out
}

/// Appends the canonical bytes of a value.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => number.write(out),
        Value::Double(number) => number.write(out),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            let mut array = ArrayWriter::new(out);
            for item in items {
                write_value(array.item(), item);
            }
            array.end();
        }
        Value::Object(members) => write_object(out, members),
    }
}

/// Appends the canonical bytes of an object.
pub(crate) fn write_object(out: &mut Vec<u8>, members: &Object) {
    out.push(b'{');
    for (place, (name, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_value(out, value);
    }
    out.push(b'}');
}

/// Appends a string with the escapes of RFC 8785 3.2.2.2: the two-letter ones where JSON has them,
/// lower-case `\u00xx` for the other control characters, nothing else.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (clean, special) = rest
            .split_at_checked(clean_prefix(rest))
            .unwrap_or((rest, &[]));
        out.extend_from_slice(clean);
        let Some((byte, after)) = special.split_first() else {
            break;
        };
        write_escape(out, *byte);
        rest = after;
    }
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        0x08 => out.extend_from_slice(b"\\b"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0C => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&hex_pair(byte));
        }
    }
}

/// Appends a hash as the string `"sha256:<64 hex digits>"`.
pub fn write_hash(out: &mut Vec<u8>, hash: &[u8; HASH_SIZE]) {
    let mut digits = [0; 2 * HASH_SIZE];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
        pair.copy_from_slice(&hex_pair(*byte));
    }
    out.extend_from_slice(b"\"sha256:");
    out.extend_from_slice(&digits);
    out.push(b'"');
}

fn hex_pair(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' - 10 + nibble
        }
    };
    [digit(byte >> 4), digit(byte & 15)]
}

/// Writes one object member by member, without building a [`Value`].
///
/// The caller gives members in canonical order; names are ASCII constants that need no escape.
/// Both are asserted in debug builds, and every format written this way has a test that reads it
/// back through [`parse_canonical`](super::parse_canonical).
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    last: Option<&'static str>,
}

impl<'a> ObjectWriter<'a> {
    /// Opens the object.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, last: None }
    }

    /// Writes the name of the next member; the caller appends its value to the buffer returned.
    pub fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        debug_assert!(
            self.last.is_none_or(|last| last < name),
            "{name} is out of order"
        );
        debug_assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        );
        if self.last.is_some() {
            self.out.push(b',');
        }
        self.last = Some(name);
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A string member.
    pub fn text(&mut self, name: &'static str, text: &str) {
        write_string(self.member(name), text);
    }

    /// A string member, left out when absent.
    pub fn optional_text(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An integer member.
    pub fn integer(&mut self, name: &'static str, number: SafeInteger) {
        number.write(self.member(name));
    }

    /// A truth value.
    pub fn boolean(&mut self, name: &'static str, truth: bool) {
        self.member(name)
            .extend_from_slice(if truth { b"true" } else { b"false" });
    }

    /// A hash member, as `sha256:<hex>`.
    pub fn hash(&mut self, name: &'static str, hash: &[u8; HASH_SIZE]) {
        write_hash(self.member(name), hash);
    }

    /// A member that is an object already in canonical order.
    pub fn object(&mut self, name: &'static str, members: &Object) {
        write_object(self.member(name), members);
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes one array item by item, without building a [`Value`].
#[derive(Debug)]
pub struct ArrayWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> ArrayWriter<'a> {
    /// Opens the array.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true }
    }

    /// The caller appends the next item to the buffer returned.
    pub fn item(&mut self) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out
    }

    /// Closes the array.
    pub fn end(self) {
        self.out.push(b']');
    }
}
