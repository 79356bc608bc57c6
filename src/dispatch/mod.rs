//! From a stored delivery to an attempt. A delivery comes from ingest (born leased, in memory) or from the queue
//! (claimed); its endpoint's lane gives it its turn; one `execute` signs it, sends it, decides what follows and
//! hands that to the recorder. No database connection is held while a request is out.

mod backpressure;
mod claim;
mod delivery;
mod execute;
mod floors;
mod keep_pace;
#[cfg(test)]
mod keep_pace_test;
mod lane;
mod lanes;
#[cfg(test)]
mod lanes_test;
mod memory;
mod pause;
mod seat;
mod threads;
mod watch;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::clock::Clock;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::EndpointId;
use crate::lease::Lease;
use crate::record::{Agenda, Recorder};
use crate::send::Sender;
use crate::store::{Credentials, Pictures, Store};

pub use delivery::{Claim, Delivery, Room};
pub use lanes::LaneLimits;
pub use memory::Share;
pub use seat::{Place, Seat};
pub use threads::Threads;

use keep_pace::Strain;
use lanes::Lanes;
use memory::Memory;
use watch::Spilled;

/// How long a claimed row is this node's.
const CLAIM_LEASE: Duration = Duration::from_secs(90);
/// What waits in memory for longer goes to the queue, so that the low-water mark advances.
const LONGEST_IN_MEMORY: Duration = Duration::from_secs(60);

/// How much the dispatcher takes on.
#[derive(Debug, Clone)]
pub struct DispatchOptions {
    /// Bounds of the lanes.
    pub lanes: LaneLimits,
    /// Memory for deliveries that were taken on, in bytes.
    pub memory_bytes: usize,
    /// The deadline of a request, as the sender has it.
    pub request_timeout: Duration,
    /// Whether this node works on the queue.
    pub claims: bool,
    /// Whether everything is paused as it starts.
    pub paused: bool,
}

/// What the dispatcher works with.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Pictures of applications.
    pub pictures: Pictures,
    /// What authentication knows: notices of what was taken back come in here.
    pub credentials: Credentials,
    /// The way out.
    pub sender: Sender,
    /// This node's right to work.
    pub lease: Lease,
    /// The time of day, for signatures.
    pub clock: Clock,
    /// Where it runs.
    pub threads: Handle,
}

/// The dispatcher of one node.
pub struct Dispatcher {
    parts: Parts,
    options: DispatchOptions,
    lanes: Mutex<Lanes<Delivery>>,
    memory: Memory,
    recorder: Arc<Recorder<Room>>,
    agenda: Agenda,
    /// A lane with a pace was put to sleep sooner than known.
    paced: Notify,
    /// What was stored that any node may claim, until the others are told.
    spilled: Spilled,
    strain: Strain,
    /// Something finished; draining waits for the last.
    finished: Notify,
    /// Whether everything is paused has to be asked.
    pause_changed: Notify,
}

/// The tasks that keep a dispatcher going, and how to stop them.
pub struct Running {
    dispatcher: Arc<Dispatcher>,
    stop: CancellationToken,
    loops: JoinSet<Option<()>>,
    writers: JoinSet<()>,
}

