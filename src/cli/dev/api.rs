//! The API as a producer uses it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Method};
use serde_json::Value;

/// A caller with the demo environment's token.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    server: String,
    token: String,
}

impl Api {
    pub(super) fn new(listen: SocketAddr, token: String) -> anyhow::Result<Self> {
        crate::send::install_tls_provider();
        // The API is asked by loopback even where it listens on every address.
        let ip = if listen.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { listen.ip() };
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        let server = format!("http://{}", SocketAddr::new(ip, listen.port()));
        Ok(Self { client, server, token })
    }

    /// Where the server is, without the API's path.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let call = format!("{method} {path}");
        let mut request =
            self.client.request(method, format!("{}/api/v1{path}", self.server)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| call.clone())?;
        let status = response.status();
        let text = response.text().await.with_context(|| call.clone())?;
        ensure!(status.is_success(), "{call} was answered {status}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| call)
    }
}

/// The text in a field of an answer.
pub(super) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    let found = value.get(field).and_then(Value::as_str).map(str::to_owned);
    found.with_context(|| format!("the answer has no `{field}`"))
}
