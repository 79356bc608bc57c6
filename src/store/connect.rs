//! The pools: one for each kind of work, so that a burst of reads never keeps a writer waiting, and nothing keeps the
//! heartbeat waiting.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::domain::schedule::RetrySchedule;

use super::connection::{Limits, Pool};
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
    pub(super) api: Pool,
    /// The batch writer of messages.
    pub(super) ingest: Pool,
    /// The batch writer of outcomes.
    pub(super) record: Pool,
    /// Claims, what goes back to the queue, the search for what nobody works on.
    pub(super) queue: Pool,
    /// Heartbeats and health: small statements that must never wait for others.
    pub(super) vital: Pool,
    /// Maintenance: what nobody waits for.
    pub(super) upkeep: Pool,
    /// For what needs a connection of sqlx's own: migrations, and listening.
    pub(super) options: PgConnectOptions,
    pub(super) sealer: Sealer,
    pub(super) default_schedule: RetrySchedule,
    pub(super) default_max_in_flight: u32,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A page of the API is read, or a change made, in this time, or the caller is told that the database is unavailable.
const API: Limits =
    Limits { connections: 8, acquire: seconds(3), statement: seconds(15), lock: seconds(5), test_each: true };
/// A batch of messages or outcomes takes milliseconds. What takes this long is settled as of unknown fate.
const WRITE: Limits =
    Limits { connections: 2, acquire: seconds(2), statement: seconds(6), lock: seconds(4), test_each: false };
const QUEUE: Limits = Limits { connections: 4, ..WRITE };
/// A heartbeat that takes longer than this is as good as none.
const VITAL: Limits =
    Limits { connections: 3, acquire: seconds(2), statement: seconds(2), lock: seconds(1), test_each: false };
/// Each kind of round of maintenance has one connection for its lock and one for its statements.
const UPKEEP: Limits = Limits {
    connections: 6,
    acquire: seconds(5),
    statement: seconds(120),
    lock: seconds(1),
    test_each: true,
};

impl Store {
    /// Connects. The first statement of each pool proves it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the URL does not parse or the database does not answer.
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let base =
            PgConnectOptions::from_str(&options.database_url)?.application_name("postrider").options([
                ("idle_in_transaction_session_timeout", "60s"),
                // So that the server lets go of the locks of a node whose host is gone.
                ("tcp_keepalives_idle", "10"),
                ("tcp_keepalives_interval", "5"),
                ("tcp_keepalives_count", "3"),
                ("tcp_user_timeout", "20s"),
                // Compiling a statement pays for long reports only; plans that avoid a scan look dear enough for it.
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
        let reading = base.clone().options([("plan_cache_mode", "force_custom_plan")]);
        let api = Limits { connections: options.api_connections as usize, ..API };
        let store = Self {
            api: pool(&reading, api)?,
            ingest: pool(&steady, WRITE)?,
            record: pool(&steady, WRITE)?,
            queue: pool(&steady, QUEUE)?,
            vital: pool(&steady, VITAL)?,
            upkeep: pool(&steady, UPKEEP)?,
            options: base,
            sealer: Sealer::new(&options.main_secret),
            default_schedule: options.retry_schedule.clone(),
            default_max_in_flight: options.max_in_flight,
        };
        drop(store.api.connection().await?);
        Ok(store)
    }

    /// Gives every connection back. Statements under way finish first.
    pub async fn close(&self) {
        for pool in [&self.ingest, &self.record, &self.queue, &self.vital, &self.upkeep, &self.api] {
            pool.close().await;
        }
    }

    /// A pool of one connection, as sqlx's listener wants it.
    pub(super) fn listening(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(VITAL.acquire)
            .connect_lazy_with(self.options.clone())
    }
}

fn pool(options: &PgConnectOptions, limits: Limits) -> Result<Pool, StoreError> {
    Pool::new(options.clone(), limits)
        .map_err(|error| StoreError::Inconsistent(format!("a pool of connections cannot be made: {error}")))
}
