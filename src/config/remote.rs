//! Which running server a command calls, and as whom: flags over the environment.

use secrecy::SecretString;

use super::{ConfigError, layers, secret_file};

pub(super) const URL: &str = "POSTRIDER_URL";
pub(super) const TOKEN: &str = "POSTRIDER_TOKEN";
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
        let variables = layers::variables();
        let found = variables.get(URL).filter(|url| !url.is_empty()).cloned();
        let url = url.or(found).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let token = match token {
            Some(token) => Some(token),
            None => secret_file::find(TOKEN, &variables)?.map(|found| found.text),
        };
        let token = token.ok_or_else(|| ConfigError::Missing {
            name: TOKEN.to_owned(),
            reason: "a running server is called with a token: set it or --token; `postrider token create` makes one"
                .to_owned(),
        })?;
        Ok(Self { url, token: token.into() })
    }
}
