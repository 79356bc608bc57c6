//! A day's life in minutes: millions of deliveries, a tenth of which fail at first and pass through the queue, so that
//! it is filled and emptied all the time. What is to be seen: the queue and its indexes stay as small at the end as at
//! the beginning, the deliveries grow by their rows alone, and the rate at the end is the rate at the beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{PgConnection, Row};

use crate::Options;
use crate::api::tenant;
use crate::evaluate::{ARRIVAL_TIMEOUT, add_counters, evaluate};
use crate::post::{Pace, Posts, messages, post};
use crate::receiver::Receiver;
use crate::report::Report;
use crate::target::Target;

const ENDPOINTS: u32 = 10;
/// Between two looks at the tables.
const SAMPLE_INTERVAL_SECONDS: u64 = 10;

/// What the tables take up.
#[derive(Clone, Copy)]
struct Sizes {
    pending_kib: i64,
    pending_index_kib: i64,
    delivery_bytes_a_row: f64,
}

/// Lives through so many deliveries.
pub async fn run(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    let settings = vec![("POSTRIDER_RETRY_SCHEDULE", "2s,2s,2s,2s,2s,2s".to_owned())];
    let target = Target::start(options, settings).await?;
    let mut paths: Vec<String> = (0..ENDPOINTS - 1).map(|n| format!("/ok/{n}")).collect();
    paths.push(format!("/flaky/{}", ENDPOINTS - 1));
    let app = tenant(&target, receiver, &paths).await?;
    let destination = messages(options, &target, &app);
    let numbers = Arc::new(AtomicU64::new(0));
    receiver.reset();
    let before = target.counters().await?;
    let began = Instant::now();
    let mut posts = Posts::default();
    let (mut rates, mut sizes) = (Vec::new(), Vec::new());
    while posts.sent.len() as u64 * u64::from(ENDPOINTS) < options.life {
        let interval = Instant::now();
        let delivered = receiver.delivered.load(Ordering::Relaxed);
        let more =
            post(&destination, Pace::Closed(options.connections), SAMPLE_INTERVAL_SECONDS, &numbers).await?;
        let delivered = receiver.delivered.load(Ordering::Relaxed) - delivered;
        rates.push(delivered as f64 / interval.elapsed().as_secs_f64());
        posts.sent.extend(more.sent);
        posts.accept.extend(more.accept);
        if let Some(mut database) = target.database().await? {
            sizes.push(measure(&mut database, posts.sent.len()).await?);
        }
    }
    let posted = began.elapsed().as_secs_f64();
    let messages = posts.sent.len() as u64;
    receiver.wait_for(messages * u64::from(ENDPOINTS), ARRIVAL_TIMEOUT).await;
    // The last outcomes are being recorded.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = target.counters().await?;
    let mut outcome = evaluate("life", receiver, posts, ENDPOINTS, posted, began);
    add_counters(&mut outcome, before, after, messages);
    outcome.note = note(&rates, &sizes);
    report.add(outcome)?;
    target.stop()
}

async fn measure(database: &mut PgConnection, messages: usize) -> anyhow::Result<Sizes> {
    let row = sqlx::query(
        "SELECT pg_table_size('pending') / 1024 AS pending, pg_indexes_size('pending') / 1024 AS indexes,
                (SELECT sum(pg_table_size(inhrelid))::bigint FROM pg_inherits
                 WHERE inhparent = 'delivery'::regclass) AS delivery",
    )
    .fetch_one(database)
    .await?;
    let rows = (messages.max(1) as f64) * f64::from(ENDPOINTS);
    Ok(Sizes {
        pending_kib: row.get("pending"),
        pending_index_kib: row.get("indexes"),
        delivery_bytes_a_row: row.get::<i64, _>("delivery") as f64 / rows,
    })
}

fn note(rates: &[f64], sizes: &[Sizes]) -> String {
    let share = (rates.len() / 5).max(1);
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let (first, last) = (mean(&rates[..share]), mean(&rates[rates.len() - share..]));
    let mut note = format!(
        "{first:.0}/s in the first fifth, {last:.0}/s in the last: {:.2} ×",
        if first > 0.0 { last / first } else { 0.0 }
    );
    let part = |sizes: &[Sizes]| {
        let most = |of: fn(&Sizes) -> i64| sizes.iter().map(of).max().unwrap_or(0);
        (most(|sizes| sizes.pending_kib), most(|sizes| sizes.pending_index_kib))
    };
    if let (Some(beginning), Some(end)) = (sizes.get(..share), sizes.get(sizes.len() - share..)) {
        let ((heap, index), (last_heap, last_index)) = (part(beginning), part(end));
        let bytes = |sizes: &[Sizes]| sizes.last().map_or(0.0, |sizes| sizes.delivery_bytes_a_row);
        note += &format!(
            "; pending {heap} KiB, then {last_heap} KiB; its indexes {index} KiB, then {last_index} KiB; \
             delivery {:.0} bytes a row, then {:.0}",
            bytes(beginning),
            bytes(end),
        );
    }
    note
}
