//! How alerts are e-mailed: the settings that begin with `smtp_`.

use std::path::PathBuf;

use lettre::message::Mailbox;

use crate::alerts::{SmtpOptions, SmtpServer};

use crate::config::ConfigError;
use crate::config::reader::Reader;

/// `None` where no server is named.
pub(in crate::config) fn options(
    read: &Reader<'_>,
    tls_ca_file: Option<PathBuf>,
) -> Result<Option<SmtpOptions>, ConfigError> {
    let from = read.given("smtp_from", sender)?;
    match (read.given("smtp_url", server)?, from) {
        (Some(server), Some(from)) => Ok(Some(SmtpOptions { server, from, tls_ca_file })),
        (Some(_), None) => Err(read.missing("smtp_from", "it says who e-mail is from")),
        (None, Some(_)) => Err(read.missing("smtp_url", "`smtp_from` is set, and is sent over it")),
        (None, None) => Ok(None),
    }
}

/// An error does not repeat the URL, which may have a password in it.
fn server(text: &str) -> Result<SmtpServer, String> {
    SmtpServer::from_url(text)
        .ok_or_else(|| "it is not a URL such as smtps://user:password@mail.example.com".to_owned())
}

fn sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address such as Postrider <alerts@example.com>"))
}
