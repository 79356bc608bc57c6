//! HTTP/1.1 by hand.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The head of a post to `path` below the API, of a body of so many bytes.
pub fn head(path: &str, token: &str, length: usize) -> String {
    format!(
        "POST /api/v1{path} HTTP/1.1\r\nhost: postrider\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Everything that comes until the connection is closed, or an error when it is reset before an answer was read.
pub async fn rest(connection: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The head and the body of the next answer.
pub async fn answer(connection: &mut TcpStream) -> std::io::Result<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .split_once("content-length: ")
        .map_or(0, |(_, rest)| rest.split_whitespace().next().unwrap().parse::<usize>().unwrap());
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}

/// The status of an answer's head.
pub fn status(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head:?}"))
}

/// Writes as much as the server takes; that it stops taking is no error.
pub async fn write(connection: &mut TcpStream, bytes: &[u8]) {
    let _ = connection.write_all(bytes).await;
}
