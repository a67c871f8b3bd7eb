//! The strict parser.

use super::names::intern;
use super::scan::clean_prefix;
use super::{Double, JsonError, JsonProblem, Object, SafeInteger, Text, Value, write_value};
use crate::limits::{MAX_CANONICAL_JSON_BYTES, MAX_JSON_DEPTH};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Reads any JSON document that has a canonical form (RFC 8785), refusing what is ambiguous.
///
/// # Errors
/// [`JsonError`] names the first problem and its place.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, JsonError> {
    Parser::document(bytes, Profile::General)
}

/// Reads a hashed object of ours: integers only, no `null`, and the bytes are the canonical form.
///
/// # Errors
/// [`JsonError`] names the first problem and its place.
pub fn parse_canonical(bytes: &[u8]) -> Result<Value, JsonError> {
    let value = parse_hashed(bytes)?;
    let mut canonical = Vec::with_capacity(bytes.len());
    write_value(&mut canonical, &value);
    check_same(&canonical, bytes)?;
    Ok(value)
}

/// As [`parse_canonical`], but the caller compares the bytes with the canonical form, which it
/// writes anyway: [`check_same`].
pub(crate) fn parse_hashed(bytes: &[u8]) -> Result<Value, JsonError> {
    Parser::document(bytes, Profile::Hashed)
}

/// Refuses bytes that are not the canonical form.
pub(crate) fn check_same(canonical: &[u8], bytes: &[u8]) -> Result<(), JsonError> {
    if canonical != bytes {
        let same = canonical
            .iter()
            .zip(bytes)
            .take_while(|(left, right)| left == right);
        return Err(JsonError {
            offset: same.count(),
            problem: JsonProblem::NotCanonical,
        });
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    General,
    Hashed,
}

pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    profile: Profile,
}

