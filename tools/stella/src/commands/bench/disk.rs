//! What the disk does by itself: the floor under every append figure.

use super::load::{Outcome, empty};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One write and one fdatasync after the other, into a file that is already there
#[derive(Debug, Args)]
pub(crate) struct Disk {
    /// Bytes of a write
    #[arg(long, value_name = "N", default_value_t = 4096)]
    bytes: usize,
    /// For how long, in seconds
    #[arg(long, value_name = "S", default_value_t = 5)]
    seconds: u64,
}

/// The file is filled with zeros first, as a log's space is in front of a small frame: syncing it
/// writes data and nothing else.
const FILE_BYTES: usize = 64 * 1024 * 1024;

impl Disk {
    pub(super) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let folder = global.data_dir.clone().unwrap_or_else(std::env::temp_dir);
        let probe = tokio::task::spawn_blocking(move || self.probe(&folder));
        let (outcome, bytes) = probe.await.map_err(Failure::operational)??;
        let what = format!("writes of {bytes} bytes, each with its fdatasync");
        output::document(global.format, &outcome.json_of(&what))?;
        Ok(0)
    }

    fn probe(&self, folder: &Path) -> Result<(Outcome, usize), Failure> {
        fs::create_dir_all(folder)?;
        let path = Scratch(folder.join(format!("stella-bench-disk-{}", std::process::id())));
        let mut file = File::create(&path.0)?;
        std::io::Write::write_all(&mut file, &vec![0; FILE_BYTES])?;
        file.sync_all()?;
        let bytes = self.bytes.clamp(1, FILE_BYTES);
        let data = vec![0x5A; bytes];
        let start = Instant::now();
        let end = start + Duration::from_secs(self.seconds);
        let mut latencies = empty()?;
        let mut offset = 0;
        while Instant::now() < end {
            if offset + bytes > FILE_BYTES {
                offset = 0;
            }
            let begun = Instant::now();
            write_at(&file, &data, offset)?;
            file.sync_data()?;
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            latencies.saturating_record(micros.max(1));
            offset += bytes;
        }
        Ok((Outcome::new(latencies, start.elapsed()), bytes))
    }
}

fn write_at(mut file: &File, data: &[u8], offset: usize) -> std::io::Result<()> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    let offset = u64::try_from(offset).map_err(std::io::Error::other)?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(data)
}

/// Removed when the measurement ends, however it ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is named after this process and in nobody's way.
        fs::remove_file(&self.0).ok();
    }
}
