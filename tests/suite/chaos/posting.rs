//! Posts: paced, at all nodes in turn, by every means there is, and again until they are accepted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::Instant;

use super::laboratory::Laboratory;
use super::ledger::{Accepted, Means, Post};
use super::moving::UID;
use super::payload::Label;
use crate::support::Api;

const BATCH: usize = 5;
/// A post that is not accepted within this is counted as never answered.
const PATIENCE: Duration = Duration::from_secs(150);
/// Posts go on while faults do, up to so many times what was asked for.
const MOST: usize = 5;
/// A poster looks this often whether it is enough.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// How posts go.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// At least so many messages; more while the faults are not over.
    pub messages: usize,
    /// From the first to the last of them.
    pub time: Duration,
    pub at_once: usize,
}

/// What one request said of one message.
enum Said {
    Accepted(Accepted),
    /// Come again; nothing was stored.
    Later,
    /// No answer, or one that leaves open whether it was stored.
    Unknown,
    Refused(String),
}

/// Posts until the pace is met and the faults are over.
pub async fn post_all(laboratory: Arc<Laboratory>, pace: Pace) {
    // Seven units of one and one of five: twelve messages in eight units.
    let unit_time = pace.time.mul_f64(1.5 / pace.messages as f64);
    let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut posters = tokio::task::JoinSet::new();
    for _ in 0..pace.at_once {
        let (laboratory, next) = (laboratory.clone(), next.clone());
        posters.spawn(async move {
            loop {
                let unit = next.fetch_add(1, Ordering::Relaxed);
                let due_at = began + unit_time * u32::try_from(unit).unwrap();
                loop {
                    let posted = laboratory.ledger.len();
                    let is_enough = posted >= pace.messages && !laboratory.is_under_fault();
                    if is_enough || posted >= pace.messages * MOST {
                        return;
                    }
                    if Instant::now() >= due_at {
                        break;
                    }
                    tokio::time::sleep(due_at.duration_since(Instant::now()).min(LOOK_EVERY)).await;
                }
                post_unit(&laboratory, unit).await;
            }
        });
    }
    posters.join_all().await;
}

/// So many post large messages at once for a while, each as fast as it is answered.
pub async fn flood(laboratory: &Laboratory, at_once: usize, kilobytes: u32, time: Duration) {
    let began = Instant::now();
    let posters = (0..at_once).map(|poster| async move {
        let tenant = poster % laboratory.posted_to().len();
        while began.elapsed() < time {
            let numbers = vec![begin(laboratory, Means::Key, vec![tenant], false)];
            let application = laboratory.tenants[tenant].id.clone();
            let unit = Unit { means: Means::Key, application, is_batch: false, numbers, kilobytes };
            post(laboratory, &unit, poster, PATIENCE, true).await;
        }
    });
    futures_util::future::join_all(posters).await;
}

/// Messages that are posted together.
struct Unit {
    means: Means,
    /// An application's id, or the `uid` that moves.
    application: String,
    is_batch: bool,
    numbers: Vec<u32>,
    kilobytes: u32,
}

async fn post_unit(laboratory: &Laboratory, unit: usize) {
    let means = match unit % 16 {
        0..=2 | 7..=10 => Means::Key,
        3..=5 | 11 | 12 => Means::EventId,
        _ => Means::Nothing,
    };
    let is_batch = unit % 8 == 7;
    let tenant = unit % laboratory.posted_to().len();
    let moves = tenant < 2 && laboratory.moving.is_used();
    let application = if moves { UID.to_owned() } else { laboratory.tenants[tenant].id.clone() };
    let tenants = if moves { vec![0, 1] } else { vec![tenant] };
    let numbers =
        (0..if is_batch { BATCH } else { 1 }).map(|_| begin(laboratory, means, tenants.clone(), false));
    let unit_of = Unit { means, application, is_batch, numbers: numbers.collect(), kilobytes: 0 };
    post(laboratory, &unit_of, unit, PATIENCE, true).await;
}

fn begin(laboratory: &Laboratory, means: Means, tenants: Vec<usize>, is_optional: bool) -> u32 {
    let post =
        Post { tenants, means, accepted: None, accepted_at: None, unknown: 0, refusal: None, is_optional };
    laboratory.ledger.begin(post)
}

