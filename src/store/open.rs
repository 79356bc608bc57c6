//! Opens the database: the rooms, and a pool for each kind of work, so that a burst of reads never keeps a writer
//! waiting, and nothing keeps the heartbeat waiting.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::domain::database_schema::SchemaName;
use crate::domain::main_secret::MainSecrets;
use crate::domain::policy::ServerPolicy;

use super::access::AccessStore;
use super::alerts::AlertStore;
use super::configuration::ConfigurationStore;
use super::database::Database;
use super::database::limits::Limits;
use super::database::pool::Pool;
use super::database::session_settings::SessionOptions;
use super::database::unusable::try_out;
use super::history::HistoryStore;
use super::live::LiveStore;
use super::operational::OperationalStore;
use super::portal::PortalStore;
use super::queue::QueueStore;
use super::queue::health::LastLook;
use super::rollup::RollupStore;
use super::sealing::SealingStore;
use super::tasks::TaskStore;
use super::upkeep::UpkeepStore;
use super::{Sealer, UnusableDatabase};

/// The host that a database URL leads to, by itself, its parameters or the environment; `None` for a socket of this machine, or
/// where it is no such URL.
pub fn database_host(url: &str) -> Option<String> {
    let options = PgConnectOptions::from_str(url).ok()?;
    options.get_socket().is_none().then(|| options.get_host().to_owned())
}

/// What the store needs to know.
#[derive(Clone)]
pub struct StoreOptions {
    /// `postgres://…`.
    pub database_url: String,
    /// The schema that the tables are in; without one, the one that a connection works in.
    pub schema: Option<SchemaName>,
    /// They seal endpoint secrets and headers.
    pub main_secrets: MainSecrets,
    /// Connections for the API and for configuration.
    pub api_connections: u32,
    /// How deliveries are treated where nobody says otherwise.
    pub policy: ServerPolicy,
}

/// The database in its rooms. Whoever works with it is handed the rooms that it needs. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// The schema.
    pub database: Database,
    /// Environments, applications, endpoints, event types, pauses.
    pub configuration: ConfigurationStore,
    /// What is to be delivered, and the nodes that do it.
    pub queue: QueueStore,
    /// What happened.
    pub history: HistoryStore,
    /// Keys, tokens, the audit log.
    pub access: AccessStore,
    /// Background tasks and replays.
    pub tasks: TaskStore,
    /// What the views of the console read.
    pub rollups: RollupStore,
    /// Maintenance.
    pub upkeep: UpkeepStore,
    /// Notices that become operational webhooks.
    pub operational: OperationalStore,
    /// Looks of the portal, and test inboxes.
    pub portal: PortalStore,
    /// Alerts.
    pub alerts: AlertStore,
    /// What those who watch are told.
    pub live: LiveStore,
    /// Which main secret seals.
    pub sealing: SealingStore,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What every session is like.
const BASE: [(&str, &str); 8] = [
    ("idle_in_transaction_session_timeout", "60s"),
    // A server may end idle sessions; that of a round of maintenance holds its lock while others do the work.
    ("idle_session_timeout", "0"),
    // So that the server lets go of the locks of a node whose host is gone.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "20s"),
    // Compiling a statement pays for long reports only; plans that avoid a scan look dear enough for it.
    ("jit", "off"),
    ("client_min_messages", "warning"),
];

/// The queue's statements must never flip to a scan: see "Planner flips" in ARCHITECTURE.md.
const STEADY: [(&str, &str); 5] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