/// Where a parser stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn document(bytes: &'a [u8], profile: Profile) -> Result<Value, JsonError> {
        let mut parser = Self::new(bytes, profile)?;
        parser.skip_white_space();
        let value = parser.value()?;
        parser.skip_white_space();
        match parser.peek() {
            None => Ok(value),
            Some(_) => Err(parser.error(JsonProblem::TrailingBytes)),
        }
    }

    /// Stands at the start of a hashed object.
    pub(super) fn hashed(bytes: &'a [u8]) -> Result<Self, JsonError> {
        Self::new(bytes, Profile::Hashed)
    }

    fn new(bytes: &'a [u8], profile: Profile) -> Result<Self, JsonError> {
        let refuse = |offset, problem| Err(JsonError { offset, problem });
        if bytes.len() > MAX_CANONICAL_JSON_BYTES {
            let limit = MAX_CANONICAL_JSON_BYTES;
            return refuse(limit, JsonProblem::TooLarge { limit });
        }
        if bytes.starts_with("\u{feff}".as_bytes()) {
            return refuse(0, JsonProblem::ByteOrderMark);
        }
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(Self {
                text,
                at: 0,
                depth: 0,
                profile,
            }),
            Err(error) => refuse(error.valid_up_to(), JsonProblem::NotUtf8),
        }
    }

    /// Counts values that the caller has entered by itself.
    pub(super) const fn enter(&mut self, levels: usize) {
        self.depth += levels;
    }

    /// Takes back what [`enter`](Self::enter) counted.
    pub(super) const fn leave(&mut self, levels: usize) {
        self.depth -= levels;
    }

    /// Where it stands, to come back to.
    pub(super) const fn place(&self) -> Place {
        Place {
            at: self.at,
            depth: self.depth,
        }
    }

    /// Goes back to a place where it stood before, as if nothing had been read since.
    pub(super) const fn back_to(&mut self, place: Place) {
        self.at = place.at;
        self.depth = place.depth;
    }

    /// The characters of a string, if a well-formed one begins here.
    pub(super) fn quoted(&mut self) -> Option<Cow<'a, str>> {
        (self.peek() == Some(b'"')).then(|| self.string().ok())?
    }

    /// Takes `text` if it stands here.
    pub(super) fn skip(&mut self, text: &'static str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Bytes read so far.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn value(&mut self) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(Text::Owned(self.string()?.into_owned()))),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') if self.profile == Profile::Hashed => Err(self.error(JsonProblem::Null)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, JsonError>,
    ) -> Result<Value, JsonError> {
        if self.depth == MAX_JSON_DEPTH {
            return Err(self.error(JsonProblem::Depth {
                limit: MAX_JSON_DEPTH,
            }));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_white_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        let mut members = Vec::new();
        if !self.eat(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected("a member name"));
                }
                let name = intern(&self.string()?);
                self.skip_white_space();
                if !self.eat(b':') {
                    return Err(self.unexpected("':'"));
                }
                self.skip_white_space();
                members.push((name, self.value()?));
                self.skip_white_space();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.unexpected("',' or '}'"));
                }
                self.skip_white_space();
            }
        }
        Object::from_members(members)
            .map(Value::Object)
            .map_err(|name| JsonError {
                offset: start,
                problem: JsonProblem::DuplicateMember {
                    name: name.into_owned(),
                },
            })
    }

    fn array(&mut self) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        if !self.eat(b']') {
            loop {
                items.push(self.value()?);
                self.skip_white_space();
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.unexpected("',' or ']'"));
                }
                self.skip_white_space();
            }
        }
        Ok(Value::Array(items))
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.unexpected("true, false or null"));
        }
        self.at += word.len();
        Ok(value)
    }

    /// Reads a string's characters; the common one without escapes is copied once.
    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let plain = self.run();
        if self.eat(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = String::from(plain);
        loop {
            match self.peek() {
                None => return Err(self.error(JsonProblem::UnexpectedEnd)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error(JsonProblem::ControlCharacter)),
            }
            text.push_str(self.run());
        }
    }

    /// Takes the characters up to the next one that ends or escapes.
    fn run(&mut self) -> &'a str {
        let rest = self.rest();
        let run = rest
            .get(..clean_prefix(rest.as_bytes()))
            .unwrap_or_default();
        self.at += run.len();
        run
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let kind = self.rest().as_bytes().get(1).copied();
        let kind = kind.ok_or_else(|| self.error(JsonProblem::UnexpectedEnd))?;
        let plain = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error(JsonProblem::BadEscape)),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        if !(0xD800..=0xDFFF).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.error(JsonProblem::BadEscape));
        }
        let lone = JsonError {
            offset: self.at,
            problem: JsonProblem::LoneSurrogate,
        };
        if first >= 0xDC00 || !self.rest().starts_with("\\u") {
            return Err(lone);
        }
        let second = self.code_unit()?;
        if !(0xDC00..=0xDFFF).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(lone)
    }

    /// Reads `\uXXXX`; digits of either case, as RFC 8259 allows.
    fn code_unit(&mut self) -> Result<u32, JsonError> {
        let digits = self.rest().get(2..6).unwrap_or_default();
        let well_formed = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unit = u32::from_str_radix(digits, 16);
        match unit {
            Ok(unit) if well_formed => {
                self.at += 6;
                Ok(unit)
            }
            _ => Err(self.error(JsonProblem::BadEscape)),
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        let fail = |problem| JsonError {
            offset: start,
            problem,
        };
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(fail(JsonProblem::BadNumber));
        }
        if matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(fail(JsonProblem::BadNumber));
        }
        let mut whole = true;
        if self.eat(b'.') {
            whole = false;
            if self.digits() == 0 {
                return Err(fail(JsonProblem::BadNumber));
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            if self.digits() == 0 {
                return Err(fail(JsonProblem::BadNumber));
            }
        }
        let literal = self.text.get(start..self.at).unwrap_or_default();
        number_value(literal, whole, self.profile).map_err(fail)
    }

    fn digits(&mut self) -> usize {
        let run = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += run;
        run
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) const fn error(&self, problem: JsonProblem) -> JsonError {
        JsonError {
            offset: self.at,
            problem,
        }
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        self.error(match self.peek() {
            None => JsonProblem::UnexpectedEnd,
            Some(byte) => JsonProblem::Unexpected { byte, expected },
        })
    }
}

fn number_value(literal: &str, whole: bool, profile: Profile) -> Result<Value, JsonProblem> {
    if whole {
        let number = literal
            .parse::<i64>()
            .map_err(|_| JsonProblem::UnsafeInteger)?;
        let safe = SafeInteger::new(number).map_err(|_| JsonProblem::UnsafeInteger)?;
        return Ok(Value::Integer(safe));
    }
    if profile == Profile::Hashed {
        return Err(JsonProblem::NotInteger);
    }
    let number = literal.parse::<f64>().map_err(|_| JsonProblem::BadNumber)?;
    Double::new(number)
        .map(Value::Double)
        .ok_or(JsonProblem::NumberOverflow)
}
