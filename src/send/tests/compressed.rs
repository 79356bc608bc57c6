//! Answers that come compressed although nobody asked for it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

#[tokio::test]
async fn an_answer_that_comes_compressed_is_kept_as_text() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"{\"error\":\"out of order\"}").unwrap();
    let body = encoder.finish().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (head, _) = read_request(&mut stream).await.unwrap();
        let answer =
            format!("HTTP/1.1 500 Oh\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        head
    });
    let outcome = attempt(&local_sender(PATIENT), &endpoint(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(
        (outcome.http_status, &outcome.response_body[..]),
        (Some(500), &b"{\"error\":\"out of order\"}"[..])
    );
    let head = serving.await.unwrap();
    assert!(head.contains("\r\naccept-encoding: identity\r\n"), "{head}");
}
