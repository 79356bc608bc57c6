//! Alerts by e-mail, over the SMTP server that the operator has set.

use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::store::AlertNotice;

use super::payload::headline;

/// The server answers each command within this time.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// How e-mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// `smtps://user:password@host:465`, `smtp://host:587?tls=required`, `smtp://localhost:25`.
    pub url: SecretString,
    /// Who it is from.
    pub from: Mailbox,
}

/// An e-mail that could not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum MailError {
    #[error("an address cannot be read")]
    Address(#[from] lettre::address::AddressError),
    #[error("the e-mail cannot be written")]
    Message(#[from] lettre::error::Error),
    #[error("the SMTP server did not take it")]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// Sends e-mail.
pub(super) struct Mailer {
    options: SmtpOptions,
}

impl Mailer {
    pub(super) fn new(options: SmtpOptions) -> Self {
        Self { options }
    }

    /// Sends a notice to these addresses.
    pub(super) async fn send(&self, notice: &AlertNotice, target: &str) -> Result<(), MailError> {
        let mut message = Message::builder()
            .from(self.options.from.clone())
            .subject(headline(notice))
            .header(header::ContentType::TEXT_PLAIN)
            // One that is sent again after a crash is known to be the same.
            .message_id(Some(format!("<{}@postrider>", notice.id)));
        for address in addresses(target) {
            message = message.to(Mailbox::new(None, address?));
        }
        let message = message.body(format!("{}\r\n\r\n{}\r\n", notice.body, notice.noted_at.to_rfc3339()))?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(self.options.url.expose_secret())?;
        transport.timeout(Some(COMMAND_TIMEOUT)).build().send(message).await?;
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
