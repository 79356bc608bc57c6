//! Every kind at length, beside a neighbour with enough messages that the slowest of a hundred means something. The
//! tenant does what its own token lets it do: as many requests at once as the operator allows, and as many retries, as
//! soon as may be.
//!
//! Times with and without harm are taken in turns, several times over, and their medians are printed: other work on the
//! machine comes and goes.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::kind::{Hostile, Kind};
use super::{DEFAULT_IN_FLIGHT, assert_unharmed, http1, http2, let_go_of, longest_ms, processor_ms, setup};
use crate::support::neighbour::Times;
use crate::support::wanted::is_wanted;
use crate::support::{Neighbour, Receiver, TestApp, Turns, until};

/// Turns of each kind.
const ROUNDS: usize = 3;
/// The neighbour's messages in each turn, without and with: 2,100 each in all.
const MESSAGES: usize = 700;
const EVERY: Duration = Duration::from_millis(2);
/// What `max_in_flight_cap` is when the operator does not say otherwise.
const DEFAULT_CAP: usize = 64;
/// Messages to the hostile one for each request that it may have at once.
const BACKLOG: usize = 2;

/// A kind with what was seen of it.
struct Seen {
    kind: Kind,
    turns: Turns,
    attempts: usize,
    longest_ms: u64,
    /// What the server's processor time was beside it, more than without.
    processor_ms: i64,
}

/// What a neighbour saw, and the server's processor time meanwhile, in ms.
struct Turn {
    times: Times,
    processor_ms: i64,
}

impl Turn {
    async fn take(app: &TestApp, neighbour: &Neighbour) -> Self {
        let before = processor_ms(app);
        let times = neighbour.times(MESSAGES, EVERY).await;
        Self { times, processor_ms: i64::try_from(processor_ms(app) - before).unwrap() }
    }
}

async fn measured(app: &TestApp, neighbour: &Neighbour, seen: &mut Seen, at_once: usize, without: &Turn) {
    let name = seen.kind.name;
    let hostile = Hostile::start(seen.kind.clone());
    let tenant = app.tenant(name).await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let mut endpoint = json!({"url": hostile.url, "uid": "hostile", "retrySchedule": vec![1; 10]});
    if at_once != DEFAULT_IN_FLIGHT {
        endpoint["maxInFlight"] = json!(at_once);
    }
    own.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    join_all((0..at_once * BACKLOG).map(|_| tenant.message("made", json!({})))).await;
    until("it is met", || async { hostile.was_met().then_some(()) }).await;
    let with = Turn::take(app, neighbour).await;
    own.patch(&tenant.path("/endpoint/hostile"), &json!({"disabled": true})).await.expect(200);
    let_go_of(name, &hostile).await;
    until("its attempts are recorded", || async {
        let under_way = "SELECT (SELECT count(*) FROM delivery WHERE state = 'in_flight')
            + (SELECT count(*) FROM pending WHERE owner IS NOT NULL)";
        (app.database().count(under_way).await == 0).then_some(())
    })
    .await;
    let attempts = tenant.attempts("hostile").await;
    seen.attempts += attempts.len();
    seen.longest_ms = seen.longest_ms.max(longest_ms(name, &attempts));
    seen.processor_ms += with.processor_ms - without.processor_ms;
    seen.turns.add(without.times.clone(), with.times);
    tenant.api.delete(&tenant.path("")).await.expect(204);
}

async fn all_at_length(at_once: usize) {
    let mut app = setup().without("RETRY_SCHEDULE").start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let neighbour = Neighbour::new(&app, &receiver).await;
    // What is done for the first time takes longer.
    neighbour.times(MESSAGES, EVERY).await;
    let new = |kind| Seen { kind, turns: Turns::default(), attempts: 0, longest_ms: 0, processor_ms: 0 };
    let kinds = http1::kinds().into_iter().chain(http2::kinds());
    let mut all: Vec<Seen> = kinds.filter(|kind| is_wanted(kind.name)).map(new).collect();
    for _ in 0..ROUNDS {
        for pair in all.chunks_mut(2) {
            let without = Turn::take(&app, &neighbour).await;
            for seen in pair {
                measured(&app, &neighbour, seen, at_once, &without).await;
            }
        }
    }
    println!(
        "| {at_once} at once, over | {} | attempts | longest, ms | processor, ms |\n|---|---|---|---|---|---|---|---|",
        Turns::HEADER
    );
    for seen in &all {
        let version = if seen.kind.http2 { 2 } else { 1 };
        let Seen { kind, turns, attempts, longest_ms, processor_ms } = seen;
        println!("| HTTP/{version}: {} | {turns} | {attempts} | {longest_ms} | {processor_ms} |", kind.name);
    }
    println!("{at_once} at once: at most {} MiB of memory", assert_unharmed(&app));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes; `make chaos` runs it"]
async fn every_kind_at_length_at_default_settings() {
    all_at_length(DEFAULT_IN_FLIGHT).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes; `make chaos` runs it"]
async fn every_kind_at_length_at_the_operators_cap() {
    all_at_length(DEFAULT_CAP).await;
}
