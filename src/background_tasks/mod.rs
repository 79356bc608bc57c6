//! Background tasks: replays of many dead letters or messages, expunging of content, counting.
//!
//! Each node runs a [`TaskRunner`]. It takes up background tasks that nobody works on (new ones, and those of
//! nodes that are gone) and works through each in chunks. A chunk and the task's progress are one transaction,
//! so a task that is interrupted anywhere goes on where it stopped and does nothing twice. When the
//! runner is stopped it finishes its chunks under way and gives its tasks back.
//!
//! A task with a rate moves at most that many items a second. A chunk that the database does not manage is halved, down to one
//! item, so that a task ends however much hangs on each. Tasks do not wait for one another.

mod pace;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::domain::id::TaskId;
use crate::lease::Lease;
use crate::store::{Step, StoreError, TaskStore};

use pace::{ChunkSize, Pace};

/// New tasks of other nodes are found this often.
const POLL_INTERVAL: Duration = Duration::from_secs(10);
/// After an error that may pass.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// While a task waits for something, such as an answer: longer each time.
const FIRST_PAUSE_WHILE_WAITING: Duration = Duration::from_millis(100);
const LONGEST_PAUSE_WHILE_WAITING: Duration = Duration::from_secs(5);
/// A node works on this many at once.
const MAX_TASKS_AT_ONCE: usize = 16;

/// Tells a node's runner that there is a new task. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct TaskRunnerHandle {
    woken: Arc<Notify>,
}

impl TaskRunnerHandle {
    /// Has the runner look for tasks now. Without a runner on this node it does nothing; another node's runner
    /// looks by itself every few seconds.
    pub fn wake(&self) {
        self.woken.notify_one();
    }
}

/// Works through background tasks until it is stopped.
#[derive(Debug)]
pub struct TaskRunner {
    running: JoinHandle<()>,
}

impl TaskRunner {
    /// Starts to work under this node's lease. It ends when `stop` is cancelled.
    pub fn start(tasks: TaskStore, lease: Lease, handle: &TaskRunnerHandle, stop: CancellationToken) -> Self {
        let worker = Worker { tasks, lease, stop };
        let woken = Arc::clone(&handle.woken);
        Self { running: tokio::spawn(worker.run(woken)) }
    }

    /// Waits for the end: every task is finished or given back.
    pub async fn stopped(self) {
        if let Err(error) = self.running.await {
            tracing::error!(%error, "the runner of background tasks ended early");
        }
    }
}

#[derive(Clone)]
struct Worker {
    tasks: TaskStore,
    lease: Lease,
    stop: CancellationToken,
}

impl Worker {
    async fn run(self, woken: Arc<Notify>) {
        let mut under_way = JoinSet::new();
        loop {
            while under_way.try_join_next().is_some() {}
            self.take_up(&mut under_way).await;
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = woken.notified() => {}
                Some(_) = under_way.join_next() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Takes up what is free, as far as there is room.
    async fn take_up(&self, under_way: &mut JoinSet<()>) {
        while under_way.len() < MAX_TASKS_AT_ONCE && !self.stop.is_cancelled() {
            let epoch = self.lease.epoch();
            match self.tasks.claim_task(epoch).await {
                Ok(None) => return,
                Ok(Some((task, rate))) => {
                    tracing::info!(%task, rate, "background task taken up");
                    let worker = self.clone();
                    under_way.spawn(async move { worker.work(task, Pace::of(rate)).await });
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "no background task could be claimed"
                    );
                    return;
                }
            }
        }
    }

    /// Works through one task, chunk by chunk.
    async fn work(&self, task: TaskId, pace: Pace) {
        let mut ticks = pace.ticks();
        let mut waits_for = FIRST_PAUSE_WHILE_WAITING;
        let mut size = ChunkSize::of(pace);
        loop {
            let stopped = tokio::select! {
                biased;
                () = self.stop.cancelled() => true,
                () = ticks.next() => false,
            };
            if stopped {
                return self.give_back(task).await;
            }
            match self.tasks.advance_task(task, self.lease.epoch(), size.now).await {
                Ok(Step::Moved(count)) => {
                    waits_for = FIRST_PAUSE_WHILE_WAITING;
                    size.grow();
                    tracing::debug!(%task, count, "background task made progress");
                }
                Ok(Step::Waits) => {
                    self.pause(waits_for).await;
                    waits_for = (waits_for * 2).min(LONGEST_PAUSE_WHILE_WAITING);
                }
                Ok(Step::Finished) => return tracing::info!(%task, "background task ended"),
                Err(StoreError::LeaseLost) => {
                    return tracing::info!(%task, "another node has the background task");
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::warn!(%task, error = &error as &dyn std::error::Error, "background task waits");
                    // What took too long would take as long again.
                    size.halve();
                    self.pause(PAUSE_AFTER_ERROR).await;
                }
                Err(error) => return self.give_up(task, &error).await,
            }
        }
    }

    /// Waits, unless it is stopped.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    async fn give_back(&self, task: TaskId) {
        // When this fails, the task is taken up as soon as this node's fence is gone.
        if let Err(error) = self.tasks.release_task(task, self.lease.epoch()).await {
            tracing::warn!(%task, error = &error as &dyn std::error::Error, "background task not given back");
        }
    }

    async fn give_up(&self, task: TaskId, error: &StoreError) {
        tracing::error!(%task, error = error as &dyn std::error::Error, "background task failed");
        let why = "It met a state of the database that it cannot deal with; the server's log says which.";
        if let Err(error) = self.tasks.fail_task(task, self.lease.epoch(), why).await {
            tracing::warn!(%task, error = &error as &dyn std::error::Error, "background task not marked as failed");
        }
    }
}
