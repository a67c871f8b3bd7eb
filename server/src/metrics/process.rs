//! What the operating system knows of this process; only Linux says it in files.

use super::gather::Gather;
use super::number::float;
use super::series::Series;
use std::fs;
use std::time::SystemTime;

/// Ticks of `/proc/self/stat` in a second: a constant of the kernel's interface to user space.
const TICKS_PER_SECOND: u64 = 100;

/// When this process started to be measured.
#[derive(Debug)]
pub(crate) struct Started {
    wall: SystemTime,
}

impl Started {
    pub(crate) fn now() -> Self {
        Self {
            wall: SystemTime::now(),
        }
    }
}

/// Adds the process's own figures; those that cannot be read are left out.
pub(crate) fn gather(scrape: &mut Gather, started: &Started) {
    let since = started.wall.duration_since(SystemTime::UNIX_EPOCH);
    scrape.number(Series::StartTime, since.unwrap_or_default().as_secs_f64());
    if let Some(ticks) = cpu_ticks() {
        scrape.number(Series::Cpu, float(ticks) / float(TICKS_PER_SECOND));
    }
    if let Some((resident, virtual_size)) = memory() {
        scrape.count(Series::ResidentMemory, resident);
        scrape.count(Series::VirtualMemory, virtual_size);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let open = u64::try_from(open.count()).unwrap_or(u64::MAX);
        // One of them is this listing's.
        scrape.count(Series::OpenFiles, open.saturating_sub(1));
    }
    if let Some(most) = most_files() {
        scrape.count(Series::MaxFiles, most);
    }
}

/// User and system time: fields 14 and 15 of proc_pid_stat(5).
fn cpu_ticks() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything; fields count from behind its closing bracket.
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident and virtual memory in bytes, from proc_pid_status(5), which counts in KiB.
fn memory() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let digits: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(digits * 1024)
    };
    Some((bytes("VmRSS:")?, bytes("VmSize:")?))
}

fn most_files() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
