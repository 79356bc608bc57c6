//! The receiver: checks every signature, and notes when each message arrived at each of its paths.
//!
//! A payload begins with `{"n":<sequence number>,`; the path says which endpoint it is: `/ok/<n>`, `/hang/<n>`,
//! `/fail/<n>`, `/slow/<n>`, `/flaky/<n>` (which refuses each message once), `/five/<n>` (which takes five requests in any
//! second).

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;

/// What came in since the last [`Receiver::reset`].
#[derive(Default)]
pub struct Arrivals {
    /// By sequence number and endpoint: when it first came, and how often.
    pub seen: HashMap<(u64, u32), (Instant, u32)>,
}

/// The receiver.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    /// The secrets by path, `whsec_` taken off and decoded.
    secrets: Mutex<HashMap<String, Vec<u8>>>,
    arrivals: Mutex<Arrivals>,
    /// Numbers that a flaky endpoint has refused once.
    refused: Mutex<HashSet<u64>>,
    /// When a limited endpoint took its last requests.
    taken: Mutex<VecDeque<Instant>>,
    /// Requests refused as too many.
    pub too_fast: AtomicU64,
    /// Requests answered 2xx.
    pub delivered: AtomicU64,
    /// Requests whose signature did not verify.
    pub bad_signatures: AtomicU64,
    changed: Notify,
}

impl Receiver {
    /// Starts to listen.
    pub async fn start() -> anyhow::Result<Arc<Self>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse()?)?;
        // All the connections of a run at once.
        let listener = socket.listen(4096)?;
        let receiver = Arc::new(Self {
            address: listener.local_addr()?,
            secrets: Mutex::default(),
            arrivals: Mutex::default(),
            refused: Mutex::default(),
            taken: Mutex::default(),
            too_fast: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            bad_signatures: AtomicU64::new(0),
            changed: Notify::new(),
        });
        tokio::spawn(receiver.clone().accept(listener));
        Ok(receiver)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let receiver = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let receiver = receiver.clone();
                    async move { Ok::<_, Infallible>(receiver.answer(request).await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return status(StatusCode::BAD_REQUEST);
        };
        if path.starts_with("/hang/") {
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        if path.starts_with("/fail/") {
            return status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if path.starts_with("/slow/") {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        if !path.starts_with("/raw") && !self.verify(path, &head.headers, &body) {
            self.bad_signatures.fetch_add(1, Ordering::Relaxed);
            return status(StatusCode::UNAUTHORIZED);
        }
        if path.starts_with("/flaky/") && self.refused.lock().unwrap().insert(number_in(&body)) {
            return status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if path.starts_with("/five/") && !self.takes() {
            self.too_fast.fetch_add(1, Ordering::Relaxed);
            let mut answer = status(StatusCode::TOO_MANY_REQUESTS);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return answer;
        }
        self.note(path, &body);
        status(StatusCode::NO_CONTENT)
    }

    /// Whether a limited endpoint takes one more.
    fn takes(&self) -> bool {
        let now = Instant::now();
        let mut taken = self.taken.lock().unwrap();
        while taken.front().is_some_and(|at| *at + Duration::from_secs(1) <= now) {
            taken.pop_front();
        }
        let takes = taken.len() < 5;
        if takes {
            taken.push_back(now);
        }
        takes
    }

    fn verify(&self, path: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let (Some(id), Some(at), Some(signature)) =
            (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"))
        else {
            return false;
        };
        let secrets = self.secrets.lock().unwrap();
        let Some(secret) = secrets.get(path) else { return false };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
            mac.update(part);
        }
        signature
            .split(' ')
            .filter_map(|entry| entry.strip_prefix("v1,"))
            .filter_map(|encoded| STANDARD.decode(encoded).ok())
            .any(|given| mac.clone().verify_slice(&given).is_ok())
    }

    fn note(&self, path: &str, body: &[u8]) {
        let endpoint = path.rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let number = number_in(body);
        let now = Instant::now();
        self.arrivals
            .lock()
            .unwrap()
            .seen
            .entry((number, endpoint))
            .and_modify(|(_, times)| *times += 1)
            .or_insert((now, 1));
        self.delivered.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Makes an endpoint's secret known.
    pub fn trust(&self, path: &str, secret: &str) -> anyhow::Result<()> {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_"))?;
        self.secrets.lock().unwrap().insert(path.to_owned(), key);
        Ok(())
    }

    /// Forgets what came in.
    pub fn reset(&self) {
        self.arrivals.lock().unwrap().seen.clear();
        self.refused.lock().unwrap().clear();
        self.delivered.store(0, Ordering::Relaxed);
        self.too_fast.store(0, Ordering::Relaxed);
        self.bad_signatures.store(0, Ordering::Relaxed);
    }

    /// What came in.
    pub fn take(&self) -> Arrivals {
        std::mem::take(&mut *self.arrivals.lock().unwrap())
    }

    /// When a message came last, of those that came for the first time.
    pub fn last_arrival(&self) -> Option<Instant> {
        self.arrivals.lock().unwrap().seen.values().map(|(at, _)| *at).max()
    }

    /// Waits until so many requests were answered 2xx, or nothing more comes for `timeout`.
    pub async fn wait_for(&self, count: u64, timeout: Duration) -> bool {
        loop {
            let changed = self.changed.notified();
            if self.delivered.load(Ordering::Relaxed) >= count {
                return true;
            }
            if tokio::time::timeout(timeout, changed).await.is_err() {
                return self.delivered.load(Ordering::Relaxed) >= count;
            }
        }
    }
}

fn number_in(body: &[u8]) -> u64 {
    let digits: Vec<u8> = body.iter().skip(5).copied().take_while(u8::is_ascii_digit).collect();
    String::from_utf8_lossy(&digits).parse().unwrap_or(u64::MAX)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
