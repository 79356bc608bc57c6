//! An SMTP server (RFC 5321) that keeps what it gets.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
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
        Self::start_with(Some(Encrypted::FromTheStart(acceptor(issued())))).await
    }

    /// One that begins to speak TLS when it is asked to, with a certificate that says it is an authority.
    pub async fn start_with_start_tls() -> Self {
        Self::start_with(Some(Encrypted::WhenAsked(acceptor(self_signed_authority())))).await
    }

    async fn start_with(encrypted: Option<Encrypted>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = match encrypted {
            None => format!("smtp://{address}"),
            Some(Encrypted::FromTheStart(_)) => format!("smtps://{address}"),
            Some(Encrypted::WhenAsked(_)) => format!("smtp://{address}?tls=required"),
        };
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let kept = mails.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (kept, encrypted) = (kept.clone(), encrypted.clone());
                // A client that goes away half-way, or does not trust the certificate, is its own affair.
                tokio::spawn(async move { drop(serve(stream, encrypted, &kept).await) });
            }
        });
        Self { url, mails }
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

/// When it speaks TLS.
#[derive(Clone)]
enum Encrypted {
    FromTheStart(TlsAcceptor),
    WhenAsked(TlsAcceptor),
}

type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");

fn issued() -> Identity {
    (
        CertificateDer::from_pem_file(format!("{FIXTURES}/database.pem")).unwrap(),
        PrivateKeyDer::from_pem_file(format!("{FIXTURES}/database.key.pem")).unwrap(),
    )
}

fn self_signed_authority() -> Identity {
    let read = |name: &str| std::fs::read(format!("{FIXTURES}/self_signed_authority.{name}")).unwrap();
    (read("der").into(), read("key.der").try_into().unwrap())
}

fn acceptor((certificate, key): Identity) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

const GREETING: &[u8] = b"220 here ESMTP\r\n";

async fn serve(
    mut stream: TcpStream,
    encrypted: Option<Encrypted>,
    kept: &Mutex<Vec<Mail>>,
) -> std::io::Result<()> {
    match encrypted {
        None => {
            stream.write_all(GREETING).await?;
            converse(stream, kept).await
        }
        Some(Encrypted::FromTheStart(acceptor)) => {
            let mut stream = acceptor.accept(stream).await?;
            stream.write_all(GREETING).await?;
            converse(stream, kept).await
        }
        Some(Encrypted::WhenAsked(acceptor)) => {
            stream.write_all(GREETING).await?;
            let mut plain = BufReader::new(stream);
            let mut said = String::new();
            plain.read_line(&mut said).await?;
            plain.write_all(b"250-here\r\n250 STARTTLS\r\n").await?;
            plain.read_line(&mut said).await?;
            assert!(said.ends_with("\r\nSTARTTLS\r\n"), "{said}");
            plain.write_all(b"220 go on\r\n").await?;
            converse(acceptor.accept(plain.into_inner()).await?, kept).await
        }
    }
}

/// What is said after the greeting, or after the encryption began.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    kept: &Mutex<Vec<Mail>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
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
