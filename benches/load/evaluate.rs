//! The result of a run: what was posted, compared with what has arrived.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::measure::Durations;
use crate::post::Posts;
use crate::receiver::{Arrivals, Receiver};
use crate::report::Outcome;
use crate::target::Counters;

/// A delivery that has not arrived when nothing has arrived for this long is missing.
pub const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(15);

/// What was seen of messages.
#[derive(Default)]
pub struct Tally {
    /// How many there were.
    pub messages: u64,
    /// How long their answers took.
    pub accept: Durations,
    /// How long their deliveries took.
    pub end_to_end: Durations,
    /// Deliveries that came once or more.
    pub delivered: u64,
    /// Deliveries that never came.
    pub missing: u64,
    /// How often one came that had come before.
    pub duplicates: u64,
    /// How many were signed wrongly.
    pub bad_signatures: u64,
}

impl Tally {
    /// Holds posts against what has arrived for these endpoints.
    pub fn count(&mut self, posts: Posts, endpoints: Range<u32>, arrivals: &Arrivals) {
        self.accept.extend(posts.accept);
        for (number, sent) in posts.sent {
            self.messages += 1;
            for endpoint in endpoints.clone() {
                match arrivals.seen.get(&(number, endpoint)) {
                    Some((at, times)) => {
                        self.end_to_end.push(at.saturating_duration_since(sent));
                        self.delivered += 1;
                        self.duplicates += u64::from(times - 1);
                    }
                    None => self.missing += 1,
                }
            }
        }
    }

    /// Both together.
    pub fn add(&mut self, more: Self) {
        self.messages += more.messages;
        self.accept.extend(more.accept);
        self.end_to_end.extend(more.end_to_end);
        self.delivered += more.delivered;
        self.missing += more.missing;
        self.duplicates += more.duplicates;
        self.bad_signatures += more.bad_signatures;
    }

    /// As a case of that name, posted and delivered in so many seconds.
    pub fn outcome(mut self, name: &str, posted: f64, delivered: f64) -> Outcome {
        Outcome {
            case: name.to_owned(),
            accepted_per_second: self.messages as f64 / posted,
            delivered_per_second: self.delivered as f64 / delivered,
            accept: self.accept.summary(),
            end_to_end: self.end_to_end.summary(),
            missing: self.missing,
            duplicates: self.duplicates,
            bad_signatures: self.bad_signatures,
            ..Outcome::default()
        }
    }
}

/// What posts came to at a tenant with healthy endpoints.
pub fn evaluate(
    name: &str,
    receiver: &Receiver,
    posts: Posts,
    endpoints: u32,
    posted: f64,
    began: Instant,
) -> Outcome {
    let mut tally =
        Tally { bad_signatures: receiver.bad_signatures.load(Ordering::Relaxed), ..Tally::default() };
    let arrivals = receiver.take();
    tally.count(posts, 0..endpoints, &arrivals);
    let last = arrivals.seen.values().map(|(at, _)| *at).max().unwrap_or(began);
    tally.outcome(name, posted, last.saturating_duration_since(began).as_secs_f64().max(posted))
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
