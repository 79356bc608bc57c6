//! What a client meets that keeps its connections.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::LocalApp;

/// The status of the next answer, whose headers and body are read.
async fn answer(connection: &mut TcpStream) -> Option<u16> {
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut byte = [0];
        if connection.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        text.push(char::from(byte[0]));
    }
    let length = text
        .to_ascii_lowercase()
        .split_once("content-length: ")
        .map_or(0, |(_, rest)| rest.split_whitespace().next().unwrap().parse::<usize>().unwrap());
    connection.read_exact(&mut vec![0; length]).await.ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn an_answer_that_does_not_look_at_the_body_leaves_the_connection_open() {
    let app = LocalApp::start().await;
    let address = app.address().trim_start_matches("http://").to_owned();
    for (path, status) in [("/api/v1/nowhere", 404), ("/api/v1/app", 401), ("/api/v1/connector", 404)] {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        let token = if path.ends_with("connector") {
            app.environment().token().to_owned()
        } else {
            "none".to_owned()
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n"
        );
        for _ in 0..3 {
            connection.write_all(head.as_bytes()).await.unwrap();
            // Until these are answered, the server has seen the head, and had the time to answer it.
            for _ in 0..3 {
                app.api().get("/health/ping").await.expect(204);
            }
            connection.write_all(b"{}").await.unwrap();
            assert_eq!(answer(&mut connection).await, Some(status), "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_and_the_connection_said_to_close() {
    let app = LocalApp::start().await;
    let body = json!({"name": "x".repeat(2 << 20)});
    let answer = app.environment().post("/app", &body).await;
    answer.expect_error(413, "payload_too_large");
    assert_eq!(answer.headers["connection"], "close");
}