impl Dispatcher {
    /// Starts dispatching. Without memory and claims, everything goes to the queue for other nodes.
    pub fn start(parts: Parts, options: DispatchOptions) -> (Arc<Self>, Running) {
        let mut lanes = Lanes::new(options.lanes);
        if options.paused {
            lanes.pause();
        }
        let threads = parts.threads.clone();
        let _everything_runs_there = threads.enter();
        let agenda = Agenda::default();
        let (recorder, writers) = Recorder::start(parts.store.clone(), agenda.clone());
        let dispatcher = Arc::new(Self {
            parts,
            lanes: Mutex::new(lanes),
            memory: Memory::new(options.memory_bytes),
            options,
            recorder,
            agenda,
            paced: Notify::new(),
            spilled: Spilled::default(),
            strain: Strain::new(),
            finished: Notify::new(),
            pause_changed: Notify::new(),
        });
        let stop = CancellationToken::new();
        let mut loops: JoinSet<Option<()>> = JoinSet::new();
        if dispatcher.options.claims {
            loops.spawn(stop.clone().run_until_cancelled_owned(claim::run(dispatcher.clone())));
        }
        loops.spawn(stop.clone().run_until_cancelled_owned(watch::announce(dispatcher.clone())));
        loops.spawn(stop.clone().run_until_cancelled_owned(watch::follow_notices(dispatcher.clone())));
        loops.spawn(stop.clone().run_until_cancelled_owned(pause::follow(dispatcher.clone())));
        loops.spawn(stop.clone().run_until_cancelled_owned(watch::pace(dispatcher.clone())));
        loops.spawn(stop.clone().run_until_cancelled_owned(watch::return_the_old(dispatcher.clone())));
        (dispatcher.clone(), Running { dispatcher, stop, loops, writers })
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes<Delivery>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets whatever can go, go.
    fn pump(self: &Arc<Self>) {
        loop {
            let (next, wake) = {
                let mut lanes = self.lanes();
                (lanes.next(Instant::now()), lanes.next_wake())
            };
            match next {
                Some(delivery) => {
                    self.parts.threads.spawn(execute::execute(self.clone(), delivery));
                }
                None => {
                    if wake.is_some() {
                        self.paced.notify_one();
                    }
                    return;
                }
            }
        }
    }

    /// Something was put into the queue for this endpoint that is due now, for whichever node has room.
    pub fn queue_grew(&self, endpoint: EndpointId) {
        self.agenda.hasten(endpoint, Instant::now());
        self.spilled.add(endpoint);
    }

    /// Requests under way, and deliveries queued in memory.
    pub fn load(&self) -> (usize, usize) {
        let lanes = self.lanes();
        (lanes.in_flight(), lanes.queued())
    }

    /// Takes a newer picture of an endpoint over; what its lane held goes back to the queue when it closed.
    async fn update_endpoint(&self, endpoint: &Arc<Endpoint>) {
        let back = self.lanes().update(endpoint, Instant::now());
        self.give_back(back, endpoint.closed).await;
    }

    /// Gives deliveries back to the queue, trying until the database takes them or the lease is another.
    async fn give_back(&self, mut deliveries: Vec<Delivery>, held: bool) {
        // Those of a former epoch may be among them, and each goes back under its own.
        deliveries.sort_by_key(|delivery| delivery.epoch);
        let epochs = deliveries.chunk_by(|one, next| one.epoch == next.epoch);
        for chunk in epochs.flat_map(|epoch| epoch.chunks(500)) {
            let Some(first) = chunk.first() else { continue };
            let rows: Vec<_> = chunk.iter().map(|delivery| delivery.hand_back(held)).collect();
            while let Err(error) = self.parts.store.hand_back(first.epoch, &rows).await {
                tracing::warn!(%error, "deliveries wait to be handed back");
                tokio::time::sleep(Duration::from_millis(200)).await;
                if !self.parts.lease.covers(first.epoch) {
                    break;
                }
            }
        }
        if !held {
            let now = Instant::now();
            deliveries.iter().for_each(|delivery| self.agenda.hasten(delivery.endpoint.id, now));
        }
    }
}

impl Running {
    /// Stops in order: claims nothing more, hands back what is queued, waits for the requests under way (no longer
    /// than `patience`), and records them all.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.cancel();
        while self.loops.join_next().await.is_some() {}
        let queued = self.dispatcher.lanes().drain_before(Instant::now());
        self.dispatcher.give_back(queued, false).await;
        if tokio::time::timeout(patience, self.dispatcher.idle()).await.is_err() {
            let (in_flight, _) = self.dispatcher.load();
            tracing::warn!(in_flight, "requests were still under way at the end; they will be made again");
        }
        self.dispatcher.recorder.close();
        while self.writers.join_next().await.is_some() {}
    }
}

impl Dispatcher {
    /// Returns when no request is under way.
    async fn idle(&self) {
        loop {
            let finished = self.finished.notified();
            tokio::pin!(finished);
            finished.as_mut().enable();
            if self.load().0 == 0 {
                return;
            }
            finished.await;
        }
    }
}
