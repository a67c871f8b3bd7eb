//! Importing what users download.

use super::{policy_json, register_policy};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::session::Session;
use clap::Args;
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use stella_proto::snapshot as wire;
use stella_server::documents;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use wire::import_snapshot_request::Part;

/// Bytes in one message of an upload.
const CHUNK_BYTES: usize = 256 * 1024;

/// Import a snapshot from the files that feeds publish; all or nothing
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// OSV advisories: an `all.zip` export, a directory or a JSON file
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same as PATH
    #[arg(long, value_name = "PATH", num_args = 1..)]
    osv: Vec<PathBuf>,
    /// EPSS scores: FIRST's CSV, gzip accepted
    #[arg(long, value_name = "FILE")]
    epss: Vec<PathBuf>,
    /// Known exploited vulnerabilities: CISA's JSON
    #[arg(long, value_name = "FILE")]
    kev: Vec<PathBuf>,
    /// Severities by CVE: CVE 5 records or a TSV
    #[arg(long, value_name = "PATH", num_args = 1..)]
    severity: Vec<PathBuf>,
    /// VEX documents: OpenVEX, CSAF, CycloneDX. Makes a VEX snapshot
    #[arg(long, value_name = "PATH", num_args = 1..)]
    vex: Vec<PathBuf>,
    /// A policy, YAML or JSON: registered by the hash of its canonical JSON
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["paths", "osv", "epss", "kev", "severity", "vex"]
    )]
    policy: Option<PathBuf>,
    /// Do not make the snapshot (or the policy) the current one
    #[arg(long)]
    no_publish: bool,
}

impl Import {
    pub(super) async fn run(self, session: &Session, format: Format) -> Result<u8, Failure> {
        let publish = !self.no_publish;
        if let Some(path) = &self.policy {
            return import_policy(session, format, path, publish).await;
        }
        let (kind, sources) = self.sources()?;
        let answer = import(session, kind, publish, sources).await?;
        for warning in &answer.warnings {
            output::warn(warning);
        }
        let mut document = documents::snapshot(&answer.snapshot.unwrap_or_default());
        if let Value::Object(members) = &mut document {
            members.insert("existing".to_owned(), answer.existing.into());
        }
        output::document(format, &document)?;
        Ok(0)
    }

    /// What the words name, with the kind of snapshot that it makes.
    fn sources(self) -> Result<(wire::SnapshotKind, Vec<Source>), Failure> {
        let mut sources = Vec::new();
        for paths in [self.paths, self.osv, self.epss, self.kev, self.severity] {
            sources.extend(paths.into_iter().map(Source::Path));
        }
        let vex: Vec<_> = self.vex.into_iter().map(Source::Path).collect();
        match (sources.is_empty(), vex.is_empty()) {
            (false, true) => Ok((wire::SnapshotKind::Concelier, sources)),
            (true, false) => Ok((wire::SnapshotKind::Excititor, vex)),
            (true, true) => Err(Failure::usage(
                "nothing to import",
                "name OSV exports, or use --osv, --epss, --kev, --severity or --vex",
            )),
            (false, false) => Err(Failure::usage(
                "advisories and VEX are two snapshots",
                "import --vex in a command of its own",
            )),
        }
    }
}

/// Registers a policy and makes it the current one.
async fn import_policy(
    session: &Session,
    format: Format,
    path: &Path,
    publish: bool,
) -> Result<u8, Failure> {
    let hash = register_policy(session, path).await?;
    let mut client = session.connection().snapshots();
    let policy = if publish {
        let request = wire::PublishPolicyRequest {
            hash,
            ..wire::PublishPolicyRequest::default()
        };
        client.publish_policy(request).await?.into_inner().policy
    } else {
        let request = wire::GetPolicyRequest {
            hash,
            tree_size: None,
        };
        client.get_policy(request).await?.into_inner().description
    };
    output::document(format, &policy_json(&policy.unwrap_or_default()))?;
    Ok(0)
}

/// A file of an import, or a folder of files.
pub(crate) enum Source {
    /// On disk.
    Path(PathBuf),
    /// In memory.
    Bytes {
        /// Name for messages.
        name: String,
        /// Content.
        bytes: Vec<u8>,
    },
}

/// Uploads sources; the server checks all of them before it keeps any.
pub(crate) async fn import(
    session: &Session,
    kind: wire::SnapshotKind,
    publish: bool,
    sources: Vec<Source>,
) -> Result<wire::ImportSnapshotResponse, Failure> {
    let (parts, stream) = mpsc::channel(8);
    let reading = tokio::task::spawn_blocking(move || {
        let header = wire::ImportHeader {
            kind: kind.into(),
            publish,
            ..wire::ImportHeader::default()
        };
        let upload = Upload { parts };
        upload.send(Part::Header(header))?;
        sources
            .into_iter()
            .try_for_each(|source| upload.source(source))
    });
    let answer = session
        .connection()
        .snapshots()
        .import_snapshot(ReceiverStream::new(stream))
        .await;
    match (reading.await.map_err(Failure::operational)?, answer) {
        (Err(Stop::File(failure)), _) => Err(failure),
        (_, Err(refusal)) => Err(refusal.into()),
        (_, Ok(answer)) => Ok(answer.into_inner()),
    }
}

struct Upload {
    parts: mpsc::Sender<wire::ImportSnapshotRequest>,
}

/// Why an upload ended early.
enum Stop {
    /// A file cannot be read.
    File(Failure),
    /// The server hung up; its answer says why.
    Gone,
}

impl Upload {
    fn send(&self, part: Part) -> Result<(), Stop> {
        let message = wire::ImportSnapshotRequest { part: Some(part) };
        self.parts.blocking_send(message).map_err(|_| Stop::Gone)
    }

    fn source(&self, source: Source) -> Result<(), Stop> {
        match source {
            Source::Bytes { name, bytes } => {
                self.start(&name)?;
                bytes
                    .chunks(CHUNK_BYTES)
                    .try_for_each(|chunk| self.chunk(chunk))
            }
            Source::Path(path) => self.path(&path),
        }
    }

    fn path(&self, path: &Path) -> Result<(), Stop> {
        let failed = |problem: std::io::Error| self.abort(Failure::file(path, &problem));
        if path.is_dir() {
            let mut inside: Vec<PathBuf> = Vec::new();
            for entry in std::fs::read_dir(path).map_err(failed)? {
                inside.push(entry.map_err(failed)?.path());
            }
            inside.sort();
            return inside.iter().try_for_each(|path| self.path(path));
        }
        let mut file = std::fs::File::open(path).map_err(failed)?;
        self.start(&path.display().to_string())?;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => return Ok(()),
                count => self.chunk(buffer.get(..count).unwrap_or_default())?,
            }
        }
    }

    fn start(&self, name: &str) -> Result<(), Stop> {
        self.send(Part::File(wire::SourceFile {
            name: name.to_owned(),
        }))
    }

    fn chunk(&self, bytes: &[u8]) -> Result<(), Stop> {
        self.send(Part::Chunk(bytes.to_vec().into()))
    }

    /// Says a part that no server accepts, so that half an upload is never imported.
    fn abort(&self, failure: Failure) -> Stop {
        let part = wire::ImportSnapshotRequest { part: None };
        self.parts.blocking_send(part).ok();
        Stop::File(failure)
    }
}
