//! How alerts are e-mailed: the settings that begin with `smtp_`.

use std::path::PathBuf;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use secrecy::SecretString;

use crate::alerts::SmtpOptions;

use crate::config::ConfigError;
use crate::config::reader::Reader;

/// `None` where no server is named.
pub(in crate::config) fn options(
    read: &Reader<'_>,
    tls_ca_file: Option<PathBuf>,
) -> Result<Option<SmtpOptions>, ConfigError> {
    let from = read.given("smtp_from", sender)?;
    match (read.given("smtp_url", url)?, from) {
        (Some(url), Some(from)) => Ok(Some(SmtpOptions { url, from, tls_ca_file })),
        (Some(_), None) => Err(read.missing("smtp_from", "it says who e-mail is from")),
        (None, Some(_)) => Err(read.missing("smtp_url", "`smtp_from` is set, and is sent over it")),
        (None, None) => Ok(None),
    }
}

/// An error does not repeat the URL, which may have a password in it.
fn url(text: &str) -> Result<SecretString, String> {
    AsyncSmtpTransport::<Tokio1Executor>::from_url(text)
        .map(|_| SecretString::from(text))
        .map_err(|_| "it is not a URL such as smtps://user:password@mail.example.com".to_owned())
}

fn sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address such as Postrider <alerts@example.com>"))
}
