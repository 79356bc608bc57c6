//! Posting messages, at a pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Uri};

use crate::Options;
use crate::client::Connection;
use crate::measure::Durations;
use crate::target::Target;

/// How messages are posted.
#[derive(Clone, Copy)]
pub enum Pace {
    /// So many loops, each posting as soon as it was answered.
    Closed(usize),
    /// So many a second, whatever the answers.
    Steady(u64),
}

/// A run of posts: when each was sent, and how long its answer took.
#[derive(Default)]
pub struct Posts {
    /// Numbers that were answered with success, and when each was sent.
    pub sent: Vec<(u64, Instant)>,
    /// How long the answers took.
    pub accept: Durations,
}

/// Where posts go.
#[derive(Clone)]
pub struct Destination {
    /// The server.
    pub base: Uri,
    /// The path to post to.
    pub path: String,
    /// Sent with each post.
    pub headers: HeaderMap,
    /// Fills the payload.
    pub filler: Arc<str>,
    /// Whether the payload stands alone, without the message around it.
    pub raw: bool,
    /// Whether it connects again after a broken connection, as a producer would.
    pub reconnects: bool,
}

impl Destination {
    /// The body of the post of that number.
    pub fn body(&self, number: u64) -> Bytes {
        let payload = format!("{{\"n\":{number},\"filler\":\"{}\"}}", self.filler);
        if self.raw {
            Bytes::from(payload)
        } else {
            Bytes::from(format!("{{\"eventType\":\"bench.posted\",\"payload\":{payload}}}"))
        }
    }
}

/// The filler that was asked for.
pub fn filler(options: &Options) -> Arc<str> {
    "x".repeat(options.filler).into()
}

/// Messages of an application.
pub fn messages(options: &Options, target: &Target, app: &str) -> Destination {
    Destination {
        base: target.base.clone(),
        path: format!("/api/v1/app/{app}/msg?with_content=false"),
        headers: target.headers.clone(),
        filler: filler(options),
        raw: false,
        reconnects: false,
    }
}

/// Posts for so many seconds.
pub async fn post(
    destination: &Destination,
    pace: Pace,
    seconds: u64,
    numbers: &Arc<AtomicU64>,
) -> anyhow::Result<Posts> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut loops = tokio::task::JoinSet::new();
    match pace {
        Pace::Closed(connections) => {
            for _ in 0..connections {
                let (destination, numbers) = (destination.clone(), numbers.clone());
                loops.spawn(async move {
                    let mut connection = Connection::open(&destination.base).await?;
                    let mut posts = Posts::default();
                    while Instant::now() < end {
                        one(&mut connection, &destination, &numbers, &mut posts).await?;
                    }
                    anyhow::Ok(posts)
                });
            }
        }
        Pace::Steady(rate) => {
            let connections = 32;
            // Those who post at a pace know nothing of one another: each run of posts has a phase of its own.
            let phase = rand::random::<f64>() / rate as f64;
            let first = tokio::time::Instant::now() + Duration::from_secs_f64(phase);
            for place in 0..connections {
                let (destination, numbers) = (destination.clone(), numbers.clone());
                loops.spawn(async move {
                    let mut connection = Connection::open(&destination.base).await?;
                    let mut posts = Posts::default();
                    let gap = Duration::from_secs(connections) / u32::try_from(rate)?;
                    let mut ticks = tokio::time::interval_at(
                        first + gap * u32::try_from(place)? / u32::try_from(connections)?,
                        gap,
                    );
                    while Instant::now() < end {
                        ticks.tick().await;
                        one(&mut connection, &destination, &numbers, &mut posts).await?;
                    }
                    anyhow::Ok(posts)
                });
            }
        }
    }
    let mut all = Posts::default();
    while let Some(posts) = loops.join_next().await {
        let posts = posts??;
        all.sent.extend(posts.sent);
        all.accept.extend(posts.accept);
    }
    Ok(all)
}

async fn one(
    connection: &mut Connection,
    destination: &Destination,
    numbers: &AtomicU64,
    posts: &mut Posts,
) -> anyhow::Result<()> {
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let body = destination.body(number);
    let began = Instant::now();
    if let Err(error) = connection.post(&destination.path, &destination.headers, body).await {
        if !destination.reconnects {
            return Err(error);
        }
        // Whether it was stored is open, so nothing is expected of it.
        tokio::time::sleep(Duration::from_millis(5)).await;
        if let Ok(anew) = Connection::open(&destination.base).await {
            *connection = anew;
        }
        return Ok(());
    }
    posts.accept.push(began.elapsed());
    posts.sent.push((number, began));
    Ok(())
}
