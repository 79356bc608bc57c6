//! Receivers of customers' who check signatures well, badly, or not at all.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use http::HeaderMap;
use standardwebhooks::Webhook;

/// What a customer's code looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// All that there is to check.
    Careful,
    /// The signature, and not how old it is.
    ForgetsTime,
    /// Nothing.
    Careless,
    /// Whatever it is, it is too much.
    Overwhelmed,
}

/// A customer's server.
pub struct Customer {
    pub url: String,
    received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    serving: tokio::task::JoinHandle<()>,
}

struct Code {
    care: Care,
    secret: String,
    received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Customer {
    pub async fn start(care: Care) -> Self {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=".to_owned();
        let received: Arc<Mutex<Vec<_>>> = Arc::default();
        let code = Arc::new(Code { care, secret, received: received.clone() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(code);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, serving }
    }

    /// Everything so far, in its order.
    pub fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Customer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(code): State<Arc<Code>>, request: Request) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    code.received.lock().unwrap().push((parts.headers.clone(), body.clone()));
    let webhook = Webhook::new(&code.secret).unwrap();
    let holds = match code.care {
        Care::Careful => webhook.verify(&body, &parts.headers).is_ok(),
        Care::ForgetsTime => {
            let header = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
            let timestamp = header("webhook-timestamp").parse().unwrap();
            let expected = webhook.sign(&header("webhook-id"), timestamp, &body).unwrap();
            header("webhook-signature").split(' ').any(|entry| entry == expected)
        }
        Care::Careless => true,
        Care::Overwhelmed => return (StatusCode::SERVICE_UNAVAILABLE, "come back later".to_owned()),
    };
    let status = if holds { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED };
    (status, if holds { String::new() } else { "I do not know you".to_owned() })
}
