//! The HTTP client of the load: one kept-alive connection a loop, and nothing between it and the socket but hyper.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

impl Connection {
    /// Connects to the host of `base`.
    pub async fn open(base: &Uri) -> anyhow::Result<Self> {
        let authority = base.authority().context("the URL has no host")?.to_string();
        let stream =
            TcpStream::connect(&authority).await.with_context(|| format!("connecting to {authority}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(Self { sender, authority })
    }

    /// One request; the whole answer is read.
    pub async fn send(
        &mut self,
        method: http::Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.authority)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        request.headers_mut().extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// One POST that must be answered with success.
    pub async fn post(&mut self, path: &str, headers: &HeaderMap, body: Bytes) -> anyhow::Result<Bytes> {
        let (status, answer) = self.send(http::Method::POST, path, headers, body).await?;
        ensure!(status.is_success(), "POST {path}: {status} {}", String::from_utf8_lossy(&answer));
        Ok(answer)
    }
}
