//! The engine of a node: its lease, its dispatcher, ingest in front of it, the replay runner beside it; started and
//! stopped in order.

use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::dispatch::{DispatchOptions, Dispatcher, LaneLimits, Parts, Running};
use crate::domain::clock::Clock;
use crate::ingest::{Ingest, Writers};
use crate::lease::{self, KeeperEnd, Lease};
use crate::operational::OperationalWebhooks;
use crate::replay::{ReplayHandle, ReplayRunner};
use crate::send::{EgressPolicy, OwnAddresses, Sender, SenderOptions};
use crate::store::{Credentials, Pictures, Store};

/// Deliveries that one endpoint's lane queues in memory.
const QUEUED_PER_LANE: usize = 1024;

/// A running engine.
pub struct Engine {
    /// Accepts messages.
    pub ingest: Ingest,
    /// What authentication knows.
    pub credentials: Credentials,
    /// Wakes the replay runner.
    pub replay: ReplayHandle,
    store: Store,
    lease: Lease,
    stop: CancellationToken,
    keeper: JoinHandle<KeeperEnd>,
    dispatching: Running,
    writers: Writers,
    runner: Option<ReplayRunner>,
    operational: Option<(OperationalWebhooks, CancellationToken)>,
    patience: Duration,
}

impl Engine {
    /// Joins as a node and starts to work; what delivers runs on `threads`. What a former self of this name left behind
    /// goes on at once.
    ///
    /// # Errors
    /// When the node cannot join, or the HTTP client cannot be made.
    pub async fn start(
        store: Store,
        config: &Config,
        clock: Clock,
        threads: &Handle,
    ) -> anyhow::Result<Self> {
        let sender = Sender::new(&SenderOptions {
            request_timeout: config.request_timeout,
            idle_timeout: config.connection_idle_timeout,
            connection_lifetime: config.connection_lifetime,
            egress: egress_policy(config),
            tls_ca_file: config.tls_ca_file.clone(),
        })?;
        let (lease, freed) = Lease::join(&store, &config.node_name).await.context("this node cannot join")?;
        tracing::info!(node = %config.node_name, epoch = lease.epoch(), freed, "joined");
        let paused = store.dispatching().await.context("the database cannot be asked")?.paused;
        let stop = CancellationToken::new();
        let keeper = threads.spawn(lease::keep(lease.clone(), store.clone(), stop.clone()));
        let pictures = Pictures::new(store.clone());
        let credentials = Credentials::new(store.clone());
        let parts = Parts {
            store: store.clone(),
            pictures: pictures.clone(),
            credentials: credentials.clone(),
            sender,
            lease: lease.clone(),
            clock,
            threads: threads.clone(),
        };
        let (dispatcher, dispatching) = Dispatcher::start(parts, dispatch_options(config, paused));
        let (ingest, writers) = Ingest::start(store.clone(), pictures, lease.clone(), dispatcher);
        let replay = ReplayHandle::default();
        let runner = config
            .roles
            .dispatcher
            .then(|| ReplayRunner::start(store.clone(), lease.clone(), &replay, stop.clone()));
        let operational = config.roles.dispatcher.then(|| {
            let stop = CancellationToken::new();
            let window = config.operational_window;
            (OperationalWebhooks::start(store.clone(), ingest.clone(), window, stop.clone()), stop)
        });
        let patience = config.shutdown_timeout;
        Ok(Self {
            ingest,
            credentials,
            replay,
            store,
            lease,
            stop,
            keeper,
            dispatching,
            writers,
            runner,
            operational,
            patience,
        })
    }

    /// Resolves when this node may not go on: another one has its name.
    pub async fn failed(&mut self) {
        if (&mut self.keeper).await.is_ok_and(|end| end == KeeperEnd::Stopped) {
            std::future::pending::<()>().await;
        }
    }

    /// Writes what was accepted, hands back what is queued, waits for the requests under way, records them, and
    /// leaves.
    pub async fn stop(self) {
        if let Some((operational, stop)) = self.operational {
            stop.cancel();
            operational.stopped().await;
        }
        self.writers.stop().await;
        self.dispatching.stop(self.patience).await;
        self.stop.cancel();
        if let Some(runner) = self.runner {
            runner.stopped().await;
        }
        if !self.keeper.is_finished() {
            let _ = self.keeper.await;
        }
        if let Err(error) = self.store.leave_node(self.lease.epoch()).await {
            tracing::warn!(%error, "this node could not leave; another will take its work over");
        }
    }
}

/// What this server's requests may reach.
pub fn egress_policy(config: &Config) -> EgressPolicy {
    let database = config.database_url.as_ref().map(ExposeSecret::expose_secret);
    EgressPolicy::new(&config.allow_subnets).refusing(OwnAddresses::with_database(database))
}

fn dispatch_options(config: &Config, paused: bool) -> DispatchOptions {
    let in_flight = config.max_in_flight_total as usize;
    DispatchOptions {
        lanes: LaneLimits {
            in_flight,
            in_flight_per_tenant: (in_flight / 4).max(1),
            queued_per_lane: QUEUED_PER_LANE,
        },
        memory_bytes: if config.roles.dispatcher { config.memory_budget_bytes } else { 0 },
        request_timeout: config.request_timeout,
        claims: config.roles.dispatcher,
        paused,
    }
}
