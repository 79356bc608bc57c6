//! Claims from the queue what is due, for lanes that have room. The claim schedule says for which endpoints; the database is
//! not asked while nothing is due. A sweep of the whole queue finds endpoints that the claim schedule does not have.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::store::{ClaimRequest, ClaimResult, StoreError};
use crate::telemetry::metrics;

use super::claim_cursors::ClaimCursors;
use super::lanes::Claimable;
use super::{CLAIM_LEASE, Dispatcher};

/// Endpoints in one claim at most.
const MAX_ENDPOINTS_PER_CLAIM: usize = 64;
/// A claim that may return this many rows takes no further endpoint.
const ENOUGH_ROWS_PER_CLAIM: usize = 2048;
/// After a claim of fewer rows than this, a pause lets what becomes due meanwhile be claimed together.
const SMALL_CLAIM_ROWS: usize = 64;
const PAUSE_AFTER_SMALL_CLAIM: Duration = Duration::from_millis(10);
/// Endpoints in a page of a sweep.
const SWEEP_PAGE_ENDPOINTS: usize = 1000;
/// A sweep so often. It finds what notices and timers missed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(15);
/// After a sweep, none follows for this many times as long as it took, so that sweeps take a twentieth of the time.
const SWEEP_REST_FACTOR: u32 = 20;
/// However long a sweep took, the next one follows within this time.
const MAX_SWEEP_REST: Duration = Duration::from_secs(30);
/// While memory is short, or this node has no lease.
const PAUSE_WITHOUT_ROOM: Duration = Duration::from_millis(50);
/// While the database does not answer.
pub(super) const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// Claims for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    let epoch = dispatcher.deps.lease.epoch();
    let progress = dispatcher.deps.health.claims.clone();
    let mut claimer =
        Claimer { dispatcher, epoch, cursors: ClaimCursors::default(), sweep_interval: SWEEP_INTERVAL };
    loop {
        claimer.dispatcher.claim_schedule.wait_until_due().await;
        progress.begin();
        let pause = match claimer.claim_once().await {
            Ok(pause) => {
                progress.done();
                pause
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "claiming failed");
                // The endpoints of this claim are taken from the claim schedule, and their rows still in the queue: a sweep finds them.
                // If rows were claimed and the answer was lost, the search for lost claims in `rescue/` releases them.
                claimer.dispatcher.claim_schedule.sweep_now();
                PAUSE_AFTER_ERROR
            }
        };
        tokio::time::sleep(pause).await;
    }
}

struct Claimer {
    dispatcher: Arc<Dispatcher>,
    /// The epoch of the last claim.
    epoch: i64,
    cursors: ClaimCursors,
    sweep_interval: Duration,
}

impl Claimer {
    /// Claims once for what is due, and returns how long to wait before doing so again.
    async fn claim_once(&mut self) -> Result<Duration, StoreError> {
        let dispatcher = self.dispatcher.clone();
        let epoch = dispatcher.deps.lease.epoch();
        if !dispatcher.deps.lease.covers(epoch) || dispatcher.memory.is_short() {
            // Memory is freed when requests under way are recorded; the lease's keeper gets the lease back.
            return Ok(PAUSE_WITHOUT_ROOM);
        }
        if epoch != self.epoch {
            // Everything that the epoch before owned is in the queue again.
            self.epoch = epoch;
            dispatcher.claim_schedule.sweep_now();
        }
        let now = Instant::now();
        if dispatcher.claim_schedule.begin_sweep(now, now + self.sweep_interval) {
            self.sweep(now).await?;
        }
        let asked_at = Instant::now();
        let asks = self.asks(asked_at);
        if asks.is_empty() {
            return Ok(Duration::ZERO);
        }
        let claims = dispatcher.deps.queue.claim_due(epoch, CLAIM_LEASE, &asks).await?;
        metrics::count(&metrics::current().batch_claims, claims.rows.len());
        self.note_claimed(&asks, &claims, asked_at);
        let small = claims.rows.len() < SMALL_CLAIM_ROWS;
        dispatcher.load_claimed(epoch, claims.rows, asked_at).await;
        Ok(if small { PAUSE_AFTER_SMALL_CLAIM } else { Duration::ZERO })
    }

