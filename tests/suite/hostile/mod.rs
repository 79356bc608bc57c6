//! Receivers that mean harm: whatever they send, and for however long, an attempt ends by its deadline, its connection
//! ends with it, memory stays where it was, and a neighbour's deliveries go on.
//!
//! Neighbours' times are printed, not asserted: `cargo nextest run --no-capture hostile::`; `long` has enough of them.

mod http1;
mod http2;
mod kind;
mod long;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Neighbour, Receiver, Setup, TestApp, Turns, until};
use kind::{Hostile, Kind};

/// The deadline of an attempt.
const DEADLINE: Duration = Duration::from_secs(1);
/// By how much an attempt may pass its deadline.
const GRACE: Duration = Duration::from_secs(1);
/// Messages to each hostile receiver, all at once.
const ATTEMPTS: usize = 8;
/// Requests at once to one endpoint, when nobody says otherwise.
const DEFAULT_IN_FLIGHT: usize = 16;
/// As many as an operator may have raised that to.
const MANY: usize = 200;
/// Messages to the healthy one before there is a hostile one, and beside each of them.
const ALONE: usize = 60;
const BESIDE: usize = 12;
/// The time between two of them.
const EVERY: Duration = Duration::from_millis(10);
/// What the server may have had in memory at any time, in KiB: it has some 70 MiB when it has nothing to do.
const MEMORY_KIB: u64 = 160 * 1024;

fn setup() -> Setup {
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/self_signed_authority.pem");
    let deadline = format!("{}s", DEADLINE.as_secs());
    Setup::default().with("REQUEST_TIMEOUT", &deadline).with("TLS_CA_FILE", authority)
}

/// The most memory that the server ever had.
fn high_water_kib(app: &TestApp) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.pid())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The processor time that the server has used, in ms.
fn processor_ms(app: &TestApp) -> u64 {
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", app.pid())).unwrap_or_default();
    // The name, in brackets, may hold spaces.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * TICK_MS
}

async fn all_are_borne(what: &str, kinds: Vec<Kind>) {
    are_borne(what, kinds, ATTEMPTS).await;
}

/// Holds the memory bound, and that the node never lost its lease.
fn assert_unharmed(app: &TestApp) -> u64 {
    let high_water = high_water_kib(app).unwrap_or_default();
    assert!(high_water < MEMORY_KIB, "{high_water} KiB");
    assert!(!app.log().contains("the lease was lost"));
    high_water / 1024
}

/// The longest of these attempts, in ms, once it has been held against the deadline.
fn longest_ms(name: &str, attempts: &[Value]) -> u64 {
    let longest = attempts.iter().map(|one| one["responseDurationMs"].as_u64().unwrap()).max().unwrap();
    assert!(Duration::from_millis(longest) <= DEADLINE + GRACE, "{name}: {longest} ms");
    longest
}

/// Returns when every connection to it is closed.
async fn let_go_of(name: &str, hostile: &Hostile) {
    until(&format!("every connection to {name} is closed"), || async {
        (hostile.open_connections() == 0).then_some(())
    })
    .await;
}

/// Sends so many messages at once to each kind.
async fn are_borne(what: &str, kinds: Vec<Kind>, messages: usize) {
    let at_once = messages.max(DEFAULT_IN_FLIGHT).to_string();
    let app = setup().with("RETRY_SCHEDULE", "none").with("MAX_IN_FLIGHT", &at_once).start().await;
    let receiver = Receiver::start().await;
    let neighbour = Neighbour::new(&app, &receiver).await;
    // What is done for the first time takes longer.
    neighbour.times(BESIDE, EVERY).await;
    let alone = neighbour.times(ALONE, EVERY).await;
    println!("{what}: beside | {}", Turns::HEADER);

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
        let mut turns = Turns::default();
        turns.add(alone.clone(), neighbour.times(BESIDE, EVERY).await);
        println!("{what}: {name} | {turns}");
        all.push((name, hostile, tenant, endpoint));
    }
    app.settled().await;
    for (name, hostile, tenant, endpoint) in &all {
        let attempts = tenant.attempts(endpoint).await;
        assert_eq!(attempts.len(), messages, "{name}");
        let longest = longest_ms(name, &attempts);
        let said: String = attempts[0]["response"].as_str().unwrap().chars().take(60).collect();
        println!("{what}: {name}: longest {longest} ms, {said}");
        assert!(hostile.was_met(), "{name} was never connected to");
        let_go_of(name, hostile).await;
    }
    println!("{what}: at most {} MiB of memory", assert_unharmed(&app));
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
