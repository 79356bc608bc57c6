//! A healthy tenant beside whoever does harm, and how long its messages take from their post to their arrival.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use super::api::Api;
use super::receiver::{Receiver, Reply};
use super::server::TestApp;
use super::tenant::Tenant;
use super::until::{DEADLINE, until};

/// A producer that is told to come back, or whose connection was closed, comes back after so long.
const COME_BACK: Duration = Duration::from_millis(20);

/// A tenant whose receiver answers at once.
#[derive(Clone)]
pub struct Neighbour {
    tenant: Tenant,
    arrivals: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Neighbour {
    pub async fn new(app: &TestApp, receiver: &Receiver) -> Self {
        let arrivals: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
        let noted = arrivals.clone();
        let hook = receiver.hook_that("/healthy", move |request| {
            noted.lock().unwrap().entry(request.id.clone()).or_insert_with(Instant::now);
            Reply::Status(200)
        });
        let tenant = app.tenant("healthy").await;
        tenant.endpoint(&hook, json!({})).await;
        Self { tenant, arrivals }
    }

    /// Posts so many messages, one each `every` whatever becomes of those before, and returns when all that were accepted
    /// have arrived. A post that is refused for the moment is made again, and its time goes on.
    pub async fn times(&self, messages: usize, every: Duration) -> Times {
        let begin = Instant::now();
        let posting = (0..messages).map(|number| {
            let (this, at) = (self.clone(), begin + every * u32::try_from(number).unwrap());
            tokio::spawn(async move {
                tokio::time::sleep_until(at).await;
                let (id, refusals) = this.post(number).await;
                let arrival = || async { this.arrivals.lock().unwrap().get(&id).copied() };
                (until("the neighbour has its message", arrival).await.duration_since(at), refusals)
            })
        });
        let mut times = Times::default();
        for sent in join_all(posting.collect::<Vec<_>>()).await {
            let (time, refusals) = sent.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            times.sorted.push(time);
            times.refusals += refusals;
        }
        times.sorted.sort();
        times
    }

    /// The id of the message, and how often it was refused before.
    async fn post(&self, number: usize) -> (String, usize) {
        let body = json!({"eventType": "made", "payload": {"number": number}});
        let begin = Instant::now();
        for refusals in 0.. {
            let request =
                self.tenant.api.request(reqwest::Method::POST, &self.tenant.path("/msg")).json(&body);
            match Api::try_send(request).await {
                Ok(answer) if answer.status == 202 => {
                    return (answer.json()["id"].as_str().unwrap().to_owned(), refusals);
                }
                Ok(answer) => drop(answer.expect_error(503, "overloaded")),
                // The connection was closed for somebody else.
                Err(error) => assert!(!error.is_timeout(), "{error:?}"),
            }
            assert!(begin.elapsed() < DEADLINE, "the neighbour is shut out");
            tokio::time::sleep(COME_BACK).await;
        }
        unreachable!()
    }
}

/// Times from posts to arrivals.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// The longest last.
    sorted: Vec<Duration>,
    /// How often a post was refused for the moment.
    pub refusals: usize,
}

impl Times {
    /// The time that so many of a hundred did not exceed, in ms.
    fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        self.sorted[rank - 1].as_secs_f64() * 1e3
    }

    pub fn p50_ms(&self) -> f64 {
        self.percentile_ms(50)
    }

    pub fn p99_ms(&self) -> f64 {
        self.percentile_ms(99)
    }
}

/// What a neighbour saw in turns: without the harm and beside it.
#[derive(Debug, Default)]
pub struct Turns(Vec<(Times, Times)>);

impl Turns {
    pub fn add(&mut self, without: Times, with: Times) {
        self.0.push((without, with));
    }

    fn median(&self, figure: impl Fn(&(Times, Times)) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.0.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }

    pub const HEADER: &str = "p50 without / with | p99 without / with | p99, times | refused";
}

/// Cells of a table: medians over the turns, in ms.
impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p50 = [self.median(|(without, _)| without.p50_ms()), self.median(|(_, with)| with.p50_ms())];
        let p99 = [self.median(|(without, _)| without.p99_ms()), self.median(|(_, with)| with.p99_ms())];
        let refusals: usize = self.0.iter().map(|(_, with)| with.refusals).sum();
        write!(
            f,
            "{:.1} / {:.1} | {:.1} / {:.1} | {:.2} | {refusals}",
            p50[0],
            p50[1],
            p99[0],
            p99[1],
            p99[1] / p99[0]
        )
    }
}
