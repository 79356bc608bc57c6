//! What has to be done from time to time: partitions made ahead and dropped behind, `eventId`s freed, deliveries
//! buried that can reach nobody any more, endpoints disabled that only fail, payloads expunged whose time is over.
//!
//! Every node with this role ticks, by a local schedule; an advisory lock in the database lets one of them work at
//! a time. Whatever fails is logged and tried again at the next tick: partitions are made a week ahead, and a
//! default partition catches what has none, so nothing depends on a single tick.

mod failing;

use std::time::Duration;

use chrono::TimeDelta;
use tokio_cron_scheduler::{Job as Tick, JobScheduler as Schedule, JobSchedulerError as ScheduleError};
use tokio_util::task::TaskTracker;

use crate::store::{MaintenanceSession, Store, StoreError};

/// What can reach nobody any more: each minute.
const MINUTELY: &str = "20 * * * * *";
/// Partitions: at seven minutes past each hour.
const HOURLY: &str = "0 7 * * * *";
/// What reads whole tables: once a night.
const NIGHTLY: &str = "0 37 3 * * *";

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct MaintenanceOptions {
    /// Messages, deliveries and attempts.
    pub retention: Duration,
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

/// What a tick does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Deliveries that can reach nobody.
    Minutely,
    /// Partitions.
    Hourly,
    /// What reads whole tables.
    Nightly,
}

impl Maintenance {
    /// Does the hourly round once, so that there are partitions before anything is written, and then as scheduled.
    ///
    /// # Errors
    /// [`MaintenanceError`], when the first round fails.
    pub async fn start(store: Store, options: MaintenanceOptions) -> Result<Self, MaintenanceError> {
        run(&store, options, Round::Hourly).await?;
        let under_way = TaskTracker::new();
        let schedule = Schedule::new().await?;
        for (when, round) in [(MINUTELY, Round::Minutely), (HOURLY, Round::Hourly), (NIGHTLY, Round::Nightly)]
        {
            let (store, under_way) = (store.clone(), under_way.clone());
            let tick = Tick::new_async(when, move |_, _| {
                let store = store.clone();
                Box::pin(under_way.track_future(async move {
                    if let Err(error) = run(&store, options, round).await {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            ?round,
                            "maintenance failed"
                        );
                    }
                }))
            })?;
            schedule.add(tick).await?;
        }
        if let Some(after) = options.disable_after {
            schedule.add(watch_failing(store, after, under_way.clone())?).await?;
        }
        schedule.start().await?;
        Ok(Self { schedule, under_way })
    }

    /// Stops the ticks and waits for the one that is under way.
    pub async fn stop(mut self) {
        if let Err(error) = self.schedule.shutdown().await {
            tracing::debug!(%error, "the schedule of maintenance had stopped");
        }
        self.under_way.close();
        self.under_way.wait().await;
    }
}

/// Disables what only fails, from time to time.
fn watch_failing(store: Store, after: Duration, under_way: TaskTracker) -> Result<Tick, ScheduleError> {
    Tick::new_repeated_async(failing::every(after), move |_, _| {
        let store = store.clone();
        Box::pin(under_way.track_future(async move {
            if let Err(error) = failing::disable_failing(&store, after).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "endpoints that only fail could not be disabled");
            }
        }))
    })
}

/// How many deliveries are buried in one transaction.
const BURY_AT_ONCE: i64 = 500;
/// Rows that are erased in one statement.
const ERASE_AT_ONCE: i64 = 500;
/// How many payloads are expunged in one transaction.
const EXPUNGE_AT_ONCE: i64 = 500;

/// One round, unless another node is at it. Says whether it was done.
///
/// # Errors
/// [`StoreError`]; what was done before stays done.
pub async fn run(store: &Store, options: MaintenanceOptions, round: Round) -> Result<bool, StoreError> {
    let Some(mut session) = store.begin_maintenance().await? else {
        tracing::debug!(?round, "another node does the maintenance");
        return Ok(false);
    };
    let done = work(store, &mut session, options, round).await;
    session.end().await;
    done.map(|()| true)
}

async fn work(
    store: &Store,
    session: &mut MaintenanceSession,
    options: MaintenanceOptions,
    round: Round,
) -> Result<(), StoreError> {
    let retention = TimeDelta::from_std(options.retention).unwrap_or(TimeDelta::MAX);
    match round {
        Round::Minutely => {
            erase_deleted(store).await?;
            let mut buried = 0;
            loop {
                let chunk = store.bury_unreachable(options.hold_limit, BURY_AT_ONCE).await?;
                buried += chunk;
                if chunk < BURY_AT_ONCE.cast_unsigned() {
                    break;
                }
            }
            if buried > 0 {
                tracing::info!(buried, "deliveries that can reach nobody are dead letters now");
            }
            expunge_expired(store).await?;
        }
        Round::Hourly => {
            let made = session.make_partitions().await?;
            let dropped = session.drop_partitions(retention).await?;
            let strays = session.delete_strays(retention).await?;
            let folded = session.fold_rollups().await?;
            tracing::debug!(folded, "rollups of past hours");
            if made > 0 || !dropped.is_empty() || strays > 0 {
                tracing::info!(made, dropped = dropped.join(" "), strays, "partitions");
            }
        }
        Round::Nightly => {
            let freed = session.delete_event_ids(retention).await?;
            let forgotten = session.delete_old_rollups().await?;
            store.delete_expired_logouts().await?;
            tracing::info!(freed, forgotten, "event ids and rollups past their retention");
            let audit_retention = TimeDelta::from_std(options.audit_retention).unwrap_or(TimeDelta::MAX);
            let forgotten = store.delete_audit_entries(audit_retention).await?;
            tracing::info!(freed, forgotten, "event ids and audit entries past their retention");
        }
    }
    Ok(())
}

/// Erases what deleted applications left behind.
async fn erase_deleted(store: &Store) -> Result<(), StoreError> {
    let mut erased = 0;
    loop {
        let chunk = store.erase_deleted(ERASE_AT_ONCE).await?;
        erased += chunk;
        if chunk == 0 {
            break;
        }
    }
    if erased > 0 {
        tracing::info!(erased, "messages and dead letters of deleted applications");
    }
    Ok(())
}

/// Expunges the payloads whose time is over.
async fn expunge_expired(store: &Store) -> Result<(), StoreError> {
    let mut expunged = 0;
    loop {
        let chunk = store.expunge_expired(EXPUNGE_AT_ONCE).await?;
        expunged += chunk;
        if chunk < EXPUNGE_AT_ONCE.cast_unsigned() {
            break;
        }
    }
    if expunged > 0 {
        tracing::info!(expunged, "payloads whose time is over");
    }
    Ok(())
}
