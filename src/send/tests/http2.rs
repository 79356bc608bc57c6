//! Receivers that speak HTTP/2.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use crate::sign::sign;

use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// What every HTTP/2 client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a request is answered with.
#[derive(Clone, Copy)]
enum Reply {
    /// A head that is the whole answer.
    Ok,
    /// The connection ends; the last request that was seen is the one before.
    GoAway,
    /// The stream was not looked at, and the connection goes on.
    Refused,
}

type Tls = rustls::StreamOwned<rustls::ServerConnection, TcpStream>;

struct Receiver {
    url: String,
    /// How many bytes each request had.
    serving: JoinHandle<Vec<usize>>,
}

/// Accepts a connection for each of these, and answers the requests on it so.
fn receiver(connections: Vec<Vec<Reply>>) -> Receiver {
    let config = server_config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
    let serving = std::thread::spawn(move || {
        connections
            .into_iter()
            .flat_map(|replies| {
                let (socket, _) = listener.accept().unwrap();
                let connection = rustls::ServerConnection::new(config.clone()).unwrap();
                serve(&mut Tls::new(connection, socket), &replies)
            })
            .collect()
    });
    Receiver { url, serving }
}

fn server_config() -> Arc<rustls::ServerConfig> {
    install_tls_provider();
    let Identity { certificate, key } = SELF_SIGNED;
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key.try_into().unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn serve(tls: &mut Tls, replies: &[Reply]) -> Vec<usize> {
    let mut preface = [0; PREFACE.len()];
    tls.read_exact(&mut preface).unwrap();
    tls.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    let mut sizes = Vec::new();
    for reply in replies {
        let Some((stream, size)) = read_request(tls) else { break };
        sizes.push(size);
        let answer = match reply {
            Reply::Ok => frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88]),
            Reply::GoAway => frame(GOAWAY, 0, 0, &[0, 0, 0, u8::try_from(stream - 2).unwrap(), 0, 0, 0, 0]),
            Reply::Refused => frame(RST_STREAM, 0, stream, &[0, 0, 0, 7]),
        };
        tls.write_all(&answer).unwrap();
        if matches!(reply, Reply::GoAway) {
            break;
        }
    }
    tls.conn.send_close_notify();
    tls.flush().ok();
    sizes
}

/// The next whole request: its stream and the size of its body.
fn read_request(tls: &mut Tls) -> Option<(u32, usize)> {
    let mut size = 0;
    loop {
        let (kind, flags, stream, length) = read_frame(tls)?;
        if kind == SETTINGS && flags & ACK == 0 {
            tls.write_all(&frame(SETTINGS, ACK, 0, &[])).unwrap();
        }
        if kind == DATA {
            size += length as usize;
            if length > 0 {
                tls.write_all(&frame(WINDOW_UPDATE, 0, 0, &length.to_be_bytes())).unwrap();
                tls.write_all(&frame(WINDOW_UPDATE, 0, stream, &length.to_be_bytes())).unwrap();
            }
            if flags & END_STREAM != 0 {
                return Some((stream, size));
            }
        }
    }
}

/// The next frame: its kind, flags, stream and length.
fn read_frame(tls: &mut Tls) -> Option<(u8, u8, u32, u32)> {
    let mut head = [0; 9];
    tls.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    tls.read_exact(&mut vec![0; length as usize]).ok()?;
    Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), length))
}

fn sender() -> Sender {
    sender_trusting(PATIENT, &["127.0.0.0/8"], &[CertificateDer::from(SELF_SIGNED.certificate)])
}

#[tokio::test]
async fn a_connection_is_used_for_one_exchange_after_another() {
    let receiver = receiver(vec![vec![Reply::Ok; 3]]);
    let (sender, endpoint) = (sender(), endpoint(&receiver.url));
    for _ in 0..3 {
        let outcome = attempt(&sender, &endpoint).await;
        assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{outcome:?}");
    }
    drop(sender);
    assert_eq!(receiver.serving.join().unwrap(), [7; 3]);
}

#[tokio::test]
async fn a_large_payload_arrives_whole() {
    const BYTES: usize = 1_000_000;
    let receiver = receiver(vec![vec![Reply::Ok]]);
    let endpoint = endpoint(&receiver.url);
    let message = message(vec![b'x'; BYTES].leak());
    let signature = sign(&endpoint.keys, message.id, &message.payload, Clock::default().now()).unwrap();
    let outcome = sender().send(AttemptId::generate(), &endpoint, &message, signature).await;
    assert_eq!(outcome.failure, None, "{outcome:?}");
    assert_eq!(receiver.serving.join().unwrap(), [BYTES]);
}

#[tokio::test]
async fn a_request_that_was_not_looked_at_goes_once_more_over_a_fresh_connection() {
    for reply in [Reply::GoAway, Reply::Refused] {
        let receiver = receiver(vec![vec![Reply::Ok, reply], vec![Reply::Ok]]);
        let (sender, endpoint) = (sender(), endpoint(&receiver.url));
        for _ in 0..2 {
            let outcome = attempt(&sender, &endpoint).await;
            assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{outcome:?}");
        }
        drop(sender);
        assert_eq!(receiver.serving.join().unwrap(), [7; 3]);
    }
}

#[tokio::test]
async fn requests_side_by_side_have_a_connection_each() {
    let receiver = receiver(vec![vec![Reply::Ok], vec![Reply::Ok]]);
    let (sender, endpoint) = (sender(), endpoint(&receiver.url));
    // The second is accepted only when the first is over; both wait in the kernel until then.
    let (one, other) = tokio::join!(attempt(&sender, &endpoint), attempt(&sender, &endpoint));
    assert_eq!((one.failure, other.failure), (None, None));
    drop(sender);
    assert_eq!(receiver.serving.join().unwrap(), [7; 2]);
}

/// A receiver that gives a request no window for its body, and answers it all the same. It says how many requests each
/// connection had.
fn receiver_that_takes_nothing(requests: usize) -> (String, JoinHandle<Vec<usize>>) {
    let config = server_config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
    let serving = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while seen.iter().sum::<usize>() < requests {
            let (socket, _) = listener.accept().unwrap();
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = Tls::new(connection, socket);
            tls.read_exact(&mut [0; PREFACE.len()]).unwrap();
            tls.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).unwrap();
            let mut answered = 0;
            while let Some((kind, _, stream, _)) = read_frame(&mut tls) {
                let answer = frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88]);
                if kind == HEADERS && tls.write_all(&answer).is_ok() {
                    answered += 1;
                }
            }
            seen.push(answered);
        }
        seen
    });
    (url, serving)
}

#[tokio::test]
async fn an_answer_to_a_request_that_was_not_taken_ends_its_connection() {
    let (url, serving) = receiver_that_takes_nothing(3);
    let (sender, endpoint) = (sender(), endpoint(&url));
    for _ in 0..3 {
        let message = message(vec![b'x'; 200_000].leak());
        let signature = sign(&endpoint.keys, message.id, &message.payload, Clock::default().now()).unwrap();
        let outcome = sender.send(AttemptId::generate(), &endpoint, &message, signature).await;
        assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)), "{outcome:?}");
    }
    drop(sender);
    // Its last connection ends on this thread.
    let seen = tokio::task::spawn_blocking(|| serving.join().unwrap()).await.unwrap();
    assert_eq!(seen, [1; 3]);
}
