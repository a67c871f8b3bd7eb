//! The ledger a command talks to: a server, or a directory opened in this process.
//!
//! Either way the command speaks gRPC through the same client, over TCP or over a pipe in memory,
//! so that nothing works in one way only.

mod remote;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stella_client::Connection;
use stella_server::{App, AppOptions, Embedded};

/// An open ledger.
pub(crate) struct Session {
    connection: Connection,
    own: Option<Own>,
    directory: Option<PathBuf>,
}

/// A ledger opened in this process.
struct Own {
    app: Arc<App>,
    service: Embedded,
}

impl Session {
    /// Opens what the options name: a server goes before a directory.
    pub(crate) async fn open(global: &Global) -> Result<Self, Failure> {
        if let Some(url) = &global.server {
            return Ok(Self {
                connection: remote::connect(url, global).await?,
                own: None,
                directory: global.data_dir.clone(),
            });
        }
        let directory = data_dir(global)?;
        if !directory.join("log").exists() {
            // A misspelt directory looks the same as a new one.
            output::warn(&format!(
                "{} is new: a ledger is made there",
                directory.display()
            ));
        }
        Self::embedded(&directory).await
    }

    /// Opens a directory in this process; makes it when it is new.
    pub(crate) async fn embedded(directory: &Path) -> Result<Self, Failure> {
        let app = open_app(AppOptions::new(directory)).await?;
        let service = Embedded::start(&app).await.map_err(Failure::operational)?;
        let connection = Connection::over(service.channel());
        Ok(Self {
            connection,
            own: Some(Own { app, service }),
            directory: Some(directory.to_owned()),
        })
    }

    /// The client.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The ledger's directory, where the options name one: its keys are at hand.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Stops cleanly, so that the next open is fast.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        drop(self.connection);
        let Some(Own { app, service }) = self.own else {
            return Ok(());
        };
        service.stop().await;
        let closed = tokio::task::spawn_blocking(move || app.close());
        closed.await.map_err(Failure::operational)?.map_err(refused)
    }
}

/// Opens a directory, with a bar while its projections are refolded.
pub(crate) async fn open_app(options: AppOptions) -> Result<Arc<App>, Failure> {
    let opened = tokio::task::spawn_blocking(move || {
        let bar = crate::progress::bar("refolding");
        let app = App::open(options, &|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        app
    });
    opened.await.map_err(Failure::operational)?.map_err(refused)
}

/// A refusal of the server's use cases, met without a wire between.
pub(crate) fn refused(refusal: stella_server::Refusal) -> Failure {
    Failure::of(refusal.reason, refusal.message)
}

/// The directory that the options name.
pub(crate) fn data_dir(global: &Global) -> Result<PathBuf, Failure> {
    global.data_dir.clone().ok_or_else(|| {
        Failure::usage(
            "no ledger named",
            "say --data-dir DIR for a directory, or --server URL (or STELLA_SERVER) for a server",
        )
    })
}
