//! The words that classify a proof node.

use core::fmt;
use core::str::FromStr;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Brings an input into the computation.
    Input,
    /// Derives a fact from facts, without moving a score.
    Transform,
    /// Moves a total.
    Delta,
    /// States a total.
    Score,
}

/// What a step's amounts are totals of. Ordered as in emission order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One advisory on one package.
    Finding,
    /// One component of the SBOM.
    Component,
    /// The whole scan.
    Scan,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ }) => {
        impl $type {
            /// The word that stands in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord) }
            }
        }
    };
}

/// A word is not one that the format lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a word of this format")]
pub struct UnknownWord;

words!(NodeKind { Input = "input", Transform = "transform", Delta = "delta", Score = "score" });
words!(Scope { Finding = "finding", Component = "component", Scan = "scan" });
