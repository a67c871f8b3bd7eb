//! A connection to a server, with what the options say of it.

use crate::cli::Global;
use crate::failure::Failure;
use std::path::Path;
use stella_client::{ClientError, ConnectOptions, Connection};

/// Connects to `url`.
pub(super) async fn connect(url: &str, global: &Global) -> Result<Connection, Failure> {
    let connected = Connection::with(url, &options(global)?).await;
    connected.map_err(|error| explained(error, global))
}

fn options(global: &Global) -> Result<ConnectOptions, Failure> {
    let mut options = ConnectOptions::default();
    if let Some(token) = token(global)? {
        options = options.token(token);
    }
    if let Some(path) = &global.ca_cert {
        options = options.authorities(pem(path, "CERTIFICATE")?);
    }
    match (&global.client_cert, &global.client_key) {
        (Some(certificate), Some(key)) => {
            Ok(options.identity(pem(certificate, "CERTIFICATE")?, pem(key, "PRIVATE KEY")?))
        }
        (None, None) => Ok(options),
        _ => Err(Failure::usage(
            "a client's certificate and its key go together",
            "give both --client-cert and --client-key",
        )),
    }
}

/// The token that the options name; `serve --dev` leaves one in its directory.
fn token(global: &Global) -> Result<Option<String>, Failure> {
    if global.token.is_some() {
        return Ok(global.token.clone());
    }
    let Some(directory) = &global.data_dir else {
        return Ok(None);
    };
    let path = directory.join("dev-token");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(problem) => Err(Failure::file(&path, &problem)),
    }
}

/// A file that has such a part: TLS would silently believe nobody when it has none.
fn pem(path: &Path, part: &str) -> Result<Vec<u8>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|problem| Failure::file(path, &problem))?;
    if text.contains(&format!("{part}-----")) {
        return Ok(text.into_bytes());
    }
    Err(Failure::usage(
        format!("{}: there is no {part} in it", path.display()),
        "give a PEM file",
    ))
}

/// What TLS says, with what to do about it.
fn explained(error: ClientError, global: &Global) -> Failure {
    let why = error.to_string();
    let failure = Failure::from(error);
    if why.contains("UnknownIssuer") && global.ca_cert.is_none() {
        return failure.hint("name the server's authority with --ca-cert FILE (or STELLA_CA_CERT)");
    }
    if why.contains("CaUsedAsEndEntity") {
        return failure.hint("the server shows an authority's own certificate: sign one for it");
    }
    if why.contains("invalid peer certificate") {
        return failure.hint("the address, the certificate or --ca-cert is not the server's");
    }
    if why.contains("corrupt message") {
        return failure.hint("the server speaks plain text there: use http://");
    }
    failure
}
