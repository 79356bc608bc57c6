//! The engine of a node: its lease, its dispatcher, ingest in front of it, the replay runner beside it; started and
//! stopped in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::background_tasks::{ReplayHandle, ReplayRunner};
use crate::config::Config;
use crate::dispatch::{
    CLAIM_LEASE, DispatchOptions, Dispatcher, DispatcherDependencies, LaneLimits, RunningDispatcher,
};
use crate::domain::clock::Clock;
use crate::ingest::{Ingest, Writers};
use crate::lease;
use crate::lease::{KeeperEnd, Lease};
use crate::notices::{Changes, Hearing};
use crate::operational::OperationalWebhooks;
use crate::rescue::Rescue;
use crate::send::{EgressPolicy, OwnAddresses, Sender, SenderOptions};
use crate::store::{Credentials, Snapshots, Store, Trust};
use crate::vitals::Vitals;

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
    /// How this node is.
    pub vitals: Vitals,
    /// Waits until a change is in force on every node.
    pub changes: Changes,
    store: Store,
    lease: Lease,
    stop: CancellationToken,
    keeper: JoinHandle<KeeperEnd>,
    rescue: JoinHandle<()>,
    dispatching: RunningDispatcher,
    writers: Writers,
    runner: Option<ReplayRunner>,
    operational: Option<(OperationalWebhooks, CancellationToken)>,
    patience: Duration,
}

/// What an engine stands on.
pub struct Foundation<'a> {
    /// The database.
    pub store: Store,
    /// The time of day.
    pub clock: Clock,
    /// The threads that deliver.
    pub threads: &'a Handle,
    /// The threads that nothing else may occupy.
    pub vital: &'a Handle,
    /// The address that this process has bound, with its host; empty when it has bound none.
    pub place: &'a str,
}

impl Engine {
    /// Joins as a node and starts to work. What a former self of this name left behind goes on at once.
    ///
    /// # Errors
    /// When the node cannot join, or the HTTP client cannot be made.
    pub async fn start(config: &Config, foundation: Foundation<'_>) -> anyhow::Result<Self> {
        let Foundation { store, clock, threads, vital, place } = foundation;
        let sender = Sender::new(&SenderOptions {
            request_timeout: config.request_timeout,
            idle_timeout: config.connection_idle_timeout,
            connection_lifetime: config.connection_lifetime,
            egress: egress_policy(config),
            tls_ca_file: config.tls_ca_file.clone(),
        })?;
        let (lease, freed) =
            Lease::join(&store.queue, &config.node_name, place).await.context("this node cannot join")?;
        tracing::info!(node = %config.node_name, epoch = lease.epoch(), freed, "joined");
        let paused = store.queue.dispatching().await.context("the database cannot be asked")?.paused;
        let (stop, vitals, hearing) = (CancellationToken::new(), Vitals::default(), Hearing::default());
        let numbers = hearing.clone();
        let keeper = vital.spawn(lease::keep(
            lease.clone(),
            store.queue.clone(),
            vitals.clone(),
            move || numbers.next_beat(),
            stop.clone(),
        ));
        let net = Rescue::new(store.queue.clone(), lease.clone(), vitals.clone(), CLAIM_LEASE);
        let rescue = vital.spawn(net.run(stop.clone()));
        let trust: Arc<dyn Trust> = Arc::new(hearing.clone());
        let snapshots = Snapshots::new(store.configuration.clone(), trust.clone());
        let credentials = Credentials::new(store.access.clone(), trust);
        let deps = DispatcherDependencies {
            queue: store.queue.clone(),
            snapshots: snapshots.clone(),
            credentials: credentials.clone(),
            sender,
            lease: lease.clone(),
            clock,
            threads: threads.clone(),
            critical_threads: vital.clone(),
            vitals: vitals.clone(),
            hearing: hearing.clone(),
        };
        let (dispatcher, dispatching) = Dispatcher::start(deps, dispatch_options(config, paused));
        let (ingest, writers) =
            Ingest::start(store.queue.clone(), snapshots, lease.clone(), dispatcher, vitals.messages.clone());
        let replay = ReplayHandle::default();
        let runner = config
            .roles
            .dispatcher
            .then(|| ReplayRunner::start(store.tasks.clone(), lease.clone(), &replay, stop.clone()));
        let operational = config.roles.dispatcher.then(|| {
            let stop = CancellationToken::new();
            let window = config.operational_window;
            (
                OperationalWebhooks::start(store.operational.clone(), ingest.clone(), window, stop.clone()),
                stop,
            )
        });
        let changes = Changes::new(store.queue.clone(), lease.clone(), hearing);
        Ok(Self {
            ingest,
            credentials,
            replay,
            vitals,
            changes,
            store,
            lease,
            stop,
            keeper,
            rescue,
            dispatching,
            writers,
            runner,
            operational,
            patience: config.shutdown_timeout,
        })
    }

    /// Resolves when this node may not go on: another one has its name.
    pub async fn failed(&mut self) {
        if (&mut self.keeper).await.is_ok_and(|end| end == KeeperEnd::Stopped) {
            std::future::pending::<()>().await;
        }
    }

    /// Writes what was accepted, hands back what is queued, waits for the requests under way, records them, and
    /// leaves. Everything has a limit: a database that is away does not keep the process. What is left then is
    /// delivered again by whoever takes this node over; the error says so.
    ///
    /// # Errors
    /// When something was left undone.
    pub async fn stop(self, patience: Option<Duration>) -> anyhow::Result<()> {
        let patience = patience.unwrap_or(self.patience);
        if let Some((operational, stop)) = self.operational {
            stop.cancel();
            within(WRITES_WITHIN, operational.stopped()).await;
        }
        let mut left = Vec::new();
        if !within(patience.max(WRITES_WITHIN), self.writers.stop()).await {
            left.push("messages that were not answered are not written".to_owned());
        }
        let unfinished = self.dispatching.stop(patience).await;
        if unfinished.requests > 0 {
            let requests = unfinished.requests;
            tracing::warn!(requests, "requests were still under way at the end; they will be made again");
        }
        if unfinished.unwritten {
            left.push("outcomes are not recorded; what they are of is delivered again".to_owned());
        }
        self.stop.cancel();
        if let Some(runner) = self.runner {
            within(WRITES_WITHIN, runner.stopped()).await;
        }
        self.rescue.abort();
        if !self.keeper.is_finished() {
            within(WRITES_WITHIN, self.keeper).await;
        }
        match tokio::time::timeout(WRITES_WITHIN, self.store.queue.take_over_node(self.lease.epoch())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                left.push(format!("this node could not leave ({error}); another takes it over"));
            }
            Err(_) => left.push("this node could not leave in time; another takes it over".to_owned()),
        }
        anyhow::ensure!(left.is_empty(), "stopped without the database: {}", left.join("; "));
        Ok(())
    }
}

/// What is written at the end is written within this, or given up.
const WRITES_WITHIN: Duration = Duration::from_secs(5);

/// Whether something ended within this time.
async fn within(limit: Duration, work: impl Future) -> bool {
    tokio::time::timeout(limit, work).await.is_ok()
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
        dropped_share: config.test_losses,
    }
}
