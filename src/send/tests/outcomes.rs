//! What attempts come to: success, deadlines, bounds, refused addresses, broken connections.

use std::sync::atomic::Ordering;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::domain::delivery::attempt::RESPONSE_KEPT_BYTES;
use crate::domain::endpoint::custom_header;
use crate::domain::endpoint::secret::{SigningKey, SigningSecret};
use crate::sign::{sign, verify};

use super::*;

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
    let outcome = local_sender(PATIENT).send(AttemptId::generate(), &endpoint, &message, signature).await;

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
    let said = b"there was no complete answer within the deadline; it began with:\nx";
    assert!(outcome.response_body.starts_with(said), "{:?}", outcome.response_body);
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
        let said = String::from_utf8_lossy(&outcome.response_body);
        assert!(said.starts_with("the address is not allowed by the egress policy"), "{said}");
        assert!(said.contains("`allow_subnets`"), "it says what an operator can do: {said}");
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
