//! Alerts by e-mail, over the SMTP server that the operator has set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::send::{CaFileError, certificates_in};
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
    /// Authorities that are trusted along with the machine's.
    pub tls_ca_file: Option<PathBuf>,
}

/// Why no e-mail can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum SmtpOptionsError {
    /// What is not a URL of an SMTP server.
    #[error("smtp_url cannot be read")]
    Url(#[from] url::ParseError),
    /// The operator's authorities.
    #[error(transparent)]
    Authorities(#[from] CaFileError),
    /// What the client says to both.
    #[error("smtp_url or the certificates in tls_ca_file cannot be used")]
    Smtp(#[from] lettre::transport::smtp::Error),
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

/// Sends e-mail, over a connection for each.
pub(super) struct Mailer {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Mailer {
    pub(super) fn new(options: &SmtpOptions) -> Result<Self, SmtpOptionsError> {
        let url = options.url.expose_secret();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(COMMAND_TIMEOUT));
        if let Some(file) = &options.tls_ca_file {
            builder = builder.tls(tls(&Url::parse(url)?, file)?);
        }
        Ok(Self { from: options.from.clone(), transport: builder.build() })
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
        self.transport.send(message).await?;
        Ok(())
    }
}

/// TLS as the URL asks for it, with the authorities in the file besides the machine's.
fn tls(url: &Url, file: &Path) -> Result<Tls, SmtpOptionsError> {
    let asked = url.query_pairs().find(|(name, _)| name == "tls");
    let mode = match (url.scheme(), asked.as_ref().map(|(_, value)| value.as_ref())) {
        ("smtps", _) => Tls::Wrapper,
        (_, Some("required")) => Tls::Required,
        (_, Some("opportunistic")) => Tls::Opportunistic,
        _ => return Ok(Tls::None),
    };
    let mut parameters = TlsParameters::builder(url.host_str().unwrap_or_default().to_owned());
    for certificate in certificates_in(file)? {
        parameters = parameters.add_root_certificate(Certificate::from_der(certificate.to_vec())?);
    }
    Ok(mode(parameters.build()?))
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

    fn mailer(url: &str, file: Option<&str>) -> Result<Mailer, SmtpOptionsError> {
        let fixture = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
        let from = "alerts@example.com".parse().unwrap();
        Mailer::new(&SmtpOptions { url: url.into(), from, tls_ca_file: file.map(fixture) })
    }

    #[test]
    fn authorities_are_for_connections_that_are_encrypted_and_a_file_without_any_is_named() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/database_authority.pem");
        let of = |url: &str| format!("{:?}", tls(&url.parse().unwrap(), &file).unwrap());
        for (url, mode) in [
            ("smtps://user:password@mail.example.com", "Wrapper"),
            ("smtp://mail.example.com:587?tls=required", "Required"),
            ("smtp://mail.example.com?tls=opportunistic", "Opportunistic"),
            ("smtp://localhost:25", "None"),
        ] {
            assert_eq!(of(url), mode, "{url}");
        }
        let refused = mailer("smtps://mail.example.com", Some("self_signed.der")).err().unwrap();
        assert!(refused.to_string().contains("self_signed.der has no certificate"), "{refused}");
    }

    #[test]
    fn addresses_are_separated_by_commas() {
        assert!(are_addresses("one@example.com") && are_addresses("one@example.com, two@example.com"));
        for wrong in ["", "nobody", "one@example.com,", "one@example.com two@example.com", "a@b\r\nBcc: c@d"]
        {
            assert!(!are_addresses(wrong), "{wrong}");
        }
    }
}
