//! Receivers with a pace of their own, and what they saw of ours.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use tokio::sync::{Semaphore, watch};

use crate::support::Reply;
use crate::support::receiver::Hook;

const SECOND: Duration = Duration::from_secs(1);

/// Takes so many requests in any second, by its own clock, and refuses the others.
pub struct RateLimit {
    per_second: usize,
    taken: Mutex<VecDeque<Instant>>,
}

impl RateLimit {
    pub fn new(per_second: usize) -> Arc<Self> {
        Arc::new(Self { per_second, taken: Mutex::default() })
    }

    pub fn answer(&self) -> Reply {
        let now = Instant::now();
        let mut taken = self.taken.lock().unwrap();
        while taken.front().is_some_and(|at| *at + SECOND <= now) {
            taken.pop_front();
        }
        if taken.len() < self.per_second {
            taken.push_back(now);
            Reply::Status(200)
        } else {
            Reply::With(429, "retry-after", "1".to_owned())
        }
    }
}

/// Holds every request until it is let go, and counts how many it holds.
pub struct Holding {
    pub hook: Hook,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    gate: Semaphore,
    held: watch::Sender<usize>,
    most: AtomicUsize,
    answered: AtomicUsize,
}

/// A request that is held; its end is noticed also when the one who made it is gone.
struct Held(Arc<Shared>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.send_modify(|held| *held -= 1);
    }
}

impl Holding {
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    /// One at an address of its own.
    pub async fn at(address: &str) -> Self {
        let shared = Arc::new(Shared {
            gate: Semaphore::new(0),
            held: watch::Sender::new(0),
            most: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let hook = Hook {
            path: "/".to_owned(),
            url: format!("http://{}/", listener.local_addr().unwrap()),
            secret: format!("whsec_{}", STANDARD.encode([7; 32])),
        };
        let router = Router::new().fallback(hold).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { hook, shared, serving }
    }

    /// Returns when it holds so many.
    pub async fn holds(&self, count: usize) {
        self.shared.held.subscribe().wait_for(|held| *held >= count).await.unwrap();
    }

    /// Answers so many requests, now or when they come.
    pub fn let_go(&self, count: usize) {
        self.shared.gate.add_permits(count);
    }

    /// The most that it has held at once so far.
    pub fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    pub fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::SeqCst)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hold(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.held.send_modify(|held| {
        *held += 1;
        shared.most.fetch_max(*held, Ordering::SeqCst);
    });
    let held = Held(shared.clone());
    shared.gate.acquire().await.unwrap().forget();
    shared.answered.fetch_add(1, Ordering::SeqCst);
    drop(held);
    StatusCode::OK
}
