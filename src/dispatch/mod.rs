//! From a stored delivery to an attempt. A delivery comes from ingest (born leased, in memory) or from the queue
//! (claimed); its endpoint's lane gives it its turn; one `execute` signs it, sends it, decides what follows and
//! hands that to the recorder. No database connection is held while a request is out.

mod claim;
mod delivery;
mod execute;
mod floors;
mod keep_pace;
#[cfg(test)]
mod keep_pace_test;
mod lanes;
mod losses;
mod memory;
mod pause;
mod returns;
mod seat;
mod threads;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::clock::Clock;
use crate::domain::id::EndpointId;
use crate::lease::{Lease, Mark};
use crate::notices::Hearing;
use crate::record::{Agenda, Recorder};
use crate::send::Sender;
use crate::store::{Credentials, HandBack, QueueStore, Snapshots, Trust};
use crate::vitals::Vitals;

use keep_pace::Strain;
use lanes::Lanes;
use losses::Losses;
use memory::Memory;
use returns::{Keep, Return, Returns};
use watch::Spilled;

pub use delivery::Claim;
pub use delivery::Delivery;
pub use delivery::Room;
pub use lanes::LaneLimits;
pub use memory::Share;
pub use seat::Place;
pub use seat::Seat;
pub use threads::Threads;

/// How long a claimed row is this node's.
pub const CLAIM_LEASE: Duration = Duration::from_secs(90);
/// What waits in memory for longer goes to the queue, so that the low-water mark advances.
const LONGEST_IN_MEMORY: Duration = Duration::from_secs(60);
/// After the last request, outcomes are recorded within this, or given up.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// How much the dispatcher takes on.
#[derive(Debug, Clone)]
pub struct DispatchOptions {
    /// Bounds of the lanes.
    pub lanes: LaneLimits,
    /// Memory for deliveries that were taken on, in bytes.
    pub memory_bytes: usize,
    /// Whether this node works on the queue.
    pub claims: bool,
    /// Whether everything is paused as it starts.
    pub paused: bool,
    /// The share of everything that a test has dropped; nothing in release builds.
    pub losses: f64,
}

/// What the dispatcher works with.
pub struct Parts {
    /// The database.
    pub queue: QueueStore,
    /// Snapshots of applications.
    pub snapshots: Snapshots,
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
    /// Where it listens for notices.
    pub vital: Handle,
    /// What it says of itself.
    pub vitals: Vitals,
    /// Whether it hears what changes.
    pub hearing: Hearing,
}

/// The dispatcher of one node.
pub struct Dispatcher {
    parts: Parts,
    options: DispatchOptions,
    lanes: Mutex<Lanes<Delivery>>,
    memory: Memory,
    recorder: Arc<Recorder<Room>>,
    agenda: Agenda,
    returns: Returns,
    /// A lane with a pace was put to sleep sooner than known.
    paced: Notify,
    /// What was stored that any node may claim, until the others are told.
    spilled: Spilled,
    strain: Strain,
    losses: Losses,
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
        let (queue, lease, vitals) = (parts.queue.clone(), parts.lease.clone(), parts.vitals.clone());
        let (recorder, mut writers) = Recorder::start(queue.clone(), agenda.clone(), vitals.outcomes);
        let (returns, returning) = Returns::new(queue, lease, agenda.clone(), vitals.returns);
        writers.spawn(returning.run());
        let dispatcher = Arc::new(Self {
            parts,
            lanes: Mutex::new(lanes),
            memory: Memory::new(options.memory_bytes),
            losses: Losses::of(options.losses),
            options,
            recorder,
            agenda,
            returns,
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
        let notices = stop.clone().run_until_cancelled_owned(watch::follow_notices(dispatcher.clone()));
        loops.spawn_on(notices, &dispatcher.parts.vital);
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
        // Who does not hear what changes does not know where to send: a heartbeat that is heard lets it go on.
        if !self.parts.hearing.holds() {
            return;
        }
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
        self.agenda.schedule_by(endpoint, Instant::now());
        self.spilled.add(endpoint);
    }

    /// Requests under way, and deliveries queued in memory.
    pub fn load(&self) -> (usize, usize) {
        let lanes = self.lanes();
        (lanes.in_flight(), lanes.queued())
    }

    /// Gives deliveries back to the queue. They are on their way when this returns.
    fn give_back(&self, deliveries: Vec<Delivery>, held: bool) {
        for delivery in deliveries {
            let (epoch, row) = (delivery.epoch, delivery.hand_back(held));
            self.returns.add(Return {
                epoch,
                row,
                _keep: Keep::Room(delivery.room),
                again_after: Duration::ZERO,
            });
        }
    }

    /// The same for deliveries of a message that were stored and have no place in memory.
    pub fn return_rows(&self, epoch: i64, rows: Vec<HandBack>, mark: &Arc<Mark>) {
        for row in rows {
            let keep = Keep::Mark(mark.clone());
            self.returns.add(Return { epoch, row, _keep: keep, again_after: Duration::ZERO });
        }
    }
}

/// What a stop left undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Requests that were still under way.
    pub requests: usize,
    /// Outcomes that were not recorded, or deliveries that were not handed back.
    pub unwritten: bool,
}

impl Running {
    /// Stops in order: claims nothing more, hands back what is queued, waits for the requests under way (no longer
    /// than `patience`), and records them all. A database that does not take them ends it after a while; what is not
    /// recorded then is delivered again.
    pub async fn stop(mut self, patience: Duration) -> Unfinished {
        let write_by = Instant::now() + patience + LAST_WRITES;
        self.stop.cancel();
        while self.loops.join_next().await.is_some() {}
        let queued = self.dispatcher.lanes().drain_before(Instant::now());
        self.dispatcher.give_back(queued, false);
        let mut unfinished = Unfinished::default();
        if tokio::time::timeout(patience, self.dispatcher.idle()).await.is_err() {
            unfinished.requests = self.dispatcher.load().0;
        }
        self.dispatcher.recorder.close();
        self.dispatcher.returns.close();
        let writers = async { while self.writers.join_next().await.is_some() {} };
        unfinished.unwritten = tokio::time::timeout_at(write_by.into(), writers).await.is_err();
        unfinished
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
