//! Receivers that mean harm: whatever they send, and for however long, an attempt ends by its deadline, its connection
//! ends with it, memory stays where it was, and a neighbour's deliveries go on.
//!
//! Neighbours' times are printed, not asserted: `cargo nextest run --no-capture hostile::`.

mod http1;
mod http2;
mod kind;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Receiver, Reply, Setup, Tenant, TestApp, until};
use kind::{Hostile, Kind};

/// The deadline of an attempt.
const DEADLINE: Duration = Duration::from_secs(1);
/// Messages to each hostile receiver, all at once.
const ATTEMPTS: usize = 8;
/// Requests at once to one endpoint, when nobody says otherwise.
const DEFAULT_IN_FLIGHT: usize = 16;
/// As many as an operator may have raised that to.
const MANY: usize = 200;
/// Messages to the healthy one beside each of them.
const NEIGHBOURS: usize = 12;
/// What the server may have had in memory at any time, in KiB: it has some 70 MiB when it has nothing to do.
const MEMORY_KIB: u64 = 160 * 1024;

/// A healthy tenant, and when its deliveries arrived.
struct Neighbour {
    tenant: Tenant,
    arrivals: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Neighbour {
    async fn new(app: &TestApp, receiver: &Receiver) -> Self {
        let arrivals: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
        let noted = arrivals.clone();
        let hook = receiver.hook_that("/healthy", move |request| {
            noted.lock().unwrap().insert(request.id.clone(), Instant::now());
            Reply::Status(200)
        });
        let tenant = app.tenant("healthy").await;
        tenant.endpoint(&hook, json!({})).await;
        Self { tenant, arrivals }
    }

    /// Posts some messages, and returns the times from post to arrival, the longest last.
    async fn times(&self) -> Vec<Duration> {
        let mut posted = Vec::new();
        for number in 0..NEIGHBOURS {
            let at = Instant::now();
            posted.push((self.tenant.message("made", json!({"number": number})).await, at));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut times = Vec::new();
        for (id, at) in posted {
            let arrival = || async { self.arrivals.lock().unwrap().get(&id).copied() };
            times.push(until("the neighbour has its message", arrival).await.duration_since(at));
        }
        times.sort();
        times
    }
}

/// The most memory that the server ever had.
fn high_water_kib(app: &TestApp) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.pid())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

async fn all_are_borne(what: &str, kinds: Vec<Kind>) {
    are_borne(what, kinds, ATTEMPTS).await;
}

/// Sends so many messages at once to each kind.
async fn are_borne(what: &str, kinds: Vec<Kind>, messages: usize) {
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/self_signed_authority.pem");
    let app = Setup::default()
        .with("RETRY_SCHEDULE", "none")
        .with("REQUEST_TIMEOUT", "1s")
        .with("TLS_CA_FILE", authority)
        .with("MAX_IN_FLIGHT", &messages.max(DEFAULT_IN_FLIGHT).to_string())
        .start()
        .await;
    let receiver = Receiver::start().await;
    let neighbour = Neighbour::new(&app, &receiver).await;
    let alone = neighbour.times().await;
    println!("{what}: a neighbour alone: worst {:?}", alone.last().unwrap());

    let mut all = Vec::new();
    for kind in kinds {
        let name = kind.name;
        let hostile = Hostile::start(kind);
        let tenant = app.tenant(name).await;
        let made = tenant.api.post(&tenant.path("/endpoint"), &json!({"url": hostile.url})).await.expect(201);
        let endpoint = made["id"].as_str().unwrap().to_owned();
        for _ in 0..messages {
            tenant.message("made", json!({})).await;
        }
        let times = neighbour.times().await;
        println!(
            "{what}: beside {name}: median {:?}, worst {:?}",
            times[times.len() / 2],
            times.last().unwrap()
        );
        all.push((name, hostile, tenant, endpoint));
    }
    app.settled().await;
    for (name, hostile, tenant, endpoint) in &all {
        let attempts = tenant.attempts(endpoint).await;
        assert_eq!(attempts.len(), messages, "{name}");
        let longest = attempts.iter().map(|one| one["responseDurationMs"].as_u64().unwrap()).max().unwrap();
        let said: String = attempts[0]["response"].as_str().unwrap().chars().take(60).collect();
        println!("{what}: {name}: longest {longest} ms, {said}");
        assert!(Duration::from_millis(longest) <= DEADLINE + Duration::from_secs(1), "{name}: {longest} ms");
        assert!(hostile.was_met(), "{name} was never connected to");
        until(&format!("every connection to {name} is closed"), || async {
            (hostile.open_connections() == 0).then_some(())
        })
        .await;
    }
    if let Some(high_water) = high_water_kib(&app) {
        println!("{what}: at most {} MiB of memory", high_water / 1024);
        assert!(high_water < MEMORY_KIB, "{high_water} KiB");
    }
    assert!(!app.log().contains("the lease was lost"));
}

#[tokio::test]
async fn no_http_1_receiver_outlasts_its_deadline_or_harms_a_neighbour() {
    all_are_borne("HTTP/1", http1::kinds()).await;
}

#[tokio::test]
async fn no_http_2_receiver_outlasts_its_deadline_or_harms_a_neighbour() {
    all_are_borne("HTTP/2", http2::kinds()).await;
}

#[tokio::test]
async fn hundreds_of_hostile_answers_at_once_are_borne() {
    let floods = http1::kinds().into_iter().take(3).collect();
    are_borne("HTTP/1, many at once", floods, MANY).await;
}
