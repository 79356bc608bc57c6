//! Asks the database for the homes of limited and throttled lanes, and writes down what their receivers asked for. It alone
//! does, so that a home is never given up after it was asked for again. `lanes/pace.rs` has what is known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::id::EndpointId;
use crate::store::{MAX_THROTTLES_PER_NOTICE, StoreError};

use super::Dispatcher;
use super::lanes::{Home, LaneOrTenant};

/// How often nodes that are silent are looked for, and what could not be asked or written is tried again.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often homes that are not needed any more are given up.
const RELEASE_INTERVAL: Duration = Duration::from_secs(30);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);
/// Homes that are asked for in one statement.
const MAX_QUESTIONS: usize = 500;

/// Keeps the pace for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    let changed = dispatcher.lanes().pace_changed();
    let now = Instant::now();
    let epoch = dispatcher.deps.lease.epoch();
    let mut keeper = PaceKeeper { dispatcher, epoch, looked_at: now, released_at: now };
    loop {
        if let Err(error) = keeper.keep().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the pace of endpoints is not kept");
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
        }
        let _ = tokio::time::timeout(LOOK_INTERVAL, changed.notified()).await;
    }
}

struct PaceKeeper {
    dispatcher: Arc<Dispatcher>,
    /// The epoch that homes were asked for under.
    epoch: i64,
    looked_at: Instant,
    released_at: Instant,
}

impl PaceKeeper {
    async fn keep(&mut self) -> Result<(), StoreError> {
        let epoch = self.dispatcher.deps.lease.epoch();
        if epoch != self.epoch {
            // The homes were those of the epoch before.
            self.epoch = epoch;
            self.dispatcher.lanes().forget_pace();
        }
        self.load_throttles().await?;
        self.note_throttles().await?;
        if self.looked_at.elapsed() >= LOOK_INTERVAL {
            self.looked_at = Instant::now();
            self.dispatcher.deps.queue.free_homes_of_silent_nodes().await?;
        }
        if self.released_at.elapsed() >= RELEASE_INTERVAL {
            self.released_at = Instant::now();
            self.release_homes().await?;
        }
        self.ask_for_homes().await
    }

    async fn load_throttles(&self) -> Result<(), StoreError> {
        let unknown = self.dispatcher.lanes().unknown_throttles();
        if let Some(generation) = unknown {
            let notes = self.dispatcher.deps.queue.throttles().await?;
            self.dispatcher.lanes().load_throttles(generation, &notes, Instant::now());
            self.dispatcher.send_ready();
        }
        Ok(())
    }

    async fn note_throttles(&self) -> Result<(), StoreError> {
        loop {
            let notes = self.dispatcher.lanes().take_throttle_notes(MAX_THROTTLES_PER_NOTICE, Instant::now());
            if notes.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.dispatcher.deps.queue.note_throttles(&notes).await {
                self.dispatcher.lanes().note_again(&notes);
                return Err(error);
            }
        }
    }

    async fn release_homes(&self) -> Result<(), StoreError> {
        let unused = self.dispatcher.lanes().take_unused_homes();
        self.dispatcher.release_homes(self.epoch, unused).await
    }

    async fn ask_for_homes(&self) -> Result<(), StoreError> {
        let (generation, subjects) = self.dispatcher.lanes().take_home_questions(MAX_QUESTIONS);
        if subjects.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = subjects.iter().map(|subject| subject.uuid()).collect();
        let asked = self.dispatcher.deps.queue.take_homes(self.epoch, &ids).await;
        for subject in subjects {
            let is_here = asked.as_ref().ok().and_then(|answers| answers.get(&subject.uuid()));
            let home = is_here.map(|is_here| if *is_here { Home::Here } else { Home::Elsewhere });
            self.dispatcher.settle_home(generation, subject, home);
        }
        self.dispatcher.send_ready();
        asked.map(|_| ())
    }
}

impl Dispatcher {
    async fn release_homes(&self, epoch: i64, subjects: Vec<LaneOrTenant>) -> Result<(), StoreError> {
        if subjects.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = subjects.into_iter().map(LaneOrTenant::uuid).collect();
        self.deps.queue.release_homes(epoch, &ids).await
    }

    /// Lets other nodes send to endpoints to which this one, which stops, has no request under way.
    pub(super) async fn release_idle_homes(&self) {
        let idle = self.lanes().take_idle_homes();
        if let Err(error) = self.release_homes(self.deps.lease.epoch(), idle).await {
            tracing::debug!(%error, "endpoints wait for others to take this node over");
        }
    }

    /// It is known, or not, where this is sent from.
    fn settle_home(&self, generation: u64, subject: LaneOrTenant, home: Option<Home>) {
        let now = Instant::now();
        let drained = self.lanes().answer_home(generation, subject, home, now);
        self.hand_back(drained, false);
        if home == Some(Home::Here) {
            match subject {
                LaneOrTenant::Lane(id) => self.claim_schedule.schedule_no_later_than(id, now),
                LaneOrTenant::Tenant(_) => self.claim_schedule.sweep_no_later_than(now),
            }
        }
    }

    /// Homes were given up: this node may send to their lanes.
    pub(super) fn forget_freed_homes(&self, is_freed: impl Fn(Uuid) -> bool) {
        let endpoints = self.lanes().forget_freed_homes(is_freed);
        let now = Instant::now();
        endpoints.into_iter().for_each(|id| self.claim_schedule.schedule_no_later_than(id, now));
    }

    /// Something is due for endpoints; what other nodes send to, they claim.
    pub(super) fn schedule_now(&self, endpoints: &[EndpointId]) {
        let now = Instant::now();
        let here: Vec<EndpointId> = {
            let lanes = self.lanes();
            endpoints.iter().copied().filter(|id| !lanes.is_elsewhere(*id)).collect()
        };
        here.into_iter().for_each(|id| self.claim_schedule.schedule_no_later_than(id, now));
    }
}
