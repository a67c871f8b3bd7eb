//! From a parser's line and column to a JSON pointer.

use crate::model::JsonPointer;

/// What the scanner is inside of.
enum Frame {
    /// An object, and the name of the member being read.
    Object(String),
    /// An array, and the place of the element being read.
    Array(usize),
}

/// The pointer of the innermost value that was begun before the byte at `line` and `column`, both
/// counted from 1 as `serde_json` does. Only used after parsing failed, so it takes any bytes and does no
/// more than keep track of brackets and member names.
pub(super) fn pointer_at(text: &[u8], line: usize, column: usize) -> JsonPointer {
    pointer_to(text, offset_of(text, line, column))
}

/// The same for the byte at `end`.
pub(super) fn pointer_to(text: &[u8], end: usize) -> JsonPointer {
    let mut scanner = Scanner {
        frames: Vec::new(),
        name: None,
    };
    let mut rest = text.get(..end).unwrap_or(text);
    while let Some((byte, after)) = rest.split_first() {
        rest = if *byte == b'"' {
            scanner.string(after)
        } else {
            scanner.punctuation(*byte);
            after
        };
    }
    scanner.pointer()
}

fn offset_of(text: &[u8], line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    before
        .saturating_add(column.saturating_sub(1))
        .min(text.len())
}

/// What stands before the closing quote; all of it when there is none.
pub(super) fn inside_string(text: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = text.iter().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

/// The text of what stands inside the quotes of a string; `None` where its escapes are no text.
pub(super) fn unquote(inside: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", inside, b"\""].concat()).ok()
}

struct Scanner {
    frames: Vec<Frame>,
    /// The last string, in case a colon follows.
    name: Option<String>,
}

impl Scanner {
    /// Reads a string after its opening quote; gives what follows it. A string that the text ends
    /// in may be the name of the member in question.
    fn string<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let inside = inside_string(text);
        self.name = unquote(inside);
        text.get(inside.len() + 1..).unwrap_or_default()
    }

    fn punctuation(&mut self, byte: u8) {
        match byte {
            b'{' => self.frames.push(Frame::Object(String::new())),
            b'[' => self.frames.push(Frame::Array(0)),
            b'}' | b']' => drop(self.frames.pop()),
            b':' => {
                if let (Some(Frame::Object(member)), Some(name)) =
                    (self.frames.last_mut(), self.name.take())
                {
                    *member = name;
                }
            }
            b',' => match self.frames.last_mut() {
                Some(Frame::Array(place)) => *place += 1,
                Some(Frame::Object(member)) => member.clear(),
                None => {}
            },
            _ => {}
        }
    }

    fn pointer(mut self) -> JsonPointer {
        // An error at a member's name stands before its colon.
        if let (Some(Frame::Object(member)), Some(name)) = (self.frames.last_mut(), self.name)
            && member.is_empty()
        {
            *member = name;
        }
        self.frames
            .iter()
            .fold(JsonPointer::root(), |place, frame| match frame {
                Frame::Object(member) if member.is_empty() => place,
                Frame::Object(member) => place.member(member),
                Frame::Array(index) => place.element(*index),
            })
    }
}
