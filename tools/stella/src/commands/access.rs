//! Whom `stella serve` takes for whom.

use crate::failure::Failure;
use crate::session::refused;
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;
use stella_server::{
    ApiKeys, DEFAULT_LEEWAY, Issuer, KeySource, Policy, TokenAlgorithm, TokenRules,
};

/// Fewest characters of a token that may do everything.
const MIN_TOKEN_CHARACTERS: usize = 16;

/// Who may call.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
pub(crate) struct Access {
    /// File with a bearer token that may do everything
    #[arg(long, value_name = "FILE", env = "STELLA_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// File of principals: who shows which API key and may do what (`stella keys api-key new`)
    #[arg(long, value_name = "FILE", env = "STELLA_API_KEYS")]
    api_keys: Option<PathBuf>,
    /// Take JSON Web Tokens of this issuer (`iss`)
    #[arg(long, value_name = "NAME", env = "STELLA_JWT_ISSUER", requires_all = ["jwt_audience", "jwks"])]
    jwt_issuer: Option<String>,
    /// For whom tokens must be (`aud`)
    #[arg(
        long,
        value_name = "NAME",
        env = "STELLA_JWT_AUDIENCE",
        requires = "jwt_issuer"
    )]
    jwt_audience: Option<String>,
    /// The issuer's keys: a file, an https URL, or an http URL of this machine
    #[arg(
        long,
        value_name = "FILE-OR-URL",
        env = "STELLA_JWKS",
        requires = "jwt_issuer"
    )]
    jwks: Option<String>,
    /// Authorities (PEM) to believe for an https URL of --jwks, instead of this machine's
    #[arg(long, value_name = "FILE", env = "STELLA_JWKS_CA", requires = "jwks")]
    jwks_ca: Option<PathBuf>,
    /// How tokens may be signed
    #[arg(
        long,
        value_name = "NAMES",
        env = "STELLA_JWT_ALGORITHMS",
        value_delimiter = ',',
        default_value = "EdDSA,ES256,ES384,RS256"
    )]
    jwt_algorithms: Vec<TokenAlgorithm>,
    /// Seconds that the issuer's clock and this one may be apart
    #[arg(long, value_name = "SECONDS", env = "STELLA_JWT_LEEWAY", default_value_t = DEFAULT_LEEWAY.as_secs())]
    jwt_leeway: u64,
    /// Claim of a token that names its tenant
    #[arg(
        long,
        value_name = "CLAIM",
        env = "STELLA_TENANT_CLAIM",
        default_value = "tenant"
    )]
    tenant_claim: String,
}

impl Access {
    /// Whether anybody but the user of `--dev` gets in.
    pub(crate) fn is_chosen(&self) -> bool {
        self.token_file.is_some() || self.api_keys.is_some() || self.jwt_issuer.is_some()
    }

    /// Who may call. With `--dev` also the bearer of the drawn token, which is told.
    pub(crate) fn policy(&self, dev: Option<&Path>) -> Result<(Policy, Option<String>), Failure> {
        let (mut policy, mut pasted) = (Policy::default(), None);
        if let Some(path) = &self.token_file {
            policy = Policy::token(&token_of(path)?, "token", dev.is_some());
        } else if let Some(directory) = dev {
            let token = stella_server::dev_token(directory).map_err(refused)?;
            policy = Policy::token(&token, "dev", true);
            pasted = Some(token);
        }
        if let Some(path) = &self.api_keys {
            policy = policy.with_api_keys(ApiKeys::open(path).map_err(refused)?);
        }
        if let (Some(issuer), Some(audience), Some(jwks)) =
            (&self.jwt_issuer, &self.jwt_audience, &self.jwks)
        {
            let rules = TokenRules {
                algorithms: self.jwt_algorithms.clone(),
                leeway: Duration::from_secs(self.jwt_leeway),
                tenant_claim: self.tenant_claim.clone(),
                ..TokenRules::new(issuer, audience)
            };
            policy =
                policy.with_issuer(Issuer::new(rules, keys_of(jwks, self.jwks_ca.as_deref())?));
        }
        Ok((policy, pasted))
    }
}

fn keys_of(place: &str, authorities: Option<&Path>) -> Result<KeySource, Failure> {
    if place.contains("://") {
        return KeySource::url(place, authorities).map_err(|problem| {
            Failure::usage(
                format!("--jwks {place}: {problem}"),
                "give a file, https://HOST/PATH with --jwks-ca FILE where its authority is not \
                 known here, or http://127.0.0.1:PORT/PATH",
            )
        });
    }
    if authorities.is_some() {
        return Err(Failure::usage(
            format!("--jwks {place}: authorities are for https only"),
            "leave --jwks-ca out, or give an https URL",
        ));
    }
    let path = Path::new(place);
    // A file that is not there now is a mistake of the command line, not of an issuer.
    std::fs::metadata(path).map_err(|problem| Failure::file(path, &problem))?;
    Ok(KeySource::file(path))
}

fn token_of(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|p| Failure::file(path, &p))?;
    let token = text.trim();
    if token.len() < MIN_TOKEN_CHARACTERS {
        let message = format!("{}: the token is too short", path.display());
        return Err(Failure::usage(
            message,
            format!("use at least {MIN_TOKEN_CHARACTERS} random characters"),
        ));
    }
    Ok(token.to_owned())
}
