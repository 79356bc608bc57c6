//! The operator's SMTP server: where it is and how it is spoken to, and connections to it. TLS is that of all connections
//! (`send/operators_server.rs`), so that the same certificates are trusted. SMTP is lettre's, except for what comes before the encryption
//! of a connection that begins without it.

use std::borrow::Cow;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use url::Url;

use crate::send::{OperatorsTls, connect_to_operators_server};

use super::MailError;
use super::start_tls::{Started, start_tls};
use super::stream::SmtpStream;

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    Never,
    FromTheStart,
    /// By `STARTTLS`, or nothing is sent.
    Required,
    /// By `STARTTLS`, if the server offers it.
    Opportunistic,
}

/// A server and how it is spoken to. What is shown of it has no password.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    host: String,
    port: u16,
    encryption: Encryption,
    hello: ClientId,
    credentials: Option<Credentials>,
}

impl SmtpServer {
    /// From `smtps://user:password@host:465`, `smtp://host:587?tls=required`, `smtp://host:587?tls=opportunistic` or
    /// `smtp://localhost:25`. A path is the name by which Postrider introduces itself.
    pub fn from_url(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value);
        let (encryption, usual_port) = match (url.scheme(), asked.as_deref()) {
            ("smtps", _) => (Encryption::FromTheStart, 465),
            ("smtp", None) => (Encryption::Never, 25),
            ("smtp", Some("required")) => (Encryption::Required, 587),
            ("smtp", Some("opportunistic")) => (Encryption::Opportunistic, 587),
            _ => return None,
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        let own_name = url.path().trim_matches('/');
        Some(Self {
            // An IPv6 address stands in brackets in a URL alone.
            host: url.host_str()?.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(usual_port),
            encryption,
            hello: if own_name.is_empty() {
                ClientId::default()
            } else {
                ClientId::Domain(own_name.to_owned())
            },
            credentials,
        })
    }

    /// A connection over which e-mail can be sent.
    pub(super) async fn connect(&self, tls: &OperatorsTls) -> Result<AsyncSmtpConnection, MailError> {
        let tcp = connect_to_operators_server(&self.host, self.port).await.map_err(MailError::Unreachable)?;
        let stream: Box<dyn AsyncTokioStream> = match self.encryption {
            Encryption::Never => Box::new(SmtpStream::new(tcp)?),
            Encryption::FromTheStart => self.encrypted(tls, tcp, Vec::new()).await?,
            Encryption::Required | Encryption::Opportunistic => match start_tls(tcp, &self.hello).await? {
                Started::Ready { tcp, greeting } => self.encrypted(tls, tcp, greeting).await?,
                Started::NotOffered { tcp, greeting } if self.encryption == Encryption::Opportunistic => {
                    Box::new(SmtpStream::greeted(tcp, greeting)?)
                }
                Started::NotOffered { .. } => return Err(MailError::Unencrypted),
            },
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await?;
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    async fn encrypted(
        &self,
        tls: &OperatorsTls,
        tcp: TcpStream,
        greeting: Vec<u8>,
    ) -> Result<Box<dyn AsyncTokioStream>, MailError> {
        let stream = tls.encrypt(&self.host, tcp).await.map_err(MailError::Tls)?;
        Ok(Box::new(SmtpStream::greeted(stream, greeting)?))
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_server_is_and_when_a_connection_is_encrypted() {
        let of = |url: &str| SmtpServer::from_url(url).map(|it| (it.host, it.port, it.encryption));
        for (url, host, port, encryption) in [
            ("smtps://user:password@mail.example.com", "mail.example.com", 465, Encryption::FromTheStart),
            ("smtps://[::1]:4650", "::1", 4_650, Encryption::FromTheStart),
            ("smtp://mail.example.com?tls=required", "mail.example.com", 587, Encryption::Required),
            (
                "smtp://mail.example.com:25?tls=opportunistic",
                "mail.example.com",
                25,
                Encryption::Opportunistic,
            ),
            ("smtp://localhost", "localhost", 25, Encryption::Never),
        ] {
            assert_eq!(of(url), Some((host.to_owned(), port, encryption)), "{url}");
        }
        for wrong in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtp://x?tls=maybe",
            "smtps://",
            "smtp://u:%ff@x",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_not_shown_and_a_path_is_a_name() {
        let server = SmtpServer::from_url("smtps://a%40b:p%2fw@mail.example.com/alerts.example.com").unwrap();
        assert_eq!(server.credentials, Some(Credentials::new("a@b".to_owned(), "p/w".to_owned())));
        assert_eq!(server.hello, ClientId::Domain("alerts.example.com".to_owned()));
        assert!(!format!("{server:?}").contains("p/w"), "{server:?}");
    }
}
