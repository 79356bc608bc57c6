//! Attempts over real sockets: a receiver of a few lines for each way in which one can misbehave.

mod answers;
mod compressed;
mod http2;
mod outcomes;
mod reuse;
mod tls;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::domain::endpoint::custom_header;
use crate::domain::endpoint::filter::Filter;
use crate::domain::endpoint::secret::{SigningKey, SigningSecret};
use crate::domain::id::{ApplicationId, EndpointId, MessageId};
use crate::domain::policy::EffectivePolicy;
use crate::sign::sign;

use super::*;

/// Long enough that only what never ends runs into it.
const PATIENT: Duration = Duration::from_secs(30);
/// For receivers that never end.
const SHORT: Duration = Duration::from_secs(1);

fn sender(request_timeout: Duration, subnets: &[&str]) -> Sender {
    sender_trusting(request_timeout, subnets, &[])
}

fn sender_trusting(request_timeout: Duration, subnets: &[&str], roots: &[CertificateDer<'static>]) -> Sender {
    let allowed: Vec<_> = subnets.iter().map(|subnet| subnet.parse().unwrap()).collect();
    let egress = EgressPolicy::new(&allowed);
    let options = SenderOptions { longest_timeout: request_timeout, egress, ..SenderOptions::default() };
    Sender::trusting(&options, roots.to_vec()).unwrap()
}

fn local_sender(request_timeout: Duration) -> Sender {
    sender(request_timeout, &["127.0.0.0/8"])
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint {
        id: EndpointId::generate(),
        application_id: ApplicationId::generate(),
        config_version: 0,
        url: Url::parse(url).unwrap(),
        filter: Filter::default(),
        keys: vec![SigningKey { material: SigningSecret::generate().key(), expires_at: None }],
        headers: custom_header::of_requests(HeaderMap::new()),
        policy: EffectivePolicy::default(),
        closed: false,
        just_opened: false,
    }
}

fn message(payload: &'static [u8]) -> Message {
    Message {
        id: MessageId::generate(),
        application_id: ApplicationId::generate(),
        event_type: "test".to_owned(),
        event_id: None,
        channels: Vec::new(),
        tags: Vec::new(),
        payload: Bytes::from_static(payload),
        headers: HeaderMap::new(),
        trace: None,
    }
}

async fn attempt(sender: &Sender, endpoint: &Endpoint) -> AttemptOutcome {
    let message = message(br#"{"a":1}"#);
    let signature = sign(&endpoint.keys, message.id, &message.payload, Clock::default().now()).unwrap();
    sender.send(AttemptId::generate(), endpoint, &message, signature).await
}

/// Reads one request; `None` when the connection ended instead.
async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(read[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap().parse().unwrap();
            let mut body = read.split_off(end + 4);
            let have = body.len();
            body.resize(length, 0);
            stream.read_exact(&mut body[have..]).await.ok()?;
            return Some((head, body));
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

/// What a receiver saw.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<(String, Vec<u8>)>>,
}

/// A receiver that answers every request with `answer` and keeps the connection open.
async fn receiver(answer: &'static str) -> (u16, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                while let Some(request) = read_request(&mut stream).await {
                    shared.requests.lock().unwrap().push(request);
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (port, seen)
}

/// A certificate and its key, DER.
struct Identity {
    certificate: &'static [u8],
    key: &'static [u8],
}

const SELF_SIGNED: Identity = Identity {
    certificate: include_bytes!("../../../tests/fixtures/tls/self_signed.der"),
    key: include_bytes!("../../../tests/fixtures/tls/self_signed.key.der"),
};

/// A receiver that speaks TLS with a certificate of its own, for one connection.
fn tls_receiver(identity: &Identity) -> (u16, std::thread::JoinHandle<()>) {
    tls_receiver_answering(identity, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// The same with this answer. It closes the connection without saying so in TLS.
fn tls_receiver_answering(identity: &Identity, answer: &'static str) -> (u16, std::thread::JoinHandle<()>) {
    tls_receiver_with(identity, &[], answer)
}

/// The same, and these certificates come along with its own.
fn tls_receiver_with(
    identity: &Identity,
    along: &[CertificateDer<'static>],
    answer: &'static str,
) -> (u16, std::thread::JoinHandle<()>) {
    use std::io::{Read, Write};
    install_tls_provider();
    let chain = [&[CertificateDer::from(identity.certificate)], along].concat();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, identity.key.try_into().unwrap())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        // A client that does not trust us goes away here.
        if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
            stream.write_all(answer.as_bytes()).unwrap();
            stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
            // What was not read by the end would break the connection instead.
            stream.sock.read_to_end(&mut Vec::new()).ok();
        }
    });
    (port, serving)
}
