//! A running node: what `serve` and `dev` start and stop.
//!
//! Order of the start: the address of the API, so that a process that cannot serve touches nothing; the private Postgres,
//! if there is none other; the schema; partitions; the engine; the API. Stopping goes the other way, and the private
//! Postgres goes last, so that everything that was under way can still be recorded.

mod api_parts;
mod database;
mod metrics_listener;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use url::Url;

use crate::api;
use crate::config::Config;
use crate::dispatch::ThreadPool;
use crate::domain::access::actor::Actor;
use crate::domain::clock::Clock;
use crate::engine::{Engine, EngineDependencies};
use crate::listener::{BoundListener, Listener, descriptors};
use crate::maintenance::{Maintenance, MaintenanceOptions};
use crate::store::Store;
use crate::telemetry;

use api_parts::{api_state, listener_limits};
use metrics_listener::{MetricsListener, Sources};

pub use database::Database;
pub use database::Opening;

/// How long a stop waits for API requests under way.
const FINAL_ANSWERS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for anything once the private Postgres has ended: nothing can be recorded.
const STOP_TIMEOUT_WITHOUT_DATABASE: Duration = Duration::from_secs(1);

/// A node with everything that its roles ask for.
pub struct Server {
    database: Database,
    parts: Parts,
    address: Option<SocketAddr>,
    threads: NodeThreads,
}

/// They are dropped last, because database connections were opened on them.
struct NodeThreads {
    dispatch: ThreadPool,
    critical: ThreadPool,
}

/// Why a node cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its private Postgres ended.
    DatabaseEnded,
    /// Another running node has its name.
    NameInUse,
}

impl Failure {
    /// A sentence that says what to do.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::DatabaseEnded => {
                "the private Postgres ended; its log is postgres.log in the data directory"
            }
            Self::NameInUse => "another running node has this node's name; set POSTRIDER_NODE_NAME",
        }
    }
}

/// What runs on the database.
struct Parts {
    maintenance: Option<Maintenance>,
    engine: Option<Engine>,
    listener: Option<Listener>,
    metrics: Option<MetricsListener>,
}

/// Addresses that are bound before anything is touched.
struct Bound {
    api: Option<BoundListener>,
    metrics: Option<BoundListener>,
}

impl Bound {
    fn bind(config: &Config) -> anyhow::Result<Self> {
        let api = config.roles.api.then(|| BoundListener::bind(config.listen)).transpose()?;
        let metrics = config.metrics_listen.map(BoundListener::bind).transpose()?;
        Ok(Self { api, metrics })
    }
}

impl Server {
    /// Starts a node and returns when it works.
    ///
    /// # Errors
    /// When a part does not start; what had started is stopped.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let config = &within_descriptors(config);
        let bound = Bound::bind(config)?;
        if bound.metrics.is_some() {
            telemetry::metrics::install(Clock::default().now().timestamp())?;
        }
        let threads = NodeThreads {
            dispatch: ThreadPool::start_dispatch().context("no threads can be started")?,
            critical: ThreadPool::start_critical().context("no threads can be started")?,
        };
        let database = Database::open(config, Opening::Server).await?;
        let mut parts = Parts { maintenance: None, engine: None, listener: None, metrics: None };
        match parts.start(&database, config, &threads, bound).await {
            Ok(()) => {
                let address = parts.listener.as_ref().map(Listener::address);
                Ok(Self { database, parts, address, threads })
            }
            Err(error) => {
                // The error of the start says more than one of the stop.
                let _ = parts.stop(None).await;
                database.close().await?;
                Err(error)
            }
        }
    }

    /// Where the API listens; `None` when this node has no API.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// A link that signs in to the console, if this node serves one and nobody could sign in before.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn first_sign_in_link(&self, config: &Config) -> anyhow::Result<Option<Url>> {
        if !config.console || !config.roles.api {
            return Ok(None);
        }
        let made = self.database.store.access.make_first_sign_in_link(&Actor::system("first start")).await?;
        Ok(made.map(|link| api::sign_in_url(&config.links_start_with(), &link)))
    }

    /// The database that it works with.
    pub fn store(&self) -> &Store {
        &self.database.store
    }

    /// Resolves when the node cannot go on, and says why.
    pub async fn failed(&mut self) -> Failure {
        let engine = async {
            match &mut self.parts.engine {
                Some(engine) => engine.failed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.database.ended() => Failure::DatabaseEnded,
            () = engine => Failure::NameInUse,
        }
    }

    /// Drains and stops. After a failure it does not wait for what cannot be recorded any more.
    ///
    /// # Errors
    /// When something was left undone, or the private Postgres cannot be stopped.
    pub async fn stop(self, failure: Option<Failure>) -> anyhow::Result<()> {
        let timeout =
            failure.filter(|why| *why == Failure::DatabaseEnded).map(|_| STOP_TIMEOUT_WITHOUT_DATABASE);
        let stopped = self.parts.stop(timeout).await;
        self.database.close().await?;
        drop(self.threads);
        stopped
    }
}

