//! The API as a caller sees it.

use std::collections::BTreeMap;

use jsonwebtoken::{EncodingKey, Header};
use postrider::domain::clock::Clock;
use reqwest::{Client, ClientBuilder, Method};
use serde_json::{Value, json};
use url::form_urlencoded;

/// What the servers of the suite verify tokens with.
pub const JWT_SECRET: &str = "the suite's own secret for tokens";

/// A caller: an address and a token.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    client: Client,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

/// A token of these claims.
pub fn mint(claims: &Value) -> String {
    mint_with(claims, JWT_SECRET)
}

/// A token of these claims under another secret.
pub fn mint_with(claims: &Value, secret: &str) -> String {
    let mut claims = claims.clone();
    if claims.get("iat").is_none() {
        claims["iat"] = json!(Clock::default().now().timestamp());
    }
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// A client for the suite.
pub fn client() -> Client {
    client_builder().build().unwrap()
}

/// One that opens a connection for each request.
pub fn client_that_keeps_no_connection() -> Client {
    client_builder().pool_max_idle_per_host(0).build().unwrap()
}

fn client_builder() -> ClientBuilder {
    // It fails when there is a provider already.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder().no_proxy()
}

impl Api {
    /// A caller without a token.
    pub fn at(address: &str) -> Self {
        Self { base: format!("http://{address}/api/v1"), token: None, client: client() }
    }

    /// The same with the token of `claims`.
    pub fn claiming(&self, claims: &Value) -> Self {
        self.with_token(&mint(claims))
    }

    /// The same with this token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same at another node.
    pub fn through(&self, address: &str) -> Self {
        Self { base: format!("http://{address}/api/v1"), ..self.clone() }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// A request to build on.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends, and reads the whole answer, or what a stream begins with. An error means that there was none.
    pub async fn try_send(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = if is_stream(&headers) { begun(response).await? } else { response.text().await? };
        Ok(Answer { status, headers, text })
    }

    pub async fn send(request: reqwest::RequestBuilder) -> Answer {
        Self::try_send(request).await.expect("the server answers")
    }

    pub async fn get(&self, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path)).await
    }

    /// A get with these parameters.
    pub async fn get_with(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.get(&format!("{path}?{query}")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Self::send(self.request(Method::DELETE, path)).await
    }

    /// A post of bytes as they are.
    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        Self::send(request.body(body)).await
    }

    /// A post with an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    /// Every object of a list, page after page.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut found = Vec::new();
        let mut iterator = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let from = iterator.map(|text: String| format!("&iterator={text}")).unwrap_or_default();
            let page = self.get(&format!("{path}{joint}limit={limit}{from}")).await.expect(200);
            let data = page["data"].as_array().unwrap().clone();
            assert!(data.len() <= limit, "{page}");
            found.extend(data);
            if page["done"] == true {
                return found;
            }
            iterator = Some(page["iterator"].as_str().expect("an iterator until it is done").to_owned());
        }
    }
}

/// Whether an answer goes on until somebody ends it.
fn is_stream(headers: &reqwest::header::HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// What a stream begins with.
async fn begun(mut response: reqwest::Response) -> Result<String, reqwest::Error> {
    let chunk = response.chunk().await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&chunk).into_owned())
}

impl Answer {
    /// The body, once the status is the expected one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if status == 204 {
            assert_eq!(self.text, "");
            return Value::Null;
        }
        self.json()
    }

    /// The body, once status and error code are the expected ones.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        assert!(body["detail"].is_string(), "{body}");
        body
    }

    /// The places that a 422 names.
    #[track_caller]
    pub fn expect_invalid(&self) -> BTreeMap<String, String> {
        let body = self.expect(422);
        let found = body["detail"].as_array().unwrap_or_else(|| panic!("{body}"));
        found
            .iter()
            .map(|finding| {
                let place: Vec<String> = finding["loc"]
                    .as_array()
                    .unwrap_or_else(|| panic!("{body}"))
                    .iter()
                    .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                    .collect();
                assert!(finding["type"].is_string(), "{body}");
                (place.join("."), finding["msg"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned())
            })
            .collect()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }
}
