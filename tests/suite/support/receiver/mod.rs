//! A receiver that verifies every request as a customer would, keeps it as it came, and answers as told.

mod reply;
mod verify;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::watch;

use super::until::DEADLINE;

pub use reply::Reply;

use reply::{answer, plain};
use verify::verify;

type Script = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    /// The `webhook-id`.
    pub id: String,
    /// Which one of this id at this path, from 1.
    pub nth: usize,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What it was answered with; `None` for an answer that is none.
    pub answered: Option<u16>,
}

/// A place at a receiver, with the secret of its endpoint.
#[derive(Debug, Clone)]
pub struct Hook {
    pub path: String,
    pub url: String,
    pub secret: String,
}

/// An HTTP server of a customer's.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

struct Place {
    secrets: Vec<String>,
    script: Script,
}

struct Shared {
    places: Mutex<HashMap<String, Place>>,
    seen: Mutex<HashMap<(String, String), usize>>,
    received: Mutex<Vec<Received>>,
    wrong: Mutex<Vec<String>>,
    count: watch::Sender<usize>,
}

impl Receiver {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            places: Mutex::default(),
            seen: Mutex::default(),
            received: Mutex::default(),
            wrong: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// A place that answers every request with 200.
    pub fn hook(&self, path: &str) -> Hook {
        self.hook_that(path, |_| Reply::Status(200))
    }

    /// A place that answers as told.
    pub fn hook_that(&self, path: &str, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Hook {
        let secret = format!("whsec_{}", STANDARD.encode([path.len() as u8 + 65; 32]));
        let place = Place { secrets: vec![secret.clone()], script: Arc::new(script) };
        self.shared.places.lock().unwrap().insert(path.to_owned(), place);
        Hook { path: path.to_owned(), url: format!("http://{}{path}", self.address), secret }
    }

    /// From now on every request at `hook` must verify with each of these: `whsec_…`, or `whpk_…` for ed25519.
    pub fn must_verify_with(&self, hook: &Hook, secrets: &[&str]) {
        let mut places = self.shared.places.lock().unwrap();
        places.get_mut(&hook.path).unwrap().secrets =
            secrets.iter().map(|secret| (*secret).to_owned()).collect();
    }

    /// Answers as told from now on.
    pub fn now(&self, hook: &Hook, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        self.shared.places.lock().unwrap().get_mut(&hook.path).unwrap().script = Arc::new(script);
    }

    /// Everything so far, in order of arrival. Every signature was right.
    pub fn received(&self) -> Vec<Received> {
        let wrong = self.shared.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "requests that do not verify: {wrong:?}");
        self.shared.received.lock().unwrap().clone()
    }

    pub fn received_at(&self, hook: &Hook) -> Vec<Received> {
        self.received().into_iter().filter(|request| request.path == hook.path).collect()
    }

    /// Returns when so many requests have come, to all places together.
    pub async fn wait_for(&self, number: usize) -> Vec<Received> {
        self.wait_until(&format!("{number} requests"), |all| all.len() >= number).await
    }

    /// Returns when so many requests have come to `hook`.
    pub async fn wait_at(&self, hook: &Hook, number: usize) -> Vec<Received> {
        let at = |all: &[Received]| all.iter().filter(|one| one.path == hook.path).count();
        self.wait_until(&format!("{number} requests at {}", hook.path), |all| at(all) >= number).await;
        self.received_at(hook)
    }

    /// Returns when what has come is enough.
    pub async fn wait_until(&self, what: &str, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let mut count = self.shared.count.subscribe();
        let ready = count.wait_for(|_| enough(&self.shared.received.lock().unwrap()));
        if tokio::time::timeout(DEADLINE, ready).await.is_err() {
            let got: Vec<_> =
                self.received().into_iter().map(|one| (one.path, one.id, one.answered)).collect();
            let last = &got[got.len().saturating_sub(20)..];
            panic!("{what}: not within {} s. {} came, the last are {last:?}", DEADLINE.as_secs(), got.len());
        }
        self.received()
    }

    /// How many have come so far; cheap, for those who wait for a share of many.
    pub async fn wait_for_count(&self, number: usize) {
        let mut count = self.shared.count.subscribe();
        let ready = count.wait_for(|count| *count >= number);
        if tokio::time::timeout(DEADLINE, ready).await.is_err() {
            panic!("{number} requests: not within {} s", DEADLINE.as_secs());
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let id = header("webhook-id").to_owned();
    let place =
        shared.places.lock().unwrap().get(&path).map(|place| (place.secrets.clone(), place.script.clone()));
    let Some((secrets, script)) = place else {
        shared.wrong.lock().unwrap().push(format!("nothing is at {path}"));
        return plain(404);
    };
    if parts.method != http::Method::POST {
        shared.wrong.lock().unwrap().push(format!("{} {path}", parts.method));
    }
    for secret in &secrets {
        if let Err(error) = verify(secret, &parts.headers, &body) {
            shared.wrong.lock().unwrap().push(format!("{id} at {path}: {error}"));
        }
    }
    let nth = {
        let mut seen = shared.seen.lock().unwrap();
        let nth = seen.entry((path.clone(), id.clone())).or_default();
        *nth += 1;
        *nth
    };
    let mut received = Received { path, id, nth, headers: parts.headers, body, answered: None };
    let reply = script(&received);
    received.answered = match &reply {
        Reply::Status(status) | Reply::With(status, ..) => Some(*status),
        Reply::Hang | Reply::Once(..) | Reply::Drip | Reply::Flood | Reply::Break => None,
    };
    shared.received.lock().unwrap().push(received);
    shared.count.send_modify(|count| *count += 1);
    answer(reply).await
}
