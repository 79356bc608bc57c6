//! Alerts by e-mail, over the SMTP server that the operator has set.

mod server;
mod start_tls;
mod stream;

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use lettre::message::{Mailbox, header};
use lettre::{Address, Message};

use crate::send::{CaFileError, OperatorsTls};
use crate::store::AlertNotice;

use super::payload::headline;

pub use server::SmtpServer;

/// How e-mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// By whom.
    pub server: SmtpServer,
    /// Who it is from.
    pub from: Mailbox,
    /// Certificates that are trusted along with the machine's.
    pub tls_ca_file: Option<PathBuf>,
}

/// An e-mail that could not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum MailError {
    #[error("an address cannot be read")]
    Address(#[from] lettre::address::AddressError),
    #[error("the e-mail cannot be written")]
    Message(#[from] lettre::error::Error),
    #[error("the SMTP server is not reached")]
    Unreachable(#[source] io::Error),
    #[error("the connection to the SMTP server cannot be encrypted: {0}")]
    Tls(Cow<'static, str>),
    #[error("the SMTP server does not offer STARTTLS, and smtp_url requires it")]
    Unencrypted,
    #[error("the SMTP server answered: {0}")]
    Reply(String),
    #[error("the connection to the SMTP server broke")]
    Broken(#[source] io::Error),
    #[error("the SMTP server did not take it")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// Sends e-mail, over a connection for each.
pub(super) struct Mailer {
    from: Mailbox,
    server: SmtpServer,
    tls: OperatorsTls,
}

impl Mailer {
    pub(super) fn new(options: &SmtpOptions) -> Result<Self, CaFileError> {
        let tls = OperatorsTls::new(options.tls_ca_file.as_deref())?;
        Ok(Self { from: options.from.clone(), server: options.server.clone(), tls })
    }

    /// Sends a notice to these addresses.
    pub(super) async fn send(&self, notice: &AlertNotice, target: &str) -> Result<(), MailError> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(headline(notice))
            .header(header::ContentType::TEXT_PLAIN)
            // One that is sent again after a crash is known to be the same.
            .message_id(Some(format!("<{}@postrider>", notice.id)));
        for address in addresses(target) {
            message = message.to(Mailbox::new(None, address?));
        }
        let message = message.body(format!("{}\r\n\r\n{}\r\n", notice.body, notice.noted_at.to_rfc3339()))?;
        let mut connection = self.server.connect(&self.tls).await?;
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        connection.abort().await;
        sent?;
        Ok(())
    }
}

/// The addresses of a channel.
fn addresses(target: &str) -> impl Iterator<Item = Result<Address, lettre::address::AddressError>> {
    target.split(',').map(|address| address.trim().parse())
}

/// Whether a text is addresses, separated by commas.
pub fn are_addresses(text: &str) -> bool {
    addresses(text).all(|address| address.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_separated_by_commas() {
        assert!(are_addresses("one@example.com") && are_addresses("one@example.com, two@example.com"));
        for wrong in ["", "nobody", "one@example.com,", "one@example.com two@example.com", "a@b\r\nBcc: c@d"]
        {
            assert!(!are_addresses(wrong), "{wrong}");
        }
    }
}
