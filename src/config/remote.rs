//! What commands are told that work with a running server: which one, as whom, and what seals the secrets that they write
//! down. Flags over the environment.

use std::path::Path;

use secrecy::SecretString;

use super::{ConfigError, layers, secret_file};

pub(super) const URL: &str = "POSTRIDER_URL";
pub(super) const TOKEN: &str = "POSTRIDER_TOKEN";
pub(super) const PASSPHRASE: &str = "POSTRIDER_PASSPHRASE";
pub(super) const SVIX_TOKEN: &str = "POSTRIDER_SVIX_TOKEN";
const DEFAULT_URL: &str = "http://127.0.0.1:8071";

/// A running server, and the credentials for it.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where it is.
    pub url: String,
    /// The bearer token.
    pub token: SecretString,
}

impl Remote {
    /// From flags; what they leave out, from the environment.
    ///
    /// # Errors
    /// [`ConfigError`] when neither names one, or the file that should hold it cannot be read.
    pub fn resolve(url: Option<String>, token: Option<String>) -> Result<Self, ConfigError> {
        let variables = layers::variables()?;
        let found = variables.get(URL).filter(|url| !url.is_empty()).cloned();
        let url = url.or(found).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let reason =
            "a running server is called with a token: set it or --token; `postrider token create` makes one";
        Ok(Self { url, token: credential(token, TOKEN, reason)? })
    }

    /// A server of Svix, with a token that is a flag or else in the environment.
    ///
    /// # Errors
    /// [`ConfigError`] when neither names a token, or the file that should hold it cannot be read.
    pub fn svix(url: String, token: Option<String>) -> Result<Self, ConfigError> {
        let reason = "Svix is called with a token of the environment to import: set it or --token";
        Ok(Self { url, token: credential(token, SVIX_TOKEN, reason)? })
    }
}

/// The passphrase that seals secrets in configuration files: what the file has, or else what the environment says.
///
/// # Errors
/// [`ConfigError`] when there is none, or its file cannot be read.
pub fn passphrase(file: Option<&Path>) -> Result<SecretString, ConfigError> {
    if let Some(file) = file {
        return Ok(secret_file::read("--passphrase-file", &file.display().to_string())?.into());
    }
    let reason = "secrets in a configuration file are sealed with a passphrase: set it, its _FILE or --passphrase-file, or \
                  leave secrets out with --without-secrets";
    credential(None, PASSPHRASE, reason)
}

fn credential(given: Option<String>, variable: &str, reason: &str) -> Result<SecretString, ConfigError> {
    let token = match given {
        Some(token) => Some(token),
        None => secret_file::find(variable, &layers::variables()?)?.map(|found| found.text),
    };
    let missing = || ConfigError::Missing { name: variable.to_owned(), reason: reason.to_owned() };
    token.map(SecretString::from).ok_or_else(missing)
}