    /// Asks the whole queue which endpoints have something due before the sweep after the next one.
    async fn sweep(&mut self, began_at: Instant) -> Result<(), StoreError> {
        let claim_schedule = &self.dispatcher.claim_schedule;
        self.cursors.forget_old(began_at);
        let horizon = self.sweep_interval * 2;
        let mut after = Uuid::nil();
        let mut took = Duration::ZERO;
        let mut overdue = None;
        loop {
            let asked_at = Instant::now();
            let page = self.dispatcher.deps.queue.sweep_due(after, horizon, SWEEP_PAGE_ENDPOINTS).await?;
            let now = Instant::now();
            took += now - asked_at;
            for due in &page {
                claim_schedule.schedule_no_later_than(due.endpoint_id, now + due.wait);
                overdue = overdue.max(Some(due.overdue).filter(|by| !by.is_zero()));
            }
            let more = page.len() >= SWEEP_PAGE_ENDPOINTS && !claim_schedule.is_full();
            let Some(last) = page.last().filter(|_| more) else { break };
            after = last.endpoint_id.uuid();
        }
        self.dispatcher.deps.health.set_longest_overdue(overdue);
        let rest = (took * SWEEP_REST_FACTOR).min(MAX_SWEEP_REST);
        self.sweep_interval = SWEEP_INTERVAL.max(rest);
        claim_schedule.allow_no_sweep_before(Instant::now() + rest);
        Ok(())
    }

    /// What to claim: for the endpoints that are due, as far as their lanes have room.
    fn asks(&self, now: Instant) -> Vec<ClaimRequest> {
        let mut asks = Vec::new();
        let mut rows = 0;
        while asks.len() < MAX_ENDPOINTS_PER_CLAIM
            && rows < ENOUGH_ROWS_PER_CLAIM
            && let Some(endpoint_id) = self.dispatcher.claim_schedule.take_due(now)
        {
            let claimable = self.dispatcher.lanes().claimable(endpoint_id, now);
            match claimable {
                // A lane without room puts its endpoint back on the claim schedule when it has room again.
                Claimable::Rows(0) => {}
                Claimable::Rows(quota) => {
                    rows += usize::from(quota);
                    asks.push(ClaimRequest { endpoint_id, floor: self.cursors.of(endpoint_id, now), quota });
                }
                Claimable::NothingUntil(at) => {
                    self.dispatcher.claim_schedule.schedule_no_later_than(endpoint_id, at);
                }
                // The node that sends may not know what this one has put into the queue.
                Claimable::Elsewhere => self.dispatcher.announcements.add(endpoint_id),
            }
        }
        asks
    }

    /// Notes where the next claims for these endpoints begin to read, and when they are due.
    fn note_claimed(&mut self, asks: &[ClaimRequest], claims: &ClaimResult, asked_at: Instant) {
        let mut taken: HashMap<_, (u16, _)> = HashMap::new();
        for row in &claims.rows {
            let (count, last) = taken.entry(row.endpoint_id).or_insert((0, row.due_at));
            *count += 1;
            *last = row.due_at.max(*last);
        }
        for ask in asks {
            if let (Some((count, last)), Some(claimed_at)) = (taken.get(&ask.endpoint_id), claims.claimed_at)
            {
                self.cursors.advance(ask.endpoint_id, *last, claimed_at, asked_at);
                // There may be more.
                if *count == ask.quota {
                    self.dispatcher.claim_schedule.schedule_no_later_than(ask.endpoint_id, asked_at);
                }
            }
        }
        for (endpoint, wait) in &claims.waits {
            self.dispatcher.claim_schedule.schedule_no_later_than(*endpoint, Instant::now() + *wait);
        }
    }
}
