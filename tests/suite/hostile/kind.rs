//! A receiver that does one hostile thing to everyone who connects, on threads of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::Elsewhere;

/// What a receiver does with a connection, once something has come over it.
#[derive(Clone, Default)]
pub struct Kind {
    pub name: &'static str,
    /// It speaks TLS and chooses HTTP/2.
    pub http2: bool,
    /// It is reached by https, whatever it speaks.
    pub https: bool,
    /// It does not wait for the request.
    pub at_once: bool,
    /// What it sends first.
    pub first: Vec<u8>,
    /// What it sends then, over and over; when there is nothing, it waits.
    pub then: Vec<u8>,
    /// How long it waits each time.
    pub pause: Duration,
    /// It closes after the first.
    pub closes: bool,
    /// It resets after the first.
    pub resets: bool,
}

/// A running one.
pub struct Hostile {
    pub url: String,
    open: Arc<AtomicUsize>,
    met: Arc<AtomicUsize>,
    _threads: Elsewhere,
}

impl Hostile {
    pub fn start(kind: Kind) -> Self {
        let threads = Elsewhere::start(1);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (open, met) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let url = url(&kind, address);
        let (opened, counted) = (open.clone(), met.clone());
        threads.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let acceptor = acceptor();
            while let Ok((tcp, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                counted.fetch_add(1, Ordering::SeqCst);
                let (opened, kind, acceptor) = (opened.clone(), kind.clone(), acceptor.clone());
                tokio::spawn(async move {
                    meet(&kind, tcp, acceptor).await;
                    opened.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, open, met, _threads: threads }
    }

    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub fn was_met(&self) -> bool {
        self.met.load(Ordering::SeqCst) > 0
    }
}

fn url(kind: &Kind, address: SocketAddr) -> String {
    if kind.https || kind.http2 {
        format!("https://localhost:{}/", address.port())
    } else {
        format!("http://{address}/")
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = include_bytes!("../../fixtures/tls/self_signed_authority.der").as_slice();
    let key = include_bytes!("../../fixtures/tls/self_signed_authority.key.der").as_slice();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key.try_into().unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn meet(kind: &Kind, tcp: TcpStream, acceptor: TlsAcceptor) {
    if kind.resets {
        tcp.set_zero_linger().unwrap();
    }
    if !kind.http2 {
        return harm(kind, tcp).await;
    }
    if let Ok(tls) = acceptor.accept(tcp).await {
        harm(kind, tls).await;
    }
}

async fn harm(kind: &Kind, stream: impl AsyncRead + AsyncWrite) {
    let (mut from, mut to) = tokio::io::split(stream);
    let mut come = vec![0; 16 * 1024];
    if !kind.at_once && from.read(&mut come).await.unwrap_or(0) == 0 {
        return;
    }
    let send = async {
        to.write_all(&kind.first).await?;
        to.flush().await?;
        if kind.closes || kind.resets {
            return Ok(());
        }
        if kind.then.is_empty() {
            std::future::pending::<()>().await;
        }
        loop {
            to.write_all(&kind.then).await?;
            to.flush().await?;
            tokio::time::sleep(kind.pause).await;
        }
        #[expect(unreachable_code, reason = "it says what kind of error ends the loop")]
        Ok::<(), std::io::Error>(())
    };
    let read = async { while from.read(&mut come).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        _ = send => {}
        () = read => {}
    }
}
