//! What is said of answers that are not as they should be.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;

/// What an attempt came to at a receiver that sends `first`, then `then` over and over.
async fn outcome_of(first: Vec<u8>, then: Vec<u8>, timeout: Duration) -> AttemptOutcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        if stream.write_all(&first).await.is_err() || then.is_empty() {
            return;
        }
        while stream.write_all(&then).await.is_ok() {}
    });
    let outcome = attempt(&local_sender(timeout), &endpoint(&url)).await;
    // It ends only when its connection is ended.
    tokio::time::timeout(PATIENT, serving).await.expect("the connection was closed").unwrap();
    outcome
}

fn text(outcome: &AttemptOutcome) -> String {
    String::from_utf8(outcome.response_body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_shown() {
    let outcome = outcome_of(b"SSH-2.0-OpenSSH_9.6\r\n\xff\n".to_vec(), Vec::new(), PATIENT).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Connection), None));
    assert_eq!(text(&outcome), r#"the answer is not HTTP; it begins with "SSH-2.0-OpenSSH_9.6\r\n\xff\n""#);
}

#[tokio::test]
async fn too_many_headers_are_said_to_be_too_many() {
    let mut head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n".to_vec();
    for number in 0..120 {
        head.extend_from_slice(format!("x-{number}: 1\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    let outcome = outcome_of(head, Vec::new(), PATIENT).await;
    assert_eq!(outcome.failure, Some(Failure::Connection));
    assert_eq!(text(&outcome), "the answer has more than 100 headers, or more than 32 KiB of them");
}

#[tokio::test]
async fn informational_answers_without_end_are_cut_off() {
    for one in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"] {
        let outcome = outcome_of(Vec::new(), one.repeat(1000).into_bytes(), PATIENT).await;
        assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Connection), None));
        assert_eq!(
            text(&outcome),
            "the receiver sent too much before its answer was complete, and was cut off"
        );
        assert!(outcome.duration < SHORT * 5, "{:?}", outcome.duration);
    }
}

#[tokio::test]
async fn some_informational_answers_are_read_over() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let outcome = outcome_of(answer.into(), Vec::new(), PATIENT).await;
    assert_eq!((outcome.failure, outcome.http_status), (None, Some(200)));
}

#[tokio::test]
async fn headers_and_trailers_without_end_are_cut_off() {
    let lines = b"x-a: b\r\n".repeat(1000);
    let outcome = outcome_of(b"HTTP/1.1 200 OK\r\n".to_vec(), lines.clone(), PATIENT).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Connection), None));
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n".to_vec();
    let outcome = outcome_of(chunked, lines, PATIENT).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Connection), Some(200)));
}

#[tokio::test]
async fn a_body_in_tiny_parts_is_cut_off_and_counts_as_what_its_status_says() {
    for (status, failure) in [(200, None), (500, Some(Failure::Status))] {
        let head = format!("HTTP/1.1 {status} X\r\ntransfer-encoding: chunked\r\n\r\n");
        let outcome = outcome_of(head.into(), b"1\r\nx\r\n".repeat(1000), PATIENT).await;
        assert_eq!((outcome.failure, outcome.http_status), (failure, Some(status)));
        assert_eq!(outcome.response_body.len(), 1024);
    }
}

#[tokio::test]
async fn a_redirect_says_where_it_points_and_what_to_do() {
    for (location, target) in [
        ("https://new.example/hook", "https://new.example/hook"),
        ("//new.example/hook", "http://new.example/hook"),
        ("/hook/", "http://127.0.0.1:{port}/hook/"),
        ("?a=1", "http://127.0.0.1:{port}/?a=1"),
        ("https://[broken", "https://[broken"),
    ] {
        let answer = format!("HTTP/1.1 301 M\r\nlocation: {location}\r\ncontent-length: 5\r\n\r\nmoved");
        let (port, _) = receiver(answer.leak()).await;
        let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(outcome.failure, Some(Failure::Redirect));
        let target = target.replace("{port}", &port.to_string());
        let said = format!(
            "redirects are not followed; this one points to {target}: set that as the endpoint's URL"
        );
        assert_eq!(text(&outcome), format!("{said}\nmoved"));
    }
}

#[tokio::test]
async fn a_success_whose_body_breaks_off_says_so_before_what_came() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal";
    let outcome = outcome_of(answer.into(), Vec::new(), PATIENT).await;
    assert_eq!((outcome.failure, outcome.http_status), (Some(Failure::Connection), Some(200)));
    let said = "the connection was closed before the answer was complete; it began with:\nhal";
    assert_eq!(text(&outcome), said);
}

#[tokio::test]
async fn answers_are_asked_for_as_they_are() {
    let (port, seen) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    attempt(&local_sender(PATIENT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
    let seen = Arc::clone(&seen);
    let requests = seen.requests.lock().unwrap();
    let head = &requests[0].0;
    for line in ["accept-encoding: identity", "accept: */*", &format!("host: 127.0.0.1:{port}")] {
        assert!(head.lines().any(|there| there == line), "{line}: {head}");
    }
}
