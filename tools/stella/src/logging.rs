//! What a server says of its work, on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::LevelFilter;

/// How a server logs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct Logging {
    /// One line of text, or one object of JSON, for each request
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// From where on: requests are `info`, faults of the server `error`, probes `debug`
    #[arg(long, value_name = "LEVEL", default_value = "warn",
          value_parser = ["off", "error", "warn", "info", "debug", "trace"])]
    log_level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Logging {
    /// Starts logging; once for a process.
    pub(crate) fn start(&self) {
        let level = self.log_level.parse().unwrap_or(LevelFilter::WARN);
        let lines = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_max_level(level);
        // A second start keeps the first: there is one process and one standard error.
        match self.log_format {
            LogFormat::Text => lines.with_ansi(false).try_init().ok(),
            LogFormat::Json => lines.json().flatten_event(true).try_init().ok(),
        };
    }
}
