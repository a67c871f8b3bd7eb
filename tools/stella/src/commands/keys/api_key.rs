//! `stella keys api-key`: keys of callers, for the file of `serve --api-keys`.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};
use clap::{Args, Subcommand};
use serde_json::json;
use stella_server::{ApiKey, Caller, Scope, TenantName};
use stella_verify::time::parse_time;
use stella_verify::units::UnixMillis;

/// Keys of callers, for the file of `stella serve --api-keys`
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeys {
    /// Draw a fresh key and print it, once, with the line that makes it known
    New(New),
}

/// Draw a fresh key and print it, once, with the line that makes it known
///
/// The line holds the key's hash only. Append it to the file that `stella serve --api-keys` reads;
/// it counts within a second.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// Who shows the key: the actor of its events
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it may do; repeat for more
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// Whose log it is about
    #[arg(long, value_name = "TENANT", default_value = TenantName::DEFAULT)]
    tenant: TenantName,
    /// When it ends: YYYY-MM-DDTHH:MM:SS.sssZ
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    not_after: Option<UnixMillis>,
}

impl ApiKeys {
    pub(crate) fn run(self, global: &Global) -> Result<u8, Failure> {
        let Self::New(asked) = self;
        let scopes = asked.scopes.into_iter().collect();
        let caller = Caller::new(&asked.name, asked.tenant, scopes)
            .map_err(|problem| Failure::usage(format!("--name: {problem}"), "choose another"))?;
        let (key, row) = ApiKey::draw(caller, asked.not_after).map_err(Failure::operational)?;
        let line = row.line();
        if global.format == Format::Table {
            output::text(&format!("{key}\n{line}\n"))?;
        } else {
            output::document(global.format, &json!({"key": key, "line": line}))?;
        }
        Ok(0)
    }
}
