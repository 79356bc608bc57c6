//! Why an exchange came to nothing.

use std::io;

use super::resolver::ResolveError;

/// What went wrong before or within an exchange.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// HTTP cannot carry the URL or the headers.
    #[error("the request cannot be built")]
    Unsendable,
    /// The name gave no address to go to.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address took a connection.
    #[error("no connection")]
    Connect(#[source] io::Error),
    /// The host is not a name that a certificate can have.
    #[error("not a name for TLS")]
    NoTlsName,
    /// The TLS handshake failed.
    #[error("no TLS")]
    Tls(#[source] io::Error),
    /// HTTP went wrong.
    #[error("no HTTP")]
    Http(#[source] hyper::Error),
    /// What came instead of an HTTP answer, its beginning.
    #[error("not an HTTP answer")]
    NotHttp(Vec<u8>),
    /// The receiver sent more than an exchange may cost.
    #[error("too much")]
    TooMuch,
}
