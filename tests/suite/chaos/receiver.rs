//! A receiver for very many requests: it verifies each against what its number says it must be, answers as its place
//! is told to, and keeps a few bytes of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use postrider::domain::id::MessageId;
use sha2::Sha256;
use tokio::sync::watch;

use super::payload::Label;

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Status(u16),
    /// 200 after a while.
    Slow(Duration),
    Hang,
    /// A 200 whose body never ends, a byte now and then.
    Drip,
    /// A 200 whose body never ends, as fast as it goes.
    Flood,
    /// A 200 whose connection breaks within the body.
    Break,
}

/// How a place answers: by the number of the message, and by how often it has come there before.
pub type Manner = fn(u32, u16) -> Reply;

/// What came of one message at one place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    pub requests: u16,
    /// Answered with a whole 200.
    pub delivered: u16,
    /// Answered with a 200 that a sender may take for one or not.
    pub vague: u16,
}

/// Everything that came, and what was wrong with it.
#[derive(Default)]
struct Came {
    pairs: HashMap<(u16, MessageId), Seen>,
    numbers: HashMap<(u16, MessageId), u32>,
    delivered_pairs: i64,
    bad_bodies: Vec<String>,
    bad_signatures: Vec<String>,
}

struct Place {
    secrets: Vec<Vec<u8>>,
    manner: Manner,
}

struct Shared {
    run: u64,
    places: RwLock<Vec<Place>>,
    came: Mutex<Came>,
    count: watch::Sender<u64>,
}

