//! Writes every few seconds what this node has counted, and that it is there.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::rollup::tally::Tally;
use crate::lease::Lease;
use crate::store::{NodePresence, RollupRow, RollupScope, RollupStore, StoreError};

use super::memory::{ChangedMinute, Changes, EventTypes, Health};
use super::{Rollups, sample};

/// How often it is written.
const EVERY: Duration = Duration::from_secs(3);
/// The environments of so many applications are remembered.
const MOST_KNOWN: usize = 100_000;

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// Its name.
    pub name: String,
    /// The roles that it has.
    pub roles: Vec<String>,
}

/// Requests under way.
#[derive(Debug, Default)]
pub struct Load {
    /// All of them.
    pub in_flight: usize,
    /// By application.
    pub by_application: Vec<(ApplicationId, usize)>,
}

/// The task that writes, and the one that looks at the queue. A look at a long queue takes its time; no write waits for it.
pub struct RollupKeeper {
    stop: CancellationToken,
    writing: JoinHandle<()>,
    sampling: JoinHandle<()>,
}

impl RollupKeeper {
    /// Starts to write. `load` tells what is under way.
    pub fn start(
        rollups: Rollups,
        store: RollupStore,
        lease: Lease,
        facts: NodeFacts,
        load: impl Fn() -> Load + Send + Sync + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let writer = lease.epoch();
        let sampling = tokio::spawn(sample::run(store.clone(), stop.clone()));
        let mut work = Work { rollups, store, lease, facts, load, writer, environments: HashMap::new() };
        let ended = stop.clone();
        let writing = tokio::spawn(async move {
            work.round(false).await;
            while ended.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
                work.round(false).await;
            }
            work.round(true).await;
        });
        Self { stop, writing, sampling }
    }

    /// Writes what is left, and that this node leaves.
    pub async fn stop(self) {
        self.stop.cancel();
        for (task, what) in
            [(self.writing, "the writer of rollups"), (self.sampling, "the look at the queue")]
        {
            if let Err(error) = task.await {
                tracing::error!(%error, "{what} broke off");
            }
        }
    }
}

struct Work<F> {
    rollups: Rollups,
    store: RollupStore,
    lease: Lease,
    facts: NodeFacts,
    load: F,
    /// Under which this process writes, whatever its epoch becomes.
    writer: i64,
    /// `None` for an application that is nobody's tenant.
    environments: HashMap<ApplicationId, Option<EnvironmentId>>,
}

impl<F: Fn() -> Load + Send + Sync> Work<F> {
    async fn round(&mut self, leaves: bool) {
        let now = self.rollups.clock.now();
        let changes = self.rollups.memory().take_changes(now);
        if changes.left_out > 0 {
            tracing::warn!(left_out = changes.left_out, "more is under way than is counted for the console");
        }
        let sent_per_second = f64::from(u32::try_from(changes.attempts_a_minute).unwrap_or(u32::MAX)) / 60.0;
        let written = self.write(changes).await;
        let told = self.tell_presence(sent_per_second, leaves).await;
        if let Err(error) = written.and(told) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what the console reads could not be written; it is tried again");
        }
    }

    /// What cannot be written goes back to memory, and nothing is tried after it; its error is told.
    async fn write(&mut self, changes: Changes) -> Result<(), StoreError> {
        let Changes { minutes, health, event_types, .. } = changes;
        let of_minutes = minutes.iter().flat_map(|minute| minute.applications.iter().map(|(id, ..)| *id));
        let of_health = health.values().map(|(application, _)| *application);
        let asked = of_minutes.chain(of_health).chain(event_types.keys().copied()).collect();
        let mut written = self.learn_environments(asked).await;
        if written.is_ok() {
            written = self.write_minutes(&minutes).await;
        }
        if written.is_err() {
            self.rollups.memory().put_back_minutes(&minutes);
        }
        self.rollups.memory().forget_written();
        if written.is_ok() {
            written = self.write_health(&health).await;
        }
        if written.is_err() {
            self.rollups.memory().put_back_health(health);
        }
        if written.is_ok() {
            written = self.store.add_event_types(&self.by_environment(&event_types)).await;
        }
        if written.is_err() {
            self.rollups.memory().put_back_event_types(event_types);
        }
        written
    }

    async fn learn_environments(&mut self, asked: Vec<ApplicationId>) -> Result<(), StoreError> {
        if self.environments.len() > MOST_KNOWN {
            self.environments.clear();
        }
        let mut unknown: Vec<_> =
            asked.into_iter().filter(|id| !self.environments.contains_key(id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            self.environments.extend(self.store.environments_of(&unknown).await?);
        }
        Ok(())
    }

    async fn write_minutes(&self, minutes: &[ChangedMinute]) -> Result<(), StoreError> {
        for minute in minutes {
            let mut environments: BTreeMap<&EnvironmentId, Tally> = BTreeMap::new();
            for (application, tally, _) in &minute.applications {
                if let Some(Some(environment)) = self.environments.get(application) {
                    environments.entry(environment).or_default().merge(tally);
                }
            }
            let row = |scope: RollupScope<'_>, tally| RollupRow { scope: scope.uuid(), at: minute.at, tally };
            let environments =
                environments.iter().map(|(id, tally)| row(RollupScope::Environment(id), tally));
            let applications = minute.applications.iter().filter(|(_, _, changed)| *changed);
            let applications = applications.map(|(id, tally, _)| row(RollupScope::Application(*id), tally));
            let endpoints = minute.endpoints.iter().map(|(id, tally)| row(RollupScope::Endpoint(*id), tally));
            let rows: Vec<_> = environments.chain(applications).chain(endpoints).collect();
            self.store.write_minutes(self.writer, &rows).await?;
        }
        Ok(())
    }

    async fn write_health(&self, health: &Health) -> Result<(), StoreError> {
        let rows = health.iter().filter_map(|(endpoint, (application, change))| {
            Some((self.environments.get(application)?.as_ref()?, *application, *endpoint, change))
        });
        self.store.write_health(&rows.collect::<Vec<_>>()).await
    }

    fn by_environment(&self, event_types: &EventTypes) -> BTreeMap<(EnvironmentId, String), u64> {
        let mut sums = BTreeMap::new();
        for (application, counts) in event_types {
            let Some(Some(environment)) = self.environments.get(application) else { continue };
            for (event_type, count) in counts {
                *sums.entry((environment.clone(), event_type.clone())).or_default() += count;
            }
        }
        sums
    }

    async fn tell_presence(&self, sent_per_second: f64, leaves: bool) -> Result<(), StoreError> {
        let load = (self.load)();
        let mut in_flight_of: BTreeMap<String, usize> = BTreeMap::new();
        for (application, count) in load.by_application {
            if let Some(Some(environment)) = self.environments.get(&application) {
                *in_flight_of.entry(environment.to_string()).or_default() += count;
            }
        }
        let presence = NodePresence {
            writer: self.writer,
            epoch: self.lease.epoch(),
            name: &self.facts.name,
            roles: &self.facts.roles,
            in_flight: load.in_flight,
            in_flight_of,
            sent_per_second,
            leaves,
        };
        self.store.tell_presence(&presence).await
    }
}
