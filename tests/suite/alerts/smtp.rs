//! An SMTP server (RFC 5321) that keeps what it gets.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An e-mail as it came.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// Its head and its body.
    pub text: String,
}

impl Mail {
    /// A header, unfolded.
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.text.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let found = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_default().to_owned()
    }
}

/// The server.
pub struct SmtpServer {
    pub url: String,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl SmtpServer {
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that speaks TLS from the first byte, with a certificate that `database_authority.pem` has issued.
    pub async fn start_encrypted() -> Self {
        Self::start_with(Some(acceptor())).await
    }

    async fn start_with(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if acceptor.is_some() { "smtps" } else { "smtp" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let kept = mails.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, acceptor) = (kept.clone(), acceptor.clone());
                // A client that goes away half-way, or does not trust the certificate, is its own affair.
                tokio::spawn(async move {
                    match acceptor {
                        None => drop(serve(stream, &kept).await),
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                drop(serve(stream, &kept).await);
                            }
                        }
                    }
                });
            }
        });
        Self { url, mails }
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

fn acceptor() -> TlsAcceptor {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let certificate = CertificateDer::from_pem_file(format!("{folder}/database.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{folder}/database.key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, kept: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here ESMTP\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" | "NOOP" => "250 here",
            "MAIL" => {
                from = address();
                "250 ok"
            }
            "RCPT" => {
                to.push(address());
                "250 ok"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let text = data(&mut stream).await?;
                kept.lock().unwrap().push(Mail { from: from.clone(), to: std::mem::take(&mut to), text });
                "250 kept"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => "502 unknown",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn data(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        // A dot at the beginning was doubled.
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
