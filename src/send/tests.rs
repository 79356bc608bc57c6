//! Real sockets: a receiver of a few lines for each way in which one can misbehave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::domain::delivery::attempt::RESPONSE_KEPT_BYTES;
use crate::domain::endpoint::custom_header;
use crate::domain::endpoint::filter::Filter;
use crate::domain::endpoint::secret::{SigningKey, SigningSecret};
use crate::domain::id::{ApplicationId, EndpointId, MessageId};
use crate::domain::policy::EffectivePolicy;
use crate::sign::{sign, verify};

use super::*;

/// Long enough that only what never ends runs into it.
pub(super) const PATIENT: Duration = Duration::from_secs(30);
/// For receivers that never end.
pub(super) const SHORT: Duration = Duration::from_secs(1);

pub(super) fn sender(request_timeout: Duration, subnets: &[&str]) -> Sender {
    sender_trusting(request_timeout, subnets, &[])
}

pub(super) fn sender_trusting(
    request_timeout: Duration,
    subnets: &[&str],
    roots: &[CertificateDer<'static>],
) -> Sender {
    let allowed: Vec<_> = subnets.iter().map(|subnet| subnet.parse().unwrap()).collect();
    let egress = EgressPolicy::new(&allowed);
    let options = SenderOptions { longest_timeout: request_timeout, egress, ..SenderOptions::default() };
    Sender::trusting(&options, roots.to_vec()).unwrap()
}

pub(super) fn local_sender(request_timeout: Duration) -> Sender {
    sender(request_timeout, &["127.0.0.0/8"])
}

pub(super) fn endpoint(url: &str) -> Endpoint {
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

pub(super) fn message(payload: &'static [u8]) -> Message {
    Message {
        id: MessageId::generate(),
        application_id: ApplicationId::generate(),
        event_type: "test".to_owned(),
        event_id: None,
        channels: Vec::new(),
        tags: Vec::new(),
        payload: Bytes::from_static(payload),
    }
}

pub(super) async fn attempt(sender: &Sender, endpoint: &Endpoint) -> AttemptOutcome {
    let message = message(br#"{"a":1}"#);
    let signature = sign(&endpoint.keys, message.id, &message.payload, Clock::default().now()).unwrap();
    sender.send(endpoint, &message, signature).await
}

/// Reads one request; `None` when the connection ended instead.
pub(super) async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
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
pub(super) struct Seen {
    pub(super) connections: AtomicUsize,
    pub(super) requests: Mutex<Vec<(String, Vec<u8>)>>,
}

/// A receiver that answers every request with `answer` and keeps the connection open.
pub(super) async fn receiver(answer: &'static str) -> (u16, Arc<Seen>) {
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

/// A receiver that answers one request with `head`, then with `chunk` over and over, until the other side ends it.
async fn endless(head: &'static str, chunk: Vec<u8>, pause: Duration) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(&chunk).await.is_ok() {
            tokio::time::sleep(pause).await;
        }
    });
    (port, serving)
}

#[tokio::test]
async fn the_bytes_arrive_unchanged_with_a_signature_and_the_endpoints_headers() {
    let (port, seen) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nserver: x\r\n\r\nok").await;
    let secret = SigningSecret::generate();
    let mut endpoint = endpoint(&format!("http://127.0.0.1:{port}/hook?a=b"));
    endpoint.keys = vec![SigningKey { material: secret.key(), expires_at: None }];
    let own = [("authorization", "Bearer x"), ("webhook-id", "forged"), ("connection", "close")]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    endpoint.headers = custom_header::of_requests(own.into_iter().collect());
    let message = message(br#"{"b": 1,"a":1e400, "a":"\ud800"}"#);
    let now = Clock::default().now();
    let signature = sign(&endpoint.keys, message.id, &message.payload, now).unwrap();
    let outcome = local_sender(PATIENT).send(&endpoint, &message, signature).await;

    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)));
    assert_eq!(outcome.response_body, "ok");
    let kept =
        [("content-length", "2"), ("server", "x")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(outcome.response_headers, kept);
    assert!(outcome.duration > Duration::ZERO);
    let requests = seen.requests.lock().unwrap();
    let (head, body) = &requests[0];
    assert_eq!(message.payload, body);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /hook?a=b HTTP/1.1"));
    let headers: HeaderMap = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["authorization"], "Bearer x");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("Postrider/"));
    assert_eq!(headers.get_all("webhook-id").iter().collect::<Vec<_>>(), [message.id.to_string().as_str()]);
    assert!(!headers.contains_key("connection"));
    verify::verify_headers(&secret.to_text(), &headers, body, now, Some(verify::TOLERANCE)).unwrap();
}

#[tokio::test]
async fn a_receiver_that_never_answers_meets_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let outcome = attempt(&local_sender(SHORT), &endpoint(&url)).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Timeout), None));
    assert!(outcome.duration >= SHORT);
}

#[tokio::test]
async fn a_body_that_drips_meets_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let (port, _) = endless(head, b"1\r\nx\r\n".to_vec(), Duration::from_millis(20)).await;
    let outcome = attempt(&local_sender(SHORT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Timeout), Some(200)));
    assert!(outcome.response_body.starts_with(b"x"));
}

