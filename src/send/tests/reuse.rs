//! Connections that are used again, and those that must not be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
#[cfg(target_os = "linux")]
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::send::connect::{NEXT_ADDRESS_AFTER, connect_any};

use super::*;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A receiver that answers the requests of each connection with these texts in turn, and closes it after the last.
async fn closing(answers: &'static [&'static [&'static str]]) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let seen = Arc::new(Seen::default());
    let shared = seen.clone();
    tokio::spawn(async move {
        for answers in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            shared.connections.fetch_add(1, Ordering::SeqCst);
            for answer in *answers {
                let Some(request) = read_request(&mut stream).await else { break };
                shared.requests.lock().unwrap().push(request);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url, seen)
}

#[tokio::test]
async fn a_request_that_meets_the_end_of_a_used_connection_goes_once_more_at_once() {
    let (url, seen) = closing(&[&[ANSWER, ""], &[ANSWER]]).await;
    let (sender, endpoint) = (local_sender(PATIENT), endpoint(&url));
    assert_eq!(attempt(&sender, &endpoint).await.failure, None);
    assert_eq!(attempt(&sender, &endpoint).await.failure, None);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 2);
    let requests = seen.requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[1], requests[2], "the same request, under the same id and signature");
}

#[tokio::test]
async fn a_request_goes_once_more_only_once() {
    let (url, seen) = closing(&[&[ANSWER, ""], &[""], &[ANSWER]]).await;
    let (sender, endpoint) = (local_sender(PATIENT), endpoint(&url));
    assert_eq!(attempt(&sender, &endpoint).await.failure, None);
    assert_eq!(attempt(&sender, &endpoint).await.failure, Some(Failure::Connection));
    assert_eq!(seen.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_request_that_fails_on_a_fresh_connection_does_not_go_again() {
    let (url, seen) = closing(&[&[""], &[ANSWER]]).await;
    assert_eq!(attempt(&local_sender(PATIENT), &endpoint(&url)).await.failure, Some(Failure::Connection));
    assert_eq!(seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_whose_answer_had_begun_does_not_go_again() {
    let (url, seen) = closing(&[&[ANSWER, "HTTP/1.1 2"], &[ANSWER]]).await;
    let (sender, endpoint) = (local_sender(PATIENT), endpoint(&url));
    assert_eq!(attempt(&sender, &endpoint).await.failure, None);
    assert_eq!(attempt(&sender, &endpoint).await.failure, Some(Failure::Connection));
    assert_eq!(seen.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_nothing() {
    let (url, seen) = closing(&[&[ANSWER], &[ANSWER], &[ANSWER]]).await;
    let (sender, endpoint) = (local_sender(PATIENT), endpoint(&url));
    for _ in 0..3 {
        assert_eq!(attempt(&sender, &endpoint).await.failure, None);
    }
    assert_eq!(seen.connections.load(Ordering::SeqCst), 3);
}

/// A receiver that closes a connection when it has been idle for a moment, as many servers do after some seconds.
async fn closing_the_idle(idle: Duration) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let seen = Arc::new(Seen::default());
    let shared = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                // A new connection is not idle, however long its first request takes on a busy machine.
                let mut limit = PATIENT;
                while let Ok(Some(_)) = timeout(limit, read_request(&mut stream)).await {
                    stream.write_all(ANSWER.as_bytes()).await.unwrap();
                    limit = idle;
                }
            });
        }
    });
    (url, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_closes_just_as_requests_go_out_costs_no_attempt() {
    let idle = Duration::from_millis(10);
    let (url, seen) = closing_the_idle(idle).await;
    let (sender, endpoint) = (local_sender(PATIENT), endpoint(&url));
    for number in 0..150 {
        let outcome = attempt(&sender, &endpoint).await;
        assert_eq!(outcome.failure, None, "request {number}: {outcome:?}");
        // Around the moment of the close, a little sooner and a little later.
        tokio::time::sleep(idle - Duration::from_millis(2) + Duration::from_micros(number % 50 * 100)).await;
    }
    let connections = seen.connections.load(Ordering::SeqCst);
    println!("150 requests took {connections} connections");
    assert!(connections > 1, "none was closed");
}

fn aged(idle_timeout: Duration, connection_lifetime: Duration) -> Sender {
    let egress = EgressPolicy::new(&["127.0.0.0/8".parse().unwrap()]);
    let options = SenderOptions { idle_timeout, connection_lifetime, egress, ..SenderOptions::default() };
    Sender::new(&options).unwrap()
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        stream.write_all(ANSWER.as_bytes()).await.unwrap();
        let answered = Instant::now();
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
        answered.elapsed()
    });
    let sender = aged(Duration::from_millis(300), PATIENT);
    assert_eq!(attempt(&sender, &endpoint(&url)).await.failure, None);
    let idle = timeout(PATIENT, serving).await.unwrap().unwrap();
    assert!(idle >= Duration::from_millis(250), "{idle:?}");
}

#[tokio::test]
async fn a_connection_has_a_longest_life() {
    let (port, seen) = receiver(ANSWER).await;
    let sender = aged(PATIENT, Duration::from_millis(300));
    let endpoint = endpoint(&format!("http://127.0.0.1:{port}/"));
    let until = Instant::now() + Duration::from_millis(700);
    while Instant::now() < until {
        assert_eq!(attempt(&sender, &endpoint).await.failure, None);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let connections = seen.connections.load(Ordering::SeqCst);
    assert!((2..=4).contains(&connections), "{connections}");
}

#[tokio::test]
async fn an_attempt_that_times_out_closes_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        // The end, or the reset that it is when bytes were on their way.
        while stream.read(&mut [0; 16]).await.is_ok_and(|read| read > 0) {}
    });
    let sender = local_sender(SHORT);
    assert_eq!(attempt(&sender, &endpoint(&url)).await.failure, Some(Failure::Timeout));
    timeout(SHORT, serving).await.expect("the connection ended with the attempt").unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_receiver_has_not_taken_by_the_deadline_is_forgotten() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let endpoint = endpoint(&format!("http://{}/", listener.local_addr().unwrap()));
    let accepting = tokio::spawn(async move { listener.accept().await.unwrap().0 });
    let message = message(vec![b'x'; 4 << 20].leak());
    let signature = sign(&endpoint.keys, message.id, &message.payload, Clock::default().now()).unwrap();
    let outcome = local_sender(SHORT).send(AttemptId::generate(), &endpoint, &message, signature).await;
    assert_eq!(outcome.failure, Some(Failure::Timeout));
    let mut stream = accepting.await.unwrap();
    let error = loop {
        match stream.read(&mut [0; 4096]).await {
            Ok(0) => panic!("the kernel went on to the end"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// A port of 127.0.0.2 (which only Linux has by itself) where nothing is accepted any more, so that a connection is neither made nor refused.
#[cfg(target_os = "linux")]
async fn silent(port: u16) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], port).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        filling.push(stream.unwrap());
    }
    (listener, filling)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_first_address_that_is_silent_costs_a_quarter_of_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _silent = silent(port).await;
    let addresses = ["127.0.0.2", "127.0.0.1"].map(|address| address.parse().unwrap());
    let started = Instant::now();
    let stream = connect_any(&addresses, port).await.unwrap();
    let took = started.elapsed();
    assert_eq!(stream.peer_addr().unwrap().ip(), addresses[1]);
    assert!(took >= NEXT_ADDRESS_AFTER && took < Duration::from_secs(3), "{took:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_deadline_says_what_was_waited_for() {
    let (listener, _filling) = silent(0).await;
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let outcome = attempt(&local_sender(SHORT), &endpoint(&url)).await;
    assert_eq!(outcome.failure, Some(Failure::Timeout));
    assert_eq!(
        outcome.response_body,
        "no connection was made within the deadline: nothing answers at the address"
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (scheme, said) in [
        ("https", "the TLS handshake was not over within the deadline"),
        ("http", "there was no complete answer within the deadline"),
    ] {
        let outcome = attempt(&local_sender(SHORT), &endpoint(&format!("{scheme}://{address}/"))).await;
        assert_eq!(outcome.failure, Some(Failure::Timeout));
        assert_eq!(outcome.response_body, said);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_refuses_costs_no_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let addresses = ["127.0.0.3", "127.0.0.1"].map(|address| address.parse().unwrap());
    assert_eq!(connect_any(&addresses, port).await.unwrap().peer_addr().unwrap().ip(), addresses[1]);
    let error = connect_any(&addresses[..1], port).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
