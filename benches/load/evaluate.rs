//! What a run has come to: what was posted, held against what has arrived.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::measure::Durations;
use crate::post::Posts;
use crate::receiver::Receiver;
use crate::report::Outcome;
use crate::target::Counters;

/// A delivery that has not come when nothing has come for so long is missing.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// What posts came to at a tenant with healthy endpoints.
pub fn evaluate(
    name: &str,
    receiver: &Receiver,
    mut posts: Posts,
    endpoints: u32,
    posted: f64,
    began: Instant,
) -> Outcome {
    let bad_signatures = receiver.bad_signatures.load(Ordering::Relaxed);
    let arrivals = receiver.take();
    let last = arrivals.seen.values().map(|(at, _)| *at).max().unwrap_or(began);
    let mut end_to_end = Durations::default();
    let (mut missing, mut duplicates) = (0, 0);
    for (number, sent) in &posts.sent {
        for endpoint in 0..endpoints {
            match arrivals.seen.get(&(*number, endpoint)) {
                Some((at, times)) => {
                    end_to_end.push(at.saturating_duration_since(*sent));
                    duplicates += u64::from(times - 1);
                }
                None => missing += 1,
            }
        }
    }
    let delivered = posts.sent.len() as u64 * u64::from(endpoints) - missing;
    Outcome {
        case: name.to_owned(),
        accepted_per_second: posts.sent.len() as f64 / posted,
        delivered_per_second: delivered as f64
            / last.saturating_duration_since(began).as_secs_f64().max(posted),
        accept: posts.accept.summary(),
        end_to_end: end_to_end.summary(),
        missing,
        duplicates,
        bad_signatures,
        ..Outcome::default()
    }
}

/// Adds what only a server of our own shows.
pub fn add_counters(outcome: &mut Outcome, before: Option<Counters>, after: Option<Counters>, messages: u64) {
    if let (Some(before), Some(after)) = (before, after) {
        add_spent(outcome, after.since(before), messages);
    }
}

/// The same of what was spent in the meantime.
pub fn add_spent(outcome: &mut Outcome, spent: Counters, messages: u64) {
    let each = |count: i64| Some(count as f64 / messages.max(1) as f64);
    outcome.statements_per_message = each(spent.statements);
    outcome.wal_bytes_per_message = each(spent.wal_bytes);
    let (updates, hot) = spent.delivery_updates;
    outcome.hot_share = (updates > 0).then(|| hot as f64 / updates as f64);
    outcome.cpu_postrider = spent.postrider.cpu_seconds;
    outcome.cpu_postgres = spent.postgres.cpu_seconds;
    outcome.peak_rss_mb = spent.postrider.peak_rss as f64 / 1e6;
}