impl Parts {
    async fn start(
        &mut self,
        database: &Database,
        config: &Config,
        threads: &NodeThreads,
        bound: Bound,
    ) -> anyhow::Result<()> {
        database.prepare(config.migrate).await?;
        if config.roles.maintenance {
            let options = MaintenanceOptions {
                retention: config.retention,
                dead_letter_retention: config.dead_letter_retention,
                hold_limit: config.hold_limit,
                audit_retention: config.audit_retention,
                disable_after: config.endpoint_disable_after,
            };
            self.maintenance = Some(Maintenance::start(database.store.upkeep.clone(), options).await?);
        }
        let mut sources = Sources { store: database.store.clone(), node: None, budgets: None };
        if config.roles.api || config.roles.dispatcher {
            self.start_engine(database, config, threads, bound.api, &mut sources).await?;
        }
        self.metrics = bound.metrics.map(|bound| MetricsListener::start(bound, sources));
        Ok(())
    }

    async fn start_engine(
        &mut self,
        database: &Database,
        config: &Config,
        threads: &NodeThreads,
        bound: Option<BoundListener>,
        sources: &mut Sources,
    ) -> anyhow::Result<()> {
        let clock = Clock::default();
        let address = bound.as_ref().map(|bound| address_with_host(bound.address())).unwrap_or_default();
        let dependencies = EngineDependencies {
            store: database.store.clone(),
            clock: clock.clone(),
            threads: threads.dispatch.handle(),
            critical_threads: threads.critical.handle(),
            address: &address,
            public_url: &config.links_start_with(),
        };
        let engine = self.engine.insert(Engine::start(config, dependencies).await?);
        sources.node = Some(engine.view());
        if let Some(bound) = bound {
            let state = api_state(&database.store, engine, config, clock)?;
            sources.budgets = Some(state.budgets.clone());
            self.listener = Some(Listener::start(bound, api::router(state), listener_limits(config)));
        }
        Ok(())
    }

    /// Stops in the order of the flow: first nothing new is accepted, then what is here is delivered.
    async fn stop(self, timeout: Option<Duration>) -> anyhow::Result<()> {
        if let Some(engine) = &self.engine {
            engine.end_streams();
        }
        if let Some(listener) = self.listener {
            listener.stop(timeout.unwrap_or(FINAL_ANSWERS_TIMEOUT)).await;
        }
        let stopped = match self.engine {
            Some(engine) => engine.stop(timeout).await,
            None => Ok(()),
        };
        if let Some(maintenance) = self.maintenance
            && tokio::time::timeout(FINAL_ANSWERS_TIMEOUT, maintenance.stop()).await.is_err()
        {
            tracing::warn!("maintenance was still under way at the end; another node goes on with it");
        }
        // Last, so that the end can be watched.
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
        stopped
    }
}

/// The configuration with as many connections and requests at a time as this process may have sockets.
fn within_descriptors(config: &Config) -> Config {
    let limit = descriptors::raised_limit();
    let wanted = (config.intake.max_connections, config.max_in_flight_total);
    // Besides the API's, the engine has its own connections to the database.
    let shares = descriptors::shares(limit, wanted.0, wanted.1, config.api_connections + 16);
    if (shares.connections, shares.deliveries) != wanted {
        tracing::warn!(
            descriptors = limit,
            connections = shares.connections,
            deliveries = shares.deliveries,
            "there are too few descriptors for what is set; raise the limit (ulimit -n, LimitNOFILE)"
        );
    }
    let mut fitted = config.clone();
    fitted.intake.max_connections = shares.connections;
    fitted.max_in_flight_total = shares.deliveries;
    fitted
}

/// An address that no two processes can have at the same time: the host since it was started, its network namespace, and
/// the bound address. Empty where Linux does not say so, as hosts of one name could then be taken for one.
fn address_with_host(address: SocketAddr) -> String {
    let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let network = std::fs::read_link("/proc/self/ns/net").unwrap_or_default();
    if cfg!(target_os = "linux") && (boot.trim().is_empty() || network.as_os_str().is_empty()) {
        return String::new();
    }
    format!("{host} {} {} {address}", boot.trim(), network.display())
}
