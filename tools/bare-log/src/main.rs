//! The log layer alone, with raw leaves, for the field's conformance tools (docs/bare-log.md).
//!
//! A test server: no authentication, loopback only, one key in a file.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod http;
mod open;

use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Serve a bare log: POST /add and the tiles of C2SP tlog-tiles
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The log's directory; made when it is missing
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Where to listen; loopback only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:2025")]
    listen: SocketAddr,
    /// Name of the log in its checkpoints
    #[arg(long, value_name = "NAME", default_value = "example.com/bare-log")]
    origin: String,
}

/// Why the server did not start or stopped.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0} is not a loopback address: this server has no authentication")]
    NotLoopback(SocketAddr),
    #[error(transparent)]
    Open(#[from] open::OpenFailure),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.listen.ip().is_loopback() {
        return Err(Failure::NotLoopback(arguments.listen));
    }
    let bare = open::open(&arguments.data_dir, &arguments.origin)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
        println!("listening on http://{}", listener.local_addr()?);
        println!("verifier key {}", bare.vkey);
        let router = http::router(bare.ledger);
        let stop = async {
            tokio::signal::ctrl_c().await.ok();
        };
        axum::serve(listener, router)
            .with_graceful_shutdown(stop)
            .await?;
        Ok(())
    })
}
