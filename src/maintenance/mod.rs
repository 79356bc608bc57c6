//! What has to be done from time to time: partitions are made ahead and dropped behind, deliveries that can never arrive
//! become dead letters, endpoints that only fail are disabled, payloads are expunged when their time is over, and
//! everything that is past its retention is deleted (`nightly.rs`).
//!
//! Every node with this role checks once a minute which rounds are due, by the database's clock and its record of rounds: a
//! round that was missed, because no process ran, is done later, and one that failed is tried again after a pause that grows.
//! An error of one part of a round stops no other part (`failures.rs`). Each kind of round has an advisory lock of its
//! own, so that one node at a time does it and a long one keeps no other kind waiting. What is deleted goes a bounded
//! number of rows at a time, by an index, each in a transaction of its own, with a pause in between (`chunks.rs`).
//! Partitions are made a week ahead, and a default partition catches what has none, so nothing depends on a single tick.

mod chunks;
mod erase;
mod failing;
mod failures;
mod hourly;
mod minutely;
mod nightly;
mod partitions;
mod round;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_cron_scheduler::{Job as Tick, JobScheduler as Schedule, JobSchedulerError as ScheduleError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::{MaintenanceSession, StoreError, UpkeepStore};

use chunks::Chunks;
use failures::Failures;
use round::Retry;

pub use round::Round;

/// Due rounds are looked for at twenty seconds past each minute.
const CHECK_SCHEDULE: &str = "20 * * * * *";

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct MaintenanceOptions {
    /// Messages, deliveries and attempts, where neither their application nor its environment says it; so with the next three.
    pub retention: Duration,
    /// Dead letters that were replayed or discarded, from then on.
    pub dead_letter_retention: Duration,
    /// Open dead letters; `None` for ever.
    pub open_dead_letter_retention: Option<Duration>,
    /// Background tasks, from their end on.
    pub task_retention: Duration,
    /// Deliveries whose endpoint is closed.
    pub hold_limit: Duration,
    /// Lines of the audit log.
    pub audit_retention: Duration,
    /// For how long an endpoint may fail before it is disabled; `None` for ever.
    pub disable_after: Option<Duration>,
}

/// Maintenance under way.
pub struct Maintenance {
    schedule: Schedule,
    under_way: TaskTracker,
    stop: CancellationToken,
}

/// Maintenance that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schedule does not start.
    #[error("the schedule of maintenance does not start")]
    Schedule(#[from] ScheduleError),
}

impl Maintenance {
    /// Makes partitions, so that they are there before anything is written, and then does what is due each minute. Where they
    /// cannot be made, such as while a backup reads the tables, the default partitions take what is written, and an hourly
    /// round is done soon, due or not.
    ///
    /// # Errors
    /// [`MaintenanceError`], when the database does not answer.
    pub async fn start(upkeep: UpkeepStore, options: MaintenanceOptions) -> Result<Self, MaintenanceError> {
        let mut hourly = Retry::default();
        if let Some(mut session) = upkeep.begin_maintenance(Round::Hourly.name()).await? {
            let mut failures = Failures::default();
            partitions::make(&mut session, &mut failures).await;
            session.end().await;
            if let Err(error) = failures.first() {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "partitions are missing; default partitions take what is written");
                hourly = Retry::owed(Round::Hourly, Instant::now());
            }
        }
        let (under_way, stop) = (TaskTracker::new(), CancellationToken::new());
        let schedule = Schedule::new().await?;
        for round in Round::ALL {
            let retry = if round == Round::Hourly { hourly } else { Retry::default() };
            let kind =
                RoundKind { upkeep: upkeep.clone(), options, round, retry: Arc::new(Mutex::new(retry)) };
            schedule.add(check_each_minute(kind, under_way.clone(), stop.clone())?).await?;
        }
        if let Some(after) = options.disable_after {
            schedule.add(watch_failing(upkeep, after, under_way.clone(), stop.clone())?).await?;
        }
        schedule.start().await?;
        Ok(Self { schedule, under_way, stop })
    }

    /// Stops the ticks and waits for what is under way, which ends after the transaction that it is at.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Err(error) = self.schedule.shutdown().await {
            tracing::debug!(%error, "the schedule of maintenance had stopped");
        }
        self.under_way.close();
        self.under_way.wait().await;
    }
}

