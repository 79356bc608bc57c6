//! Every overload beside a neighbour: what is accepted arrives, health answers, memory has its bound, and the times from
//! posts to arrivals are printed, with and without in turns.

use std::pin::Pin;
use std::time::Duration;

use serde_json::json;

use super::harm;
use super::measure::{Health, SLOWEST_HEALTH, assert_small, peak_mib};
use crate::support::wanted::is_wanted;
use crate::support::{Api, Elsewhere, Neighbour, Receiver, Setup, Tenant, Turns, until};

/// How much of a neighbour is looked at.
struct Length {
    rounds: usize,
    /// The neighbour's messages in each turn, without and with.
    messages: usize,
    every: Duration,
    slowest_health: Duration,
    /// One of so many callers comes. The other tests of this folder have all of them, without a neighbour.
    one_of: usize,
}

const SHORT: Length = Length {
    rounds: 1,
    messages: 40,
    every: Duration::from_millis(10),
    slowest_health: SLOWEST_HEALTH,
    one_of: 10,
};
/// 2,100 messages each. Health has its promised second, which a busy machine would break in an unoptimised build.
const LONG: Length = Length {
    rounds: 3,
    messages: 700,
    every: Duration::from_millis(4),
    slowest_health: Duration::from_secs(1),
    one_of: 1,
};

/// Whom an overload is for, and what its callers have.
#[derive(Clone)]
pub struct Target {
    pub address: String,
    /// A producer's.
    pub producer: Api,
    /// A tenant of the producer's, its own token, and one that may only look.
    pub tenant: Tenant,
    pub own: Api,
    pub reader: Api,
    one_of: usize,
}

impl Target {
    /// So many callers, at full length.
    pub fn callers(&self, all: usize) -> usize {
        all.div_ceil(self.one_of)
    }
}

type Harm = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way to ask for too much.
struct Overload {
    name: &'static str,
    descriptors: Option<u32>,
    /// Goes on until it is dropped.
    harm: fn(Target) -> Harm,
}

impl Overload {
    const fn new(name: &'static str, harm: fn(Target) -> Harm) -> Self {
        Self { name, descriptors: None, harm }
    }
}

fn all() -> Vec<Overload> {
    vec![
        Overload {
            descriptors: Some(1_024),
            ..Overload::new("1,200 heads without an end, 1,024 descriptors", |target| {
                Box::pin(harm::endless_heads(target, 1_200))
            })
        },
        Overload::new("2,000 silent connections", |target| Box::pin(harm::silence(target, 2_000))),
        Overload::new("2,000 wrong tokens with bodies", |target| Box::pin(harm::wrong_tokens(target, 2_000))),
        Overload::new("600 bodies of 1 MiB without an end, of a tenant", |target| {
            Box::pin(harm::endless_bodies(target, 600))
        }),
        Overload::new("one HTTP/2 connection, 300 streams of a producer", |target| {
            let token = target.producer.token().to_owned();
            Box::pin(harm::streams(target, 300, token))
        }),
        Overload::new("one HTTP/2 connection, 500 streams of a stranger", |target| {
            Box::pin(harm::streams(target, 500, "nonsense".to_owned()))
        }),
        Overload::new("2,000 producers of 200 KiB each", |target| Box::pin(harm::posters(target, 2_000))),
        Overload::new("eight readers of large pages", |target| Box::pin(harm::readers(target, 8))),
        Overload::new("imports that multiply", |target| Box::pin(harm::imports(target))),
        Overload::new("endpoints with lists too long", |target| Box::pin(harm::long_lists(target))),
    ]
}

async fn suffer(overload: &Overload, length: &Length) {
    let name = overload.name;
    let mut setup = Setup::default();
    if let Some(descriptors) = overload.descriptors {
        setup = setup.with_descriptors(descriptors);
    }
    let mut app = setup.start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let neighbour = Neighbour::new(&app, &receiver).await;
    let tenant = app.tenant("loud").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let reader = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let target = Target {
        address: app.address(),
        producer: app.environment(),
        tenant,
        own,
        reader,
        one_of: length.one_of,
    };
    harm::prepare(&target).await;
    let (mut turns, mut slowest) = (Turns::default(), Duration::ZERO);
    for _ in 0..length.rounds {
        // What is done for the first time takes longer, and so does what stands behind what the last overload left.
        neighbour.times(length.messages / 4, length.every).await;
        // Whoever asks for health is there in both turns: they differ by the overload alone.
        let health = Health::watch_within(&app, length.slowest_health);
        let without = neighbour.times(length.messages, length.every).await;
        let elsewhere = Elsewhere::start(2);
        elsewhere.spawn((overload.harm)(target.clone()));
        // It has begun by then.
        neighbour.times(length.messages / 4, length.every * 2).await;
        turns.add(without, neighbour.times(length.messages, length.every).await);
        slowest = slowest.max(health.expect(name).await);
        drop(elsewhere);
        until("health answers", || async {
            let answer = Api::try_send(app.api().request(http::Method::GET, "/health")).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }
    assert_small(&app, name);
    println!("| {name} | {turns} | {} | {} |", peak_mib(&app), slowest.as_millis());
}

async fn are_suffered(overloads: impl Iterator<Item = Overload>, length: &Length) {
    println!("| overload | {} | MiB | health, ms |\n|---|---|---|---|---|---|---|", Turns::HEADER);
    for overload in overloads {
        suffer(&overload, length).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_beside_an_overload_arrives() {
    are_suffered(all().into_iter(), &SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes; `make chaos` runs it"]
async fn every_overload_at_length() {
    are_suffered(all().into_iter().filter(|overload| is_wanted(overload.name)), &LONG).await;
}
