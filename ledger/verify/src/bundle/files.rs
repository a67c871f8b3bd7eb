//! The files of a bundle, as slices of the archive.

use super::{
    ANCHOR_LOG_FILE, ANCHORS_FOLDER, CHAIN_EXPORT_FILE, CHAIN_SEALS_FOLDER, INPUTS_FOLDER,
    MANIFEST_ENVELOPE_FILE, MANIFEST_FILE, META_FILE, ROOT_ENVELOPE_FILE, SCORE_PROOF_FILE,
};
use crate::hash::from_hex;
use crate::zip::{self, ZipEntry, ZipError};
use alloc::string::String;
use alloc::vec::Vec;

/// Why bytes are not a bundle at all. The archive is damaged or of another kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Not an archive in the one form.
    #[error("the archive cannot be read: {0}")]
    Zip(#[from] ZipError),
    /// A file that every bundle has is absent.
    #[error("the archive has no {name}")]
    Missing {
        /// The file.
        name: &'static str,
    },
    /// A file that no bundle has.
    #[error("the archive has an entry that is not part of a bundle: {name:?}")]
    Unknown {
        /// The entry.
        name: String,
    },
}

/// The files of one bundle; nothing in them is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFiles<'a> {
    /// `manifest.json`.
    pub manifest: &'a [u8],
    /// `manifest.dsse.json`.
    pub manifest_envelope: &'a [u8],
    /// `score_proof.json`.
    pub score_proof: &'a [u8],
    /// `proof_root.dsse.json`.
    pub root_envelope: &'a [u8],
    /// `meta.json`.
    pub meta: &'a [u8],
    /// Everything in the optional folders, sorted by name.
    pub further: Vec<ZipEntry<'a>>,
}

impl<'a> BundleFiles<'a> {
    /// Opens the archive and finds the files, without reading them.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let mut further = zip::read(bytes)?;
        let mut take = |name: &'static str| {
            let place = further.iter().position(|entry| entry.name == name);
            let place = place.ok_or(BundleError::Missing { name })?;
            Ok::<_, BundleError>(further.remove(place).content)
        };
        let manifest = take(MANIFEST_FILE)?;
        let manifest_envelope = take(MANIFEST_ENVELOPE_FILE)?;
        let score_proof = take(SCORE_PROOF_FILE)?;
        let root_envelope = take(ROOT_ENVELOPE_FILE)?;
        let meta = take(META_FILE)?;
        if let Some(entry) = further.iter().find(|entry| !is_optional(entry.name)) {
            return Err(BundleError::Unknown {
                name: entry.name.into(),
            });
        }
        Ok(Self {
            manifest,
            manifest_envelope,
            score_proof,
            root_envelope,
            meta,
            further,
        })
    }

    /// The inputs that a replayable bundle carries: the name within the folder, and the content.
    pub fn inputs(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let input =
            |entry: &ZipEntry<'a>| Some((entry.name.strip_prefix(INPUTS_FOLDER)?, entry.content));
        self.further.iter().filter_map(input)
    }

    /// The entries of `chain/`: whole names, and the content.
    pub fn chain(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.of_folder("chain/")
    }

    /// The entries of `anchors/`: whole names, and the content. For information only.
    pub fn anchors(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.of_folder(ANCHORS_FOLDER)
    }

    fn of_folder(&self, folder: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let entries = self.further.iter();
        entries
            .filter(move |entry| entry.name.starts_with(folder))
            .map(|entry| (entry.name, entry.content))
    }
}

/// Whether a bundle may have an entry of this name besides its five files.
pub(super) fn is_optional(name: &str) -> bool {
    let hashed = |folder: &str, end: &str| {
        let digits = name.strip_prefix(folder).and_then(|n| n.strip_suffix(end));
        digits.is_some_and(|digits| from_hex(digits).is_ok())
    };
    name == CHAIN_EXPORT_FILE
        || name == ANCHOR_LOG_FILE
        || hashed(INPUTS_FOLDER, "")
        || hashed(CHAIN_SEALS_FOLDER, ".json")
        || hashed(ANCHORS_FOLDER, ".pem")
}
