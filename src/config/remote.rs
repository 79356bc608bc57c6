//! Which running server a command calls, and as whom: flags over the environment.

use secrecy::SecretString;

const URL: &str = "POSTRIDER_URL";
const TOKEN: &str = "POSTRIDER_TOKEN";
const DEFAULT_URL: &str = "http://127.0.0.1:8071";

/// A running server, and the credentials for it.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where it is.
    pub url: String,
    /// The bearer token.
    pub token: SecretString,
}

/// There is no token.
#[derive(Debug, thiserror::Error)]
#[error("a token is needed: set {TOKEN} or --token; `postrider token create` makes one")]
pub struct NoToken;

impl Remote {
    /// From flags; what they leave out, from the environment.
    ///
    /// # Errors
    /// [`NoToken`] when neither names one.
    pub fn resolve(url: Option<String>, token: Option<String>) -> Result<Self, NoToken> {
        let from_environment = |name| {
            std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|v| !v.is_empty())
        };
        let url = url.or_else(|| from_environment(URL)).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let token = token.or_else(|| from_environment(TOKEN)).ok_or(NoToken)?;
        Ok(Self { url, token: token.into() })
    }
}
