//! Ceilings: the same bodies go straight to a receiver, with no sender in between.
//!
//! `raw` is this program's own client and receiver, bare hyper both. `raw, common client` is what most programs are
//! made of: reqwest against axum, as little as they do by default. The aims of the project were set beside the latter
//! kind, so the shares that are compared with them are shares of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use http::{HeaderMap, StatusCode};

use crate::Options;
use crate::measure::Durations;
use crate::post::{Destination, Pace, filler, post as post_at};
use crate::receiver::Receiver;
use crate::report::{Outcome, Report};

/// The longest that a ceiling is measured.
const MAX_CEILING_SECONDS: u64 = 5;

/// Measures both.
pub async fn run(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    let destination = Destination {
        base: format!("http://{}", receiver.address).parse()?,
        path: "/raw/0".to_owned(),
        headers: HeaderMap::new(),
        filler: filler(options),
        raw: true,
        reconnects: false,
    };
    receiver.reset();
    let seconds = options.seconds.min(MAX_CEILING_SECONDS);
    let began = Instant::now();
    let numbers = Arc::new(AtomicU64::new(0));
    let mut posts = post_at(&destination, Pace::Closed(options.connections), seconds, &numbers).await?;
    let rate = posts.sent.len() as f64 / began.elapsed().as_secs_f64();
    report.raw = rate;
    report.add(of("raw", rate, &mut posts.accept))?;
    let (rate, mut took) = common_client(options, seconds, &destination).await?;
    report.common = rate;
    report.add(of("raw, common client", rate, &mut took))
}

fn of(case: &str, rate: f64, accept: &mut Durations) -> Outcome {
    Outcome {
        case: case.to_owned(),
        accepted_per_second: rate,
        delivered_per_second: rate,
        accept: accept.summary(),
        ..Outcome::default()
    }
}

/// reqwest posts to axum.
async fn common_client(
    options: &Options,
    seconds: u64,
    destination: &Destination,
) -> anyhow::Result<(f64, Durations)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let answer = async |body: bytes::Bytes| {
        std::hint::black_box(body);
        StatusCode::NO_CONTENT
    };
    let router = Router::new().route("/", post(answer));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    // It is http, but the client asks for one all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let numbers = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let began = Instant::now();
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..options.connections {
        let (client, url, numbers) = (client.clone(), url.clone(), numbers.clone());
        let destination = destination.clone();
        loops.spawn(async move {
            let mut took = Durations::default();
            while Instant::now() < end {
                let body = destination.body(numbers.fetch_add(1, Ordering::Relaxed));
                let began = Instant::now();
                let request = client.post(&url).header("content-type", "application/json").body(body);
                request.send().await?.error_for_status()?.bytes().await?;
                took.push(began.elapsed());
            }
            anyhow::Ok(took)
        });
    }
    let mut all = Durations::default();
    while let Some(took) = loops.join_next().await {
        all.extend(took??);
    }
    let rate = numbers.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    serving.abort();
    Ok((rate, all))
}
