//! HTTP/2 by hand: what no library's client does.

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{PingPong, SendStream};
use http::Request;
use tokio::net::TcpStream;

/// One connection.
pub struct Multiplexed {
    requests: SendRequest<Bytes>,
    pings: PingPong,
}

impl Multiplexed {
    /// A connection on which each answer may have so many bytes before more is asked for.
    pub async fn connect(address: &str, window: u32) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        let (requests, mut connection) =
            Builder::new().initial_window_size(window).handshake(socket).await.unwrap();
        let pings = connection.ping_pong().unwrap();
        // It ends when the server closes it.
        tokio::spawn(async move { drop(connection.await) });
        Self { requests, pings }
    }

    /// Begins to ask for something below the API.
    pub async fn get(&mut self, path: &str, token: &str) -> (ResponseFuture, SendStream<Bytes>) {
        let mut ready = self.requests.clone().ready().await.unwrap();
        let request = Request::get(format!("http://postrider/api/v1{path}"));
        let request = request.header("authorization", format!("Bearer {token}")).body(()).unwrap();
        ready.send_request(request, true).unwrap()
    }

    /// Returns when the server has answered a PING, and so has seen what was sent before it; an error when it is gone.
    pub async fn ping(&mut self) -> Result<(), h2::Error> {
        self.pings.ping(h2::Ping::opaque()).await.map(drop)
    }
}
