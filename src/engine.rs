//! The engine of a node: its lease, its dispatcher, ingest in front of it, and the runner of background tasks beside it;
//! started and stopped in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::alerts::{AlertDependencies, Alerts};
use crate::background_tasks::{TaskRunner, TaskRunnerHandle};
use crate::config::Config;
use crate::dispatch::{
    CLAIM_LEASE, DispatchOptions, Dispatcher, DispatcherDependencies, LaneLimits, RunningDispatcher,
};
use crate::domain::clock::Clock;
use crate::domain::policy::LONGEST_TIMEOUT;
use crate::inbox::Inboxes;
use crate::ingest::{Ingest, Writers, WritersProgress};
use crate::lease;
use crate::lease::{KeeperEnd, Lease};
use crate::live::{Hub, Live};
use crate::node_health::NodeHealth;
use crate::notices::{ChangeBarrier, NoticeTracker};
use crate::operational::OperationalWebhooks;
use crate::rescue::Rescuer;
use crate::rollup::{NodeFacts, RollupKeeper, Rollups};
use crate::send::{EgressPolicy, OwnAddresses, Sender, SenderOptions};
use crate::sending_threads::SendingThreads;
use crate::store::{Credentials, Snapshots, Store, Trust, database_host};

/// Connections that are kept for the next delivery, unless there are fewer deliveries at once: each takes a descriptor.
const MAX_IDLE_CONNECTIONS: usize = 1024;
/// Deliveries that one endpoint's lane queues in memory.
const QUEUED_PER_LANE: usize = 1024;

/// A running engine.
pub struct Engine {
    /// Accepts messages.
    pub ingest: Ingest,
    /// What authentication has cached.
    pub credentials: Credentials,
    /// What requests of this server may reach.
    pub egress: EgressPolicy,
    /// The way out to receivers.
    pub sender: Sender,
    /// Where else than in deliveries requests go out.
    pub sending_threads: SendingThreads,
    /// Test inboxes.
    pub inboxes: Inboxes,
    /// Streams of live events.
    pub hub: Hub,
    /// Wakes the replay runner.
    pub replay: TaskRunnerHandle,
    /// How the parts of this node get on.
    pub health: NodeHealth,
    /// Waits until changes are in force on every node.
    pub changes: ChangeBarrier,
    ends_streams: CancellationToken,
    store: Store,
    lease: Lease,
    stop: CancellationToken,
    keeper: JoinHandle<KeeperEnd>,
    rescue: JoinHandle<()>,
    dispatching: RunningDispatcher,
    writers: Writers,
    runner: Option<TaskRunner>,
    operational: Option<(OperationalWebhooks, CancellationToken)>,
    alerts: Option<(Alerts, CancellationToken)>,
    rollups: RollupKeeper,
    timeout: Duration,
}

/// What others may look at of a running engine. Cheap to clone.
#[derive(Clone)]
pub struct NodeView {
    /// What it delivers.
    pub dispatcher: Arc<Dispatcher>,
    /// Its right to work.
    pub lease: Lease,
    /// How its parts get on.
    pub health: NodeHealth,
}

/// What an engine works with.
pub struct EngineDependencies<'a> {
    /// The database.
    pub store: Store,
    /// The time of day.
    pub clock: Clock,
    /// The threads that deliver.
    pub threads: &'a Handle,
    /// The threads that nothing else may occupy.
    pub critical_threads: &'a Handle,
    /// The address that this process has bound, with its host; empty if it has bound none.
    pub address: &'a str,
    /// What links to this server begin with.
    pub public_url: &'a Url,
}