/// The receiver of all endpoints of a run. An endpoint is told apart by its place, a number.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start(run: u64) -> Self {
        let shared = Arc::new(Shared {
            run,
            places: RwLock::default(),
            came: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// A new place. Returns its number, its URL and its secret.
    pub fn place(&self, manner: Manner) -> (u16, String, String) {
        let mut places = self.shared.places.write().unwrap();
        let number = u16::try_from(places.len()).unwrap();
        let (secret, key) = secret(number, 0);
        places.push(Place { secrets: vec![key], manner });
        (number, format!("http://{}/{number}", self.address), secret)
    }

    /// A further secret that requests at a place may be signed with.
    pub fn another_secret(&self, place: u16) -> String {
        let secrets = &mut self.shared.places.write().unwrap()[usize::from(place)].secrets;
        let (secret, key) = secret(place, u8::try_from(secrets.len()).unwrap());
        secrets.push(key);
        secret
    }

    /// How a place answers from now on.
    pub fn behave(&self, place: u16, manner: Manner) {
        self.shared.places.write().unwrap()[usize::from(place)].manner = manner;
    }

    /// How many different pairs were answered with 200.
    pub fn delivered_pairs(&self) -> i64 {
        self.shared.came.lock().unwrap().delivered_pairs
    }

    /// How many requests have come.
    pub fn requests(&self) -> u64 {
        *self.shared.count.borrow()
    }

    /// Returns when this message has been delivered to one of these places.
    pub async fn wait_for(&self, message: MessageId, places: &[u16]) {
        let mut count = self.shared.count.subscribe();
        let is_there = |_: &u64| {
            let came = self.shared.came.lock().unwrap();
            places
                .iter()
                .any(|place| came.pairs.get(&(*place, message)).is_some_and(|seen| seen.delivered > 0))
        };
        count.wait_for(is_there).await.unwrap();
    }

    /// What came of each pair, and the number that its body said.
    pub fn pairs(&self) -> HashMap<(u16, MessageId), (u32, Seen)> {
        let came = self.shared.came.lock().unwrap();
        came.pairs.iter().map(|(pair, seen)| (*pair, (came.numbers[pair], *seen))).collect()
    }

    /// Posts something that no node sent.
    pub async fn post_by_hand(&self, place: u16, message: MessageId) {
        let url = format!("http://{}/{place}", self.address);
        let request = crate::support::api::client().post(url).header("webhook-id", message.to_string());
        request.body("{}").send().await.unwrap();
    }

    /// Bodies and signatures that were not right.
    pub fn wrong(&self) -> (Vec<String>, Vec<String>) {
        let came = self.shared.came.lock().unwrap();
        (came.bad_bodies.clone(), came.bad_signatures.clone())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The `nth` secret of a place, as it is written and as it signs.
fn secret(place: u16, nth: u8) -> (String, Vec<u8>) {
    let [high, low] = place.to_be_bytes();
    let mut key = vec![nth; 32];
    key[..2].copy_from_slice(&[high, low]);
    (format!("whsec_{}", STANDARD.encode(&key)), key)
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        // The sender was killed while it sent.
        return plain(400);
    };
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let place = parts.uri.path().trim_start_matches('/').parse::<u16>().ok();
    let (Some(place), Ok(message)) = (place, header("webhook-id").parse::<MessageId>()) else {
        let what = format!("{} with webhook-id {:?}", parts.uri, header("webhook-id"));
        shared.came.lock().unwrap().bad_bodies.push(what);
        return plain(404);
    };
    let (signed, manner) = {
        let places = shared.places.read().unwrap();
        let Some(known) = places.get(usize::from(place)) else { return plain(404) };
        (is_signed(&known.secrets, &parts.headers, &body), known.manner)
    };
    let label = Label::read(&body).filter(|label| label.run == shared.run && label.text().as_bytes() == body);
    let number = label.map(|label| label.number);
    let reply = shared.note(place, message, number, signed, manner);
    answer(reply).await
}

impl Shared {
    fn note(
        &self,
        place: u16,
        message: MessageId,
        number: Option<u32>,
        signed: bool,
        manner: Manner,
    ) -> Reply {
        let reply = {
            let mut came = self.came.lock().unwrap();
            let pair = (place, message);
            if !signed {
                came.bad_signatures.push(format!("{message} at place {place}"));
            }
            match number {
                None => came.bad_bodies.push(format!("{message} at place {place}")),
                Some(number) if *came.numbers.entry(pair).or_insert(number) != number => {
                    came.bad_bodies.push(format!("{message} at place {place} has two numbers"));
                }
                Some(_) => {}
            }
            let number = number.unwrap_or_default();
            came.numbers.entry(pair).or_insert(number);
            let seen = came.pairs.entry(pair).or_default();
            let reply = manner(number, seen.requests);
            seen.requests += 1;
            let is_first = seen.delivered == 0;
            match reply {
                Reply::Status(200) | Reply::Slow(_) => {
                    seen.delivered += 1;
                    came.delivered_pairs += i64::from(is_first);
                }
                Reply::Drip | Reply::Flood | Reply::Break => seen.vague += 1,
                Reply::Status(_) | Reply::Hang => {}
            }
            reply
        };
        self.count.send_modify(|count| *count += 1);
        reply
    }
}

/// Whether a signature of Standard Webhooks is made with one of these keys. The timestamp is signed, and not compared
/// with the time: some runs change a node's clock.
fn is_signed(keys: &[Vec<u8>], headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let signatures: Vec<Vec<u8>> = header("webhook-signature")
        .split(' ')
        .filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1,")?).ok())
        .collect();
    keys.iter().any(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        for part in [header("webhook-id"), ".", header("webhook-timestamp"), "."] {
            mac.update(part.as_bytes());
        }
        mac.update(body);
        let right = mac.finalize().into_bytes();
        signatures.iter().any(|signature| signature.as_slice() == right.as_slice())
    })
}

async fn answer(reply: Reply) -> Response {
    match reply {
        Reply::Status(status) => plain(status),
        Reply::Slow(wait) => {
            tokio::time::sleep(wait).await;
            plain(200)
        }
        Reply::Hang => std::future::pending().await,
        Reply::Drip => streaming(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok(Bytes::from_static(b".")), ()))
        })),
        Reply::Flood => {
            let chunk = Bytes::from(vec![b'x'; 16 * 1024]);
            streaming(stream::repeat_with(move || Ok(chunk.clone())))
        }
        Reply::Break => streaming(stream::iter([
            Ok(Bytes::from_static(b"half of")),
            Err(std::io::Error::other("the receiver breaks off")),
        ])),
    }
}

fn plain(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn streaming(chunks: impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Response {
    Response::new(Body::from_stream(chunks))
}
