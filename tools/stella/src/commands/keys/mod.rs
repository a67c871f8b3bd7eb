//! `stella keys`: the ledger's keys, without opening the ledger, and keys of its callers.

mod api_key;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output;
use crate::session::data_dir;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::Path;
use stella_proto::reason::Reason;
use stella_verify::keys::PublicKey;
use stella_verify::note::VerifierKey;

/// The ledger's keys, and keys of its callers
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the keys with their ids and files
    List(List),
    /// Show one key
    Show(Show),
    /// Keys of callers, for the file of `stella serve --api-keys`
    #[command(subcommand)]
    ApiKey(api_key::ApiKeys),
}

/// List the keys with their ids and files
#[derive(Debug, Args)]
pub(crate) struct List {}

/// Show one key
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, or `log`, or `signing`
    #[arg(value_name = "KEY-ID")]
    key_id: String,
    /// Print the public key itself: PEM, or a verifier key for the log's
    #[arg(long)]
    public: bool,
}

/// One key's public half.
struct Listed {
    use_for: &'static str,
    id: String,
    algorithm: String,
    path: String,
    public: String,
}

impl Listed {
    fn json(&self) -> Value {
        json!({
            "use": self.use_for,
            "keyId": self.id,
            "algorithm": self.algorithm,
            "publicKeyFile": self.path,
        })
    }
}

impl Keys {
    pub(crate) fn run(self, global: &Global) -> Result<u8, Failure> {
        let listed = || read(&data_dir(global)?.join("keys"));
        match self {
            Self::ApiKey(verb) => return verb.run(global),
            Self::List(List {}) => {
                let listed = listed()?;
                let rows: Vec<Value> = listed.iter().map(Listed::json).collect();
                let columns = ["use", "keyId", "algorithm", "publicKeyFile"];
                output::documents(global.format, &rows, &columns)?;
            }
            Self::Show(Show { key_id, public }) => {
                let listed = listed()?;
                let wanted = listed
                    .iter()
                    .find(|key| key.id == key_id || key.use_for == key_id);
                let key = wanted.ok_or_else(|| {
                    Failure::of(Reason::NotFound, format!("no key {key_id}"))
                        .hint("list the keys with `stella keys list`")
                })?;
                if public {
                    output::text(&format!("{}\n", key.public.trim_end()))?;
                } else {
                    output::document(global.format, &key.json())?;
                }
            }
        }
        Ok(0)
    }
}

fn read(folder: &Path) -> Result<Vec<Listed>, Failure> {
    let (vkey_path, pem_path) = (folder.join("log.vkey"), folder.join("signing.pub.pem"));
    let vkey_text = text(&vkey_path)?;
    let vkey: VerifierKey = vkey_text
        .trim()
        .parse()
        .map_err(|problem| Failure::operational(format!("{}: {problem}", vkey_path.display())))?;
    let pem = text(&pem_path)?;
    let key = PublicKey::from_pem(&pem)
        .map_err(|problem| Failure::operational(format!("{}: {problem}", pem_path.display())))?;
    Ok(vec![
        Listed {
            use_for: "log",
            id: format!("{}+{}", vkey.name(), vkey.id()),
            algorithm: "Ed25519 (signed note)".to_owned(),
            path: vkey_path.display().to_string(),
            public: vkey_text,
        },
        Listed {
            use_for: "signing",
            id: key.id().to_string(),
            algorithm: key.algorithm().to_string(),
            path: pem_path.display().to_string(),
            public: pem,
        },
    ])
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|problem| {
        Failure::file(path, &problem).hint("the keys appear when a ledger is made in the directory")
    })
}
