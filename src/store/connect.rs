//! The pools: one for each kind of work, so that a burst of reads never keeps a writer waiting.

use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::domain::schedule::RetrySchedule;

use super::{Sealer, StoreError};

/// What the store needs to know.
#[derive(Clone)]
pub struct StoreOptions {
    /// `postgres://…`.
    pub database_url: String,
    /// Seals endpoint secrets and headers.
    pub main_secret: Vec<u8>,
    /// Connections for the API and for configuration.
    pub api_connections: u32,
    /// The schedule of applications and endpoints that have none of their own.
    pub retry_schedule: RetrySchedule,
    /// The concurrency of endpoints that have none of their own.
    pub max_in_flight: u32,
}

/// The database, as everything else sees it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Reads and configuration.
    pub(super) api: PgPool,
    /// The batch writer of messages.
    pub(super) ingest: PgPool,
    /// The batch writer of outcomes.
    pub(super) record: PgPool,
    /// Claims, heartbeats, maintenance.
    pub(super) queue: PgPool,
    pub(super) sealer: Sealer,
    pub(super) default_schedule: RetrySchedule,
    pub(super) default_max_in_flight: u32,
}

impl Store {
    /// Connects. The first statement of each pool proves it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the URL does not parse or the database does not answer.
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let base = PgConnectOptions::from_str(&options.database_url)?
            .application_name("postrider")
            // Compiling a statement pays for long reports only; plans that avoid a scan look dear enough for it.
            .options([
                ("idle_in_transaction_session_timeout", "60s"),
                ("jit", "off"),
                ("client_min_messages", "warning"),
            ]);
        // The queue's statements must never flip to a scan: see "Planner flips" in ARCHITECTURE.md.
        let steady = base.clone().options([
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("plan_cache_mode", "force_generic_plan"),
        ]);
        // Lists have optional filters: a plan that is made for the values at hand finds the index that fits them.
        let reading = base.options([("plan_cache_mode", "force_custom_plan")]);
        Ok(Self {
            api: pool(options.api_connections, true).connect_with(reading).await?,
            ingest: pool(2, false).connect_lazy_with(steady.clone()),
            record: pool(2, false).connect_lazy_with(steady.clone()),
            queue: pool(3, false).connect_lazy_with(steady),
            sealer: Sealer::new(&options.main_secret),
            default_schedule: options.retry_schedule.clone(),
            default_max_in_flight: options.max_in_flight,
        })
    }

    /// Gives every connection back. Statements under way finish first.
    pub async fn close(&self) {
        for pool in [&self.ingest, &self.record, &self.queue, &self.api] {
            pool.close().await;
        }
    }
}

fn pool(connections: u32, test: bool) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(test)
        .acquire_timeout(Duration::from_secs(10))
}
