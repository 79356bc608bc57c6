//! Connections to servers of the operator's own that are spoken to in another way than HTTP: they are trusted as receivers are, and
//! the egress policy has no say in where they are.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::classify::handshake_sentence;
use super::tls::{CaFileError, operators_connector};

/// A connection is there within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that is encrypted.
pub type EncryptedStream = TlsStream<TcpStream>;

/// Encrypts connections to the operator's servers.
pub struct OperatorsTls(TlsConnector);

impl OperatorsTls {
    /// The certificates in this file are trusted along with the machine's.
    ///
    /// # Errors
    /// When the file has none, or cannot be read.
    pub fn new(file: Option<&Path>) -> Result<Self, CaFileError> {
        Ok(Self(operators_connector(file)?))
    }

    /// Encrypts a connection to the server of this name or address.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub async fn encrypt(&self, host: &str, stream: TcpStream) -> Result<EncryptedStream, Cow<'static, str>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| "the host is not a name that a certificate can be for")?;
        self.0.connect(name, stream).await.map_err(|error| handshake_sentence(&error))
    }
}

/// Connects to the operator's server at this name or address.
///
/// # Errors
/// As the system says, or when it takes too long.
pub async fn connect_to_operators_server(host: &str, port: u16) -> io::Result<TcpStream> {
    timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await?
}
