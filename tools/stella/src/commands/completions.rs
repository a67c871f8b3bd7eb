//! `stella completions` and `stella man`: what a package installs beside the command.

use crate::config;
use crate::failure::Failure;
use crate::output;
use clap::Args;
use std::path::PathBuf;

/// Print the completions of a shell
///
/// For example: stella completions bash > /etc/bash_completion.d/stella
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<u8, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut config::command(), "stella", &mut text);
        output::bytes(&text)?;
        Ok(0)
    }
}

/// Write a manual page for every verb
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder to write to; made when it is new
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
}

impl Man {
    pub(crate) fn run(self) -> Result<u8, Failure> {
        let folder = &self.output_dir;
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(config::command(), folder));
        written.map_err(|problem| Failure::file(folder, &problem))?;
        Ok(0)
    }
}
