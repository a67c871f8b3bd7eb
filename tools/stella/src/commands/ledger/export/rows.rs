//! Where the events of an export go.

use super::super::events::{EventPayload, event_row};
use super::{Export, Shape, refused};
use crate::failure::Failure;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use stella_verify::export::{ExportVerifier, ExportedEvent, ExportedPayload};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1024 * 1024;

/// A sink for an export: the file itself, or its events for analysis. Under a temporary name until
/// everything is verified.
pub(super) struct Sink {
    out: Output,
    shape: Option<Shape>,
    target: Option<PathBuf>,
}

enum Output {
    None,
    Bytes(BufWriter<Box<dyn Write + Send>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::Writer>),
}

impl Sink {
    /// What the options ask for.
    pub(super) fn open(options: &Export) -> Result<Self, Failure> {
        let target = options.output.clone();
        let out = match (&target, options.shape) {
            (_, Some(Shape::Parquet)) => parquet(target.as_deref())?,
            (Some(path), _) => bytes(Box::new(create(path)?)),
            (None, Some(Shape::Jsonl)) => bytes(Box::new(io::stdout())),
            (None, None) => Output::None,
        };
        Ok(Self {
            out,
            shape: options.shape,
            target,
        })
    }

    /// Goes on behind what a file holds.
    pub(super) fn append(target: &Path, file: File) -> Self {
        Self {
            out: bytes(Box::new(file)),
            shape: None,
            target: Some(target.to_owned()),
        }
    }

    /// Verifies the next bytes and passes them on.
    pub(super) fn take(
        &mut self,
        verifier: &mut ExportVerifier<'_>,
        piece: &[u8],
    ) -> Result<(), Failure> {
        let mut problem = None;
        let (out, shape) = (&mut self.out, self.shape);
        verifier
            .push(piece, |event| {
                if shape.is_some() && problem.is_none() {
                    problem = write_event(out, event).err();
                }
            })
            .map_err(|problem| refused(&problem))?;
        if let Some(problem) = problem {
            return Err(problem);
        }
        if let (None, Output::Bytes(out)) = (shape, &mut self.out) {
            out.write_all(piece)?;
        }
        Ok(())
    }

    /// Nothing came that `--resume` could go on with: leaves no file.
    pub(super) fn discard(self) {
        drop(self.out);
        if let Some(target) = self.target {
            std::fs::remove_file(part(&target)).ok();
        }
    }

    /// Everything is verified: gives the file its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.out {
            Output::None => return Ok(()),
            Output::Bytes(mut out) => out.flush()?,
            #[cfg(feature = "parquet")]
            Output::Parquet(out) => out.finish()?,
        }
        let Some(target) = self.target else {
            return Ok(());
        };
        let failed = |problem: io::Error| Failure::file(&target, &problem);
        let part = part(&target);
        File::open(&part)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        std::fs::rename(&part, &target).map_err(failed)
    }
}

/// The name under which an export is written until it is whole.
pub(super) fn part(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    target.with_file_name(name)
}

fn create(target: &Path) -> Result<File, Failure> {
    let failed = |problem: io::Error| Failure::file(target, &problem);
    if let Some(folder) = target.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    File::create(part(target)).map_err(failed)
}

fn bytes(out: Box<dyn Write + Send>) -> Output {
    Output::Bytes(BufWriter::with_capacity(BUFFER_BYTES, out))
}

#[cfg(feature = "parquet")]
fn parquet(target: Option<&Path>) -> Result<Output, Failure> {
    let target = target.ok_or_else(super::nowhere)?;
    let writer = super::parquet::Writer::create(create(target)?)?;
    Ok(Output::Parquet(Box::new(writer)))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: Option<&Path>) -> Result<Output, Failure> {
    Err(Failure::usage(
        "this build writes no Parquet",
        "build it with `cargo install --path tools/stella --features parquet`, or say --as jsonl",
    ))
}

fn write_event(out: &mut Output, event: &ExportedEvent<'_>) -> Result<(), Failure> {
    match out {
        Output::None => Ok(()),
        Output::Bytes(out) => {
            let payload = match &event.payload {
                ExportedPayload::Present { bytes, .. } => EventPayload::Present(bytes),
                ExportedPayload::Erased { .. } => EventPayload::Erased,
                ExportedPayload::Withheld => EventPayload::Withheld,
            };
            let row = event_row(event.index, event.leaf, &event.header, payload);
            writeln!(out, "{row}")?;
            Ok(())
        }
        #[cfg(feature = "parquet")]
        Output::Parquet(out) => out.take(event),
    }
}