#[tokio::test]
async fn a_failing_status_stays_what_it_is_when_its_body_never_ends() {
    let head = "HTTP/1.1 429 Slow\r\nretry-after: 7\r\ntransfer-encoding: chunked\r\n\r\n";
    let (port, _) = endless(head, b"1\r\nx\r\n".to_vec(), Duration::from_millis(20)).await;
    let outcome = attempt(&local_sender(SHORT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Overloaded), Some(429)));
    assert_eq!(outcome.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn an_oversized_body_is_cut_off() {
    let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
    for head in [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
    ] {
        let (port, serving) = endless(head, chunk.clone(), Duration::ZERO).await;
        let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(outcome.failure, None);
        assert_eq!(outcome.response_body.len(), RESPONSE_KEPT_BYTES);
        // It ends only when its connection is ended.
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (port, seen) = receiver("HTTP/1.1 307 T\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n").await;
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Redirect), Some(307)));
    assert!(outcome.response_headers.contains(&("location".to_owned(), "/other".to_owned())));
    assert_eq!(seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_failure() {
    for answer in
        ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", "garbage\r\n\r\n"]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let outcome = attempt(&local_sender(PATIENT), &endpoint(&url)).await;
        assert_eq!(outcome.failure, Some(Failure::Connection), "{answer:?}");
        assert_eq!(outcome.http_status.is_some(), answer.contains("short"));
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_port_that_nothing_listens_on_is_a_failed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&url)).await;
    assert_eq!(outcome.failure, Some(Failure::Connection));
    assert_eq!(outcome.response_body, "the connection was refused");
}

#[tokio::test]
async fn loopback_is_refused_by_every_spelling_and_by_name() {
    let (port, seen) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let closed = sender(PATIENT, &[]);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "0", "localhost"] {
        let outcome = attempt(&closed, &endpoint(&format!("http://{host}:{port}/"))).await;
        assert_eq!(outcome.failure, Some(Failure::EgressRefused), "{host}");
        assert_eq!(outcome.response_body, "the address is not allowed by the egress policy");
    }
    assert_eq!(seen.connections.load(Ordering::SeqCst), 0);

    // The proof that each of them would have arrived.
    let open = sender(PATIENT, &["127.0.0.0/8", "0.0.0.0/32"]);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "0", "localhost"] {
        assert_eq!(
            attempt(&open, &endpoint(&format!("http://{host}:{port}/"))).await.failure,
            None,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_dns_failure() {
    let outcome = attempt(&sender(PATIENT, &[]), &endpoint("http://nothing.invalid/")).await;
    assert_eq!(outcome.failure, Some(Failure::Dns));
    assert_eq!(outcome.response_body, "the name could not be resolved");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n";
    let answer: &'static str = Box::leak(format!("{ANSWER}{}", "x".repeat(20_000)).into_boxed_str());
    let (port, seen) = receiver(answer).await;
    let sender = local_sender(PATIENT);
    for _ in 0..3 {
        let outcome = attempt(&sender, &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(outcome.response_body.len(), RESPONSE_KEPT_BYTES);
    }
    assert_eq!(seen.requests.lock().unwrap().len(), 3);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

/// A certificate and its key, DER.
pub(super) struct Identity {
    pub(super) certificate: &'static [u8],
    pub(super) key: &'static [u8],
}

pub(super) const SELF_SIGNED: Identity = Identity {
    certificate: include_bytes!("../../tests/fixtures/tls/self_signed.der"),
    key: include_bytes!("../../tests/fixtures/tls/self_signed.key.der"),
};

/// A receiver that speaks TLS with a certificate of its own, for one connection.
pub(super) fn tls_receiver(identity: &Identity) -> (u16, std::thread::JoinHandle<()>) {
    use std::io::{Read, Write};
    install_tls_provider();
    let (certificate, key) = (identity.certificate, identity.key);
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key.try_into().unwrap())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, socket);
        // A client that does not trust us goes away here.
        if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (port, serving)
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_a_tls_failure() {
    let (port, serving) = tls_receiver(&SELF_SIGNED);
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("https://127.0.0.1:{port}/"))).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    assert_eq!(
        outcome.response_body,
        "the certificate is not from an authority that is trusted here: it was issued by self-signed test receiver"
    );
    serving.join().unwrap();
}

#[tokio::test]
async fn a_certificate_is_good_for_its_own_name_alone() {
    let roots = [CertificateDer::from(SELF_SIGNED.certificate)];
    let sender = sender_trusting(PATIENT, &["127.0.0.0/8"], &roots);
    let (port, serving) = tls_receiver(&SELF_SIGNED);
    let outcome = attempt(&sender, &endpoint(&format!("https://localhost:{port}/"))).await;
    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)));
    serving.join().unwrap();

    // The same receiver by a spelling that its certificate does not carry.
    let (port, serving) = tls_receiver(&SELF_SIGNED);
    let outcome = attempt(&sender, &endpoint(&format!("https://[::ffff:127.0.0.1]:{port}/"))).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    assert_eq!(outcome.response_body, "the certificate is for another name: it is for localhost, 127.0.0.1");
    serving.join().unwrap();
}

#[tokio::test]
async fn plain_http_on_an_https_port_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    });
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&url)).await;
    assert_eq!(outcome.failure, Some(Failure::Tls));
    serving.await.unwrap();
}

#[tokio::test]
async fn http_2_and_http_1_are_offered_on_tls() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let serving = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            acceptor.read_tls(&mut socket).unwrap();
            if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error).unwrap() {
                let hello = accepted.client_hello();
                let offered: Vec<Vec<u8>> = hello.alpn().unwrap().map(<[u8]>::to_vec).collect();
                return (offered, hello.server_name().map(str::to_owned));
            }
        }
    });
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&url)).await;
    assert_eq!(outcome.failure, Some(Failure::Connection));
    let (offered, name) = serving.join().unwrap();
    assert_eq!(offered, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(name.as_deref(), Some("localhost"));
}