/// Posts one message at this node alone, and returns when it has been delivered and that is recorded.
pub async fn probe(laboratory: &Laboratory, node: usize) {
    let tenant = laboratory.probes();
    let number = begin(laboratory, Means::Key, vec![tenant], true);
    let application = laboratory.tenants[tenant].id.clone();
    let unit = Unit { means: Means::Key, application, is_batch: false, numbers: vec![number], kilobytes: 0 };
    post(laboratory, &unit, node, PATIENCE, false).await;
    let place = laboratory.tenants[tenant].targets()[0].place;
    if let Some(Accepted::Message(id)) = laboratory.ledger.accepted(number) {
        laboratory.receiver.wait_for(id, &[place]).await;
        laboratory.home.wait_until_recorded(id).await;
    }
}

/// Posts a unit until all of it is accepted, at one node after the other if it may go elsewhere.
async fn post(laboratory: &Laboratory, unit: &Unit, first: usize, patience: Duration, elsewhere: bool) {
    let began = Instant::now();
    let mut open = unit.numbers.clone();
    let mut turn = first;
    while !open.is_empty() && began.elapsed() < patience {
        if began.elapsed() > Duration::ZERO && turn != first {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // A batch with a key is repeated whole: its key stands for its body.
        let sent =
            if unit.is_batch && unit.means == Means::Key { unit.numbers.clone() } else { open.clone() };
        let before = laboratory.moving.glance();
        let request = request(laboratory, unit, if elsewhere { turn } else { first }, &sent);
        let said = ask(unit, request, sent.len()).await;
        for (number, said) in sent.into_iter().zip(said) {
            if !open.contains(&number) {
                continue;
            }
            if let Said::Accepted(_) = said {
                open.retain(|one| *one != number);
            }
            laboratory.ledger.change(number, |post| {
                note(post, said);
                if post.accepted.is_some() && unit.application == UID {
                    post.tenants = match post.unknown {
                        0 => laboratory.moving.owners_since(before),
                        // An earlier try may have been the one that was stored.
                        _ => vec![0, 1],
                    };
                }
            });
        }
        turn += 1;
    }
}

fn note(post: &mut Post, said: Said) {
    match said {
        Said::Accepted(accepted) => {
            post.accepted = Some(accepted);
            post.accepted_at = Some(std::time::Instant::now());
        }
        Said::Later => {}
        Said::Unknown => post.unknown += 1,
        Said::Refused(why) => post.refusal = Some(why),
    }
}

fn request(laboratory: &Laboratory, unit: &Unit, node: usize, numbers: &[u32]) -> RequestBuilder {
    let messages: Vec<String> = numbers
        .iter()
        .map(|number| {
            let event_id = match unit.means {
                Means::EventId => format!(r#""eventId":"number-{number}","#),
                Means::Key | Means::Nothing => String::new(),
            };
            let label = Label { run: laboratory.run, number: *number, kilobytes: unit.kilobytes };
            let payload = label.text();
            format!(r#"{{"eventType":"made",{event_id}"payload":{payload}}}"#)
        })
        .collect();
    let (rest, body) = if unit.is_batch {
        ("/msg/batch", format!(r#"{{"messages":[{}]}}"#, messages.join(",")))
    } else {
        ("/msg", messages.concat())
    };
    let path = format!("/app/{}{rest}", unit.application);
    let request = laboratory.api(node).request(Method::POST, &path).timeout(ANSWER_LIMIT);
    let request = request.header("content-type", "application/json").body(body);
    match unit.means {
        Means::Key => request.header("idempotency-key", format!("number-{}", unit.numbers[0])),
        Means::EventId | Means::Nothing => request,
    }
}

/// What the answer says of each message.
async fn ask(unit: &Unit, request: RequestBuilder, messages: usize) -> Vec<Said> {
    let Ok(answer) = Api::try_send(request).await else {
        return (0..messages).map(|_| Said::Unknown).collect();
    };
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if unit.is_batch && answer.status == 202 {
        let results = body["data"].as_array().cloned().unwrap_or_default();
        return (0..messages)
            .map(|place| {
                let result = results.get(place).unwrap_or(&Value::Null);
                let status = result["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                said(status.unwrap_or_default(), &result["message"], &result["error"])
            })
            .collect();
    }
    (0..messages).map(|_| said(answer.status, &body, &body)).collect()
}

fn said(status: u16, message: &Value, error: &Value) -> Said {
    let id = message["id"].as_str().and_then(|id| id.parse().ok());
    match (status, id) {
        (202, Some(id)) => Said::Accepted(Accepted::Message(id)),
        (409, _) if error["code"] == "event_id_taken" => Said::Accepted(Accepted::EventIdTaken),
        (429, _) => Said::Later,
        (500.., _) => Said::Unknown,
        _ => Said::Refused(format!("{status} {error}")),
    }
}
