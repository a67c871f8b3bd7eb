//! The note's format: text, blank line, signature lines.

use super::key::KeyId;
use super::name::KeyName;
use crate::base64;
use crate::limits::{MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// How a signature line begins: em dash, space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why bytes are not a signed note. The sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More bytes than a note may have.
    #[error("a note has at most {MAX_NOTE_BYTES} bytes")]
    TooLarge,
    /// Not UTF-8.
    #[error("the note is not valid UTF-8")]
    Utf8,
    /// A character below U+0020 that is not a newline.
    #[error("the note has a control character")]
    ControlCharacter,
    /// A text does not end in a newline.
    #[error("a note's text ends in a newline")]
    TextUnfinished,
    /// No empty line parts text and signatures.
    #[error("the note has no empty line before its signatures")]
    NoSeparator,
    /// Nothing follows the empty line, or the last line is not ended.
    #[error("the note has no signature line, or its last one is not ended")]
    NoSignature,
    /// A line after the text is not `— <name> <base64>`.
    #[error("signature line {line} of the note is malformed")]
    SignatureLine {
        /// Which, from 1.
        line: usize,
    },
    /// More signature lines than a note may have.
    #[error("a note has at most {MAX_NOTE_SIGNATURES} signatures")]
    TooManySignatures,
}

/// A text that can be signed: UTF-8 without control characters but newlines, ending in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteText(String);

impl NoteText {
    /// Checks and takes a text.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        check_characters(&text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::TextUnfinished);
        }
        Ok(Self(text))
    }

    /// The text with its last newline: the bytes that are signed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One signature line. A claim until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key said to have signed.
    pub name: KeyName,
    /// Id of the key said to have signed.
    pub id: KeyId,
    /// What the key's algorithm made of the text; its form is the algorithm's.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let bytes = base64::decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: KeyName::new(name).ok()?,
            id: KeyId::new(*id),
            signature: signature.to_vec(),
        })
    }
}

impl fmt::Display for NoteSignature {
    /// The line, without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes().as_slice(), &self.signature].concat();
        write!(
            f,
            "{SIGNATURE_PREFIX}{} {}",
            self.name,
            base64::encode(&bytes)
        )
    }
}

/// A text with signature lines, none of them verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: NoteText,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a signed note. What is accepted is written again by [`fmt::Display`] byte for byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::Utf8)?;
        check_characters(note)?;
        let (text, lines) = split_at_last_empty_line(note).ok_or(NoteError::NoSeparator)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignature)?;
        let mut signatures = Vec::new();
        for (index, line) in lines.split('\n').enumerate() {
            if index == MAX_NOTE_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            let signature = NoteSignature::parse(line);
            signatures.push(signature.ok_or(NoteError::SignatureLine { line: index + 1 })?);
        }
        let text = NoteText(text.to_owned());
        Ok(Self { text, signatures })
    }

    /// A note of a text and its first signature.
    #[must_use]
    pub fn new(text: NoteText, signature: NoteSignature) -> Self {
        Self {
            text,
            signatures: [signature].into(),
        }
    }

    /// Adds a signature line at the end, as a cosigner does.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`].
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= MAX_NOTE_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// The text, vouched for by nobody yet: see [`Note::open`].
    #[must_use]
    pub const fn unverified_text(&self) -> &NoteText {
        &self.text
    }

    /// The signature lines in their order, at least one.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text.as_str())?;
        for signature in &self.signatures {
            writeln!(f, "{signature}")?;
        }
        Ok(())
    }
}

/// Text with its last newline, and what follows the last empty line.
fn split_at_last_empty_line(note: &str) -> Option<(&str, &str)> {
    let newline = note.rfind("\n\n")?;
    let (text, rest) = note.split_at_checked(newline + 1)?;
    Some((text, rest.strip_prefix('\n')?))
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(NoteError::ControlCharacter);
    }
    Ok(())
}