fn settings(of: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    of.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// A page of the API is read, or a change made, in this time, or the caller is told that the database is unavailable.
const REQUEST: Limits =
    Limits { connections: 4, acquire: seconds(3), statement: seconds(15), lock: seconds(5), test_each: true };
/// A snapshot is a few rows by their keys; a message waits for it.
const SNAPSHOT: Limits =
    Limits { connections: 3, acquire: seconds(3), statement: seconds(6), lock: seconds(4), test_each: true };
/// Credentials are looked up before anything else is done for a caller, by their keys.
const ACCESS: Limits =
    Limits { connections: 3, acquire: seconds(3), statement: seconds(15), lock: seconds(5), test_each: true };
/// A batch of messages or outcomes takes milliseconds. What takes this long is settled as of unknown fate.
const WRITE: Limits =
    Limits { connections: 2, acquire: seconds(2), statement: seconds(6), lock: seconds(4), test_each: false };
/// Claims and what goes back to the queue.
const CLAIM: Limits = Limits { connections: 4, ..WRITE };
/// A heartbeat that takes longer than this is as good as none.
const VITAL: Limits =
    Limits { connections: 3, acquire: seconds(2), statement: seconds(2), lock: seconds(1), test_each: false };
/// A chunk of a background task, or a replay of one.
const TASK: Limits = Limits { connections: 3, ..REQUEST };
/// Rollups are written in batches by one task.
const ROLLUP: Limits = Limits { connections: 2, ..WRITE };
/// A view of the console reads a few rows by an index.
const VIEW: Limits = Limits { connections: 4, ..REQUEST };
/// Notices are sealed and taken by one node at a time.
const OPERATIONAL: Limits = Limits { connections: 2, ..REQUEST };
/// Looks and test inboxes: a few rows by their keys. Strangers reach them.
const PORTAL: Limits = Limits { connections: 2, ..REQUEST };
/// Alerts: a few rows now and then.
const ALERTS: Limits = Limits { connections: 2, ..REQUEST };
/// What those who watch are told; it may as well come late.
const LIVE: Limits = Limits { connections: 2, statement: seconds(5), ..REQUEST };
/// One row at the start, and the move to another main secret.
const SEALING: Limits = Limits { connections: 2, ..REQUEST };
/// Each kind of round of maintenance has one connection for its lock and one for its statements.
const UPKEEP: Limits = Limits {
    connections: 6,
    acquire: seconds(5),
    statement: seconds(120),
    lock: seconds(1),
    test_each: true,
};

impl Store {
    /// Connects once, to see that the database can be used; the pools connect when they are asked.
    ///
    /// # Errors
    /// [`UnusableDatabase`], which says what was tried, where, and what to do.
    pub async fn connect(options: &StoreOptions) -> Result<Self, UnusableDatabase> {
        let connect = PgConnectOptions::from_str(&options.database_url)
            .map_err(|error| UnusableDatabase::of_url(&error))?
            .application_name("postrider");
        let found = try_out(&connect, &options.database_url).await?;
        let schema = options.schema.clone().map_or_else(|| found.schema(), Ok);
        let schema = schema.map_err(|error| UnusableDatabase::of_schema(&error, &connect))?;
        let sessions =
            SessionOptions::new(connect, schema).with(&settings(&BASE)).with(&settings(found.settings()));
        Self::with_pools(&sessions, options)
            .map_err(|error| UnusableDatabase::of(&error, sessions.connect_options()))
    }

    fn with_pools(base: &SessionOptions, options: &StoreOptions) -> Result<Self, sqlx::Error> {
        let steady = base.with(&settings(&STEADY));
        // Lists have optional filters: a plan that is made for the values at hand finds the index that fits them.
        let reading = base.with(&settings(&[("plan_cache_mode", "force_custom_plan")]));
        let lists = Limits { connections: options.api_connections as usize, ..REQUEST };
        let sealer = Sealer::new(&options.main_secrets);
        Ok(Self {
            configuration: ConfigurationStore {
                pool: pool("configuration", &reading, REQUEST)?,
                snapshot_pool: pool("snapshots", &reading, SNAPSHOT)?,
                sealer: sealer.clone(),
                server_policy: options.policy.clone(),
            },
            queue: QueueStore {
                ingest: pool("ingest", &steady, WRITE)?,
                record: pool("record", &steady, WRITE)?,
                claims: pool("claims", &steady, CLAIM)?,
                vital: pool("vital", &steady, VITAL)?,
                last_look: LastLook::default(),
                sessions: base.clone(),
                main_secrets: options.main_secrets.clone(),
            },
            history: HistoryStore { pool: pool("history", &reading, lists)? },
            access: AccessStore { pool: pool("access", &reading, ACCESS)?, sealer: sealer.clone() },
            alerts: AlertStore { pool: pool("alerts", &reading, ALERTS)?, sealer: sealer.clone() },
            tasks: TaskStore { pool: pool("tasks", &reading, TASK)? },
            rollups: RollupStore {
                writing: pool("rollup", &steady, ROLLUP)?,
                reading: pool("views", &reading, VIEW)?,
            },
            upkeep: UpkeepStore { pool: pool("upkeep", &steady, UPKEEP)? },
            operational: OperationalStore { pool: pool("operational", &reading, OPERATIONAL)? },
            portal: PortalStore { pool: pool("portal", &reading, PORTAL)? },
            sealing: SealingStore { pool: pool("sealing", &steady, SEALING)?, sealer },
            live: LiveStore { pool: pool("live", &reading, LIVE)?, sessions: base.clone() },
            database: Database { sessions: base.clone() },
        })
    }

    /// Gives every connection back. Statements under way finish first.
    pub async fn close(&self) {
        for pool in self.pools() {
            pool.close().await;
        }
    }

    /// Tells the metrics how many connections there are.
    pub fn measure_pools(&self) {
        self.pools().into_iter().for_each(Pool::measure);
    }

    fn pools(&self) -> [&Pool; 17] {
        let Self {
            configuration,
            queue,
            history,
            access,
            alerts,
            tasks,
            rollups,
            upkeep,
            operational,
            portal,
            live,
            sealing,
            database: _,
        } = self;
        [
            &queue.ingest,
            &queue.record,
            &queue.claims,
            &queue.vital,
            &upkeep.pool,
            &operational.pool,
            &rollups.writing,
            &rollups.reading,
            &portal.pool,
            &live.pool,
            &sealing.pool,
            &tasks.pool,
            &history.pool,
            &access.pool,
            &alerts.pool,
            &configuration.snapshot_pool,
            &configuration.pool,
        ]
    }
}

fn pool(name: &'static str, options: &SessionOptions, limits: Limits) -> Result<Pool, sqlx::Error> {
    Pool::new(name, options, limits)
        .map_err(|error| sqlx::Error::Protocol(format!("a pool of connections cannot be made: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_database_is_read_as_a_connection_to_it_does() {
        for (url, host) in [
            ("postgres://user:pass@203.0.113.7:5432/db", Some("203.0.113.7")),
            ("postgres://db.example/db", Some("db.example")),
            ("postgres:///db?host=db.example", Some("db.example")),
            ("postgres://other.example/db?host=db.example", Some("db.example")),
            ("postgres:///db?hostaddr=203.0.113.7", Some("203.0.113.7")),
            ("postgres:///db?host=/run/postgresql", None),
            ("postgres://%2Frun%2Fpostgresql/db", None),
            ("no URL", None),
        ] {
            assert_eq!(database_host(url).as_deref(), host, "{url}");
        }
    }
}