impl Engine {
    /// Joins as a node and starts to work. What a former node of this name left behind goes
    /// back to the queue at once.
    ///
    /// # Errors
    /// When the node cannot join, or the HTTP client cannot be made.
    pub async fn start(config: &Config, dependencies: EngineDependencies<'_>) -> anyhow::Result<Self> {
        let EngineDependencies { store, clock, threads, critical_threads, address, public_url } =
            dependencies;
        let inboxes =
            Inboxes::new(store.portal.clone(), store.configuration.clone(), public_url, clock.clone());
        let egress = egress_policy(config);
        let sender = Sender::new(&SenderOptions {
            longest_timeout: LONGEST_TIMEOUT,
            idle_timeout: config.connection_idle_timeout,
            connection_lifetime: config.connection_lifetime,
            max_idle_connections: (config.max_in_flight_total as usize).min(MAX_IDLE_CONNECTIONS),
            egress: egress.clone(),
            tls_ca_file: config.tls_ca_file.clone(),
            own_places: Some(Arc::new(inboxes.clone())),
            send_traceparent: config.send_traceparent,
        })?;
        let (lease, freed) =
            Lease::join(&store.queue, &config.node_name, address).await.context("this node cannot join")?;
        tracing::info!(node = %config.node_name, epoch = lease.epoch(), freed, "joined");
        let paused = store.queue.dispatching().await.context("the database cannot be asked")?.paused;
        let (stop, health, notice_tracker) =
            (CancellationToken::new(), NodeHealth::default(), NoticeTracker::default());
        let heartbeats = notice_tracker.clone();
        let keeper = critical_threads.spawn(lease::run_keeper(
            lease.clone(),
            store.queue.clone(),
            health.clone(),
            move || heartbeats.next_heartbeat(),
            stop.clone(),
        ));
        let rescuer = Rescuer::new(store.queue.clone(), lease.clone(), health.clone(), CLAIM_LEASE);
        let rescue = critical_threads.spawn(rescuer.run(stop.clone()));
        let trust: Arc<dyn Trust> = Arc::new(notice_tracker.clone());
        let snapshots = Snapshots::new(store.configuration.clone(), trust.clone());
        let credentials = Credentials::new(store.access.clone(), trust);
        let rollups = Rollups::new(clock.clone());
        let live = Live::default();
        let ends_streams = CancellationToken::new();
        let hub = live.start(&store.live, &ends_streams);
        let deps = DispatcherDependencies {
            queue: store.queue.clone(),
            snapshots: snapshots.clone(),
            credentials: credentials.clone(),
            sender: sender.clone(),
            lease: lease.clone(),
            threads: threads.clone(),
            critical_threads: critical_threads.clone(),
            health: health.clone(),
            notice_tracker: notice_tracker.clone(),
            rollups: rollups.clone(),
            live: live.clone(),
        };
        let (dispatcher, dispatching) = Dispatcher::start(deps, dispatch_options(config, paused));
        let (ingest, writers) = Ingest::start(
            store.queue.clone(),
            snapshots,
            lease.clone(),
            dispatcher.clone(),
            rollups.clone(),
            WritersProgress { small: health.messages.clone(), large: health.large_messages.clone() },
        );
        let rollups = RollupKeeper::start(
            rollups,
            store.rollups.clone(),
            lease.clone(),
            NodeFacts { name: config.node_name.clone(), roles: config.roles.names() },
            move || dispatcher.in_flight(),
        );
        let replay = TaskRunnerHandle::default();
        let runner = config
            .roles
            .dispatcher
            .then(|| TaskRunner::start(store.tasks.clone(), lease.clone(), &replay, stop.clone()));
        let operational = config.roles.dispatcher.then(|| {
            let stop = CancellationToken::new();
            let window = config.operational_window;
            (
                OperationalWebhooks::start(store.operational.clone(), ingest.clone(), window, stop.clone()),
                stop,
            )
        });
        let sending_threads = SendingThreads::new(threads.clone());
        let alerts = config.roles.dispatcher.then(|| {
            let stop = CancellationToken::new();
            let dependencies = AlertDependencies {
                alerts: store.alerts.clone(),
                rollups: store.rollups.clone(),
                ingest: ingest.clone(),
                sender: sender.clone(),
                sending_threads: sending_threads.clone(),
                smtp: config.smtp.clone(),
            };
            Alerts::start(dependencies, stop.clone()).map(|alerts| (alerts, stop))
        });
        let alerts = alerts.transpose()?;
        let changes = ChangeBarrier::new(store.queue.clone(), lease.clone(), notice_tracker);
        Ok(Self {
            ingest,
            credentials,
            egress,
            sender,
            sending_threads,
            inboxes,
            hub,
            ends_streams,
            replay,
            health,
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
            alerts,
            rollups,
            timeout: config.shutdown_timeout,
        })
    }