/// A kind of round, and how it went on here.
#[derive(Clone)]
struct RoundKind {
    upkeep: UpkeepStore,
    options: MaintenanceOptions,
    round: Round,
    retry: Arc<Mutex<Retry>>,
}

impl RoundKind {
    async fn check(self, stop: &CancellationToken) {
        let Self { upkeep, options, round, retry } = self;
        let state = *retry.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.may_begin(Instant::now()) {
            return;
        }
        let done = if state.is_owed() {
            run_unless_taken(&upkeep, options, round, stop).await
        } else {
            run_if_due(&upkeep, options, round, stop).await
        };
        if let Err(error) = &done {
            tracing::warn!(error = error as &dyn std::error::Error, ?round, "maintenance failed");
        }
        // While another round of this kind is under way, it is left to that one.
        if !matches!(done, Ok(false)) {
            let state = state.after(round, done.is_ok(), Instant::now());
            *retry.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
    }
}

fn check_each_minute(
    kind: RoundKind,
    under_way: TaskTracker,
    stop: CancellationToken,
) -> Result<Tick, ScheduleError> {
    Tick::new_async(CHECK_SCHEDULE, move |_, _| {
        let (kind, stop) = (kind.clone(), stop.clone());
        under_way.spawn(async move { kind.check(&stop).await });
        Box::pin(std::future::ready(()))
    })
}

/// Disables what only fails, from time to time; one pass at a time.
fn watch_failing(
    upkeep: UpkeepStore,
    after: Duration,
    under_way: TaskTracker,
    stop: CancellationToken,
) -> Result<Tick, ScheduleError> {
    let one_at_a_time = Arc::new(tokio::sync::Mutex::new(()));
    Tick::new_repeated_async(failing::check_interval(after), move |_, _| {
        let (upkeep, stop, one_at_a_time) = (upkeep.clone(), stop.clone(), one_at_a_time.clone());
        Box::pin(under_way.track_future(async move {
            let Ok(_pass) = one_at_a_time.try_lock() else { return };
            if let Err(error) = failing::disable_failing(&upkeep, after, &stop).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "endpoints that only fail could not be disabled");
            }
        }))
    })
}

/// One round, whether or not it is due, unless another node is at it. Says whether it was done.
///
/// # Errors
/// [`StoreError`]; what was done before stays done.
pub async fn run(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    round: Round,
) -> Result<bool, StoreError> {
    run_unless_taken(upkeep, options, round, &CancellationToken::new()).await
}

async fn run_unless_taken(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    round: Round,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    let Some(session) = upkeep.begin_maintenance(round.name()).await? else { return Ok(false) };
    do_round(upkeep, session, options, round, stop).await.map(|()| true)
}

/// One round, if it is due and no other node is at it. Says whether it was done.
///
/// # Errors
/// [`StoreError`]; what was done before stays done, and the round stays due.
pub async fn run_if_due(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    round: Round,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    let (now, last) = upkeep.maintenance_rounds().await?;
    let last_begun_at = last.into_iter().find(|(name, _)| name == round.name()).map(|(_, at)| at);
    if !round.is_due(last_begun_at, now) {
        return Ok(false);
    }
    let Some(session) = upkeep.begin_maintenance(round.name()).await? else {
        tracing::debug!(?round, "another node does this round of maintenance");
        return Ok(false);
    };
    // Another node may have done it since.
    if !round.is_due(session.last_begun_at(), session.begun_at()) {
        session.end().await;
        return Ok(false);
    }
    do_round(upkeep, session, options, round, stop).await.map(|()| true)
}

async fn do_round(
    upkeep: &UpkeepStore,
    mut session: MaintenanceSession,
    options: MaintenanceOptions,
    round: Round,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let chunks = Chunks { stop };
    let mut done = match round {
        Round::Minutely => minutely::run(upkeep, session.last_begun_at(), options, chunks).await,
        Round::Hourly => hourly::run(upkeep, &mut session, options, chunks).await,
        Round::Nightly => nightly::run(upkeep, options, chunks).await,
    };
    if done.is_ok() && !stop.is_cancelled() {
        done = session.note_done().await;
    }
    session.end().await;
    done
}
