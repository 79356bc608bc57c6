//! The answer to a connection for which there is no room: it says when to try again.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::discard_rate::DiscardRate;
use super::watched_socket::WatchedSocket;

/// At most this many are answered at once; the others are closed without an answer.
const MAX_REFUSALS_AT_ONCE: usize = 32;

const OVERLOADED_ANSWER: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\n",
    "content-length: 77\r\n",
    "retry-after: 1\r\n",
    "connection: close\r\n\r\n",
    r#"{"code":"overloaded","detail":"Too many connections; try again in a moment."}"#
);

/// Answers connections for which there is no room.
pub(super) struct Refusals {
    at_once: Arc<Semaphore>,
    discard_rate: Arc<DiscardRate>,
}

impl Refusals {
    pub(super) fn new(discard_rate: Arc<DiscardRate>) -> Self {
        Self { at_once: Arc::new(Semaphore::new(MAX_REFUSALS_AT_ONCE)), discard_rate }
    }

    pub(super) fn refuse(&self, stream: TcpStream) {
        let Ok(permit) = self.at_once.clone().try_acquire_owned() else { return };
        let mut socket = WatchedSocket::new(stream, None, self.discard_rate.clone());
        tokio::spawn(async move {
            // It fits into the socket's buffer. The client may have gone away.
            let _ = socket.write_all(OVERLOADED_ANSWER.as_bytes()).await;
            let _ = socket.shutdown().await;
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = OVERLOADED_ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
}