    /// What others may look at.
    pub fn view(&self) -> NodeView {
        NodeView {
            dispatcher: self.dispatching.dispatcher(),
            lease: self.lease.clone(),
            health: self.health.clone(),
        }
    }

    /// Ends all streams of live events, so that nobody who watches keeps the API from stopping.
    pub fn end_streams(&self) {
        self.ends_streams.cancel();
    }

    /// Resolves when this node has to stop because another one has its name.
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
    pub async fn stop(self, timeout: Option<Duration>) -> anyhow::Result<()> {
        let timeout = timeout.unwrap_or(self.timeout);
        if let Some((operational, stop)) = self.operational {
            stop.cancel();
            within(FINAL_WRITES_TIMEOUT, operational.stopped()).await;
        }
        if let Some((alerts, stop)) = self.alerts {
            stop.cancel();
            within(FINAL_WRITES_TIMEOUT, alerts.stopped()).await;
        }
        let mut undone = Vec::new();
        if !within(timeout.max(FINAL_WRITES_TIMEOUT), self.writers.stop()).await {
            undone.push("messages that were not answered are not written".to_owned());
        }
        let unfinished = self.dispatching.stop(timeout).await;
        if unfinished.requests > 0 {
            let requests = unfinished.requests;
            tracing::warn!(requests, "requests were still under way at the end; they will be made again");
        }
        if unfinished.unwritten {
            undone.push("outcomes are not recorded; what they are of is delivered again".to_owned());
        }
        within(FINAL_WRITES_TIMEOUT, self.rollups.stop()).await;
        self.stop.cancel();
        if let Some(runner) = self.runner {
            within(FINAL_WRITES_TIMEOUT, runner.stopped()).await;
        }
        self.rescue.abort();
        if !self.keeper.is_finished() {
            within(FINAL_WRITES_TIMEOUT, self.keeper).await;
        }
        match tokio::time::timeout(FINAL_WRITES_TIMEOUT, self.store.queue.take_over_node(self.lease.epoch()))
            .await
        {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                undone.push(format!("this node could not leave ({error}); another takes it over"));
            }
            Err(_) => undone.push("this node could not leave in time; another takes it over".to_owned()),
        }
        anyhow::ensure!(undone.is_empty(), "stopped without the database: {}", undone.join("; "));
        Ok(())
    }
}

/// The log tells of deliveries that died once in so many windows of operational webhooks.
const WINDOWS_PER_LINE: u32 = 6;
/// What is written at the end is written within this time, or not at all.
const FINAL_WRITES_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether something ended within this time.
async fn within(limit: Duration, work: impl Future) -> bool {
    tokio::time::timeout(limit, work).await.is_ok()
}

/// What this server's requests may reach. It looks up the database's name.
fn egress_policy(config: &Config) -> EgressPolicy {
    let database = config.database_url.as_ref().and_then(|url| database_host(url.expose_secret()));
    EgressPolicy::new(&config.allow_subnets).refusing(OwnAddresses::with_database(database.as_deref()))
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
        claims: config.roles.dispatcher,
        paused,
        dropped_share: config.test_losses,
        deaths_told_every: config.operational_window * WINDOWS_PER_LINE,
    }
}
