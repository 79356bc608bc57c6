//! From a stored delivery to an attempt. A delivery comes from ingest (stored as owned by this node: `reservation.rs`) or from the
//! queue in the database (claimed: `claim.rs`, `load_claimed.rs`). Its endpoint's lane gives it its turn (`lanes/`), and one
//! `execute` signs it, sends it, decides what follows and hands that to the recorder. No database connection is held while
//! a request is out. What is not sent after all goes back into the queue (`hand_back.rs`).

mod announce;
mod backpressure;
mod claim;
mod claim_cursors;
mod delivery;
mod execute;
mod fault_injection;
mod follow_notices;
mod hand_back;
mod lanes;
mod load_claimed;
mod memory_budget;
mod pace;
mod pause;
mod refresh;
mod reservation;
mod stop;
mod thread_pool;
mod timers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::id::{EndpointId, MessageId};
use crate::lease::Lease;
use crate::live::Live;
use crate::node_health::NodeHealth;
use crate::notices::NoticeTracker;
use crate::record::{ClaimSchedule, Recorder};
use crate::rollup::{Load, Rollups};
use crate::send::Sender;
use crate::store::{Credentials, QueueStore, Snapshots, Trust};

use announce::DueAnnouncements;
use backpressure::ThreadLoad;
use fault_injection::FaultInjection;
use hand_back::HandBackQueue;
use lanes::Lanes;
use memory_budget::MemoryBudget;

pub use delivery::Claim;
pub use delivery::Delivery;
pub use delivery::DeliveryGuards;
pub use lanes::LaneCounts;
pub use lanes::LaneLimits;
pub use memory_budget::MemoryShare;
pub use reservation::Placement;
pub use reservation::Reservation;
pub use stop::RunningDispatcher;
pub use stop::Unfinished;
pub use thread_pool::ThreadPool;

/// How long a claimed row is this node's.
pub const CLAIM_LEASE: Duration = Duration::from_secs(90);

/// How much the dispatcher takes on.
#[derive(Debug, Clone)]
pub struct DispatchOptions {
    /// Bounds of the lanes.
    pub lanes: LaneLimits,
    /// Memory for deliveries, in bytes.
    pub memory_bytes: usize,
    /// Whether this node works on the queue.
    pub claims: bool,
    /// Whether everything is paused as it starts.
    pub paused: bool,
    /// The share of everything that is dropped for a test; nothing in release builds.
    pub dropped_share: f64,
    /// How often the log tells of deliveries that died.
    pub deaths_told_every: Duration,
}

/// What the dispatcher works with.
pub struct DispatcherDependencies {
    /// The database.
    pub queue: QueueStore,
    /// Snapshots of applications.
    pub snapshots: Snapshots,
    /// What authentication has cached: notices of credentials that were taken back come in here.
    pub credentials: Credentials,
    /// Sends the requests.
    pub sender: Sender,
    /// This node's right to work.
    pub lease: Lease,
    /// The threads that deliver.
    pub threads: Handle,
    /// The threads that nothing else may occupy; it listens for notices and records outcomes there.
    pub critical_threads: Handle,
    /// How each part of this node gets on.
    pub health: NodeHealth,
    /// Whether this node receives notices.
    pub notice_tracker: NoticeTracker,
    /// What it counts.
    pub rollups: Rollups,
    /// Who watches what it does.
    pub live: Live,
}

/// The dispatcher of one node.
pub struct Dispatcher {
    deps: DispatcherDependencies,
    options: DispatchOptions,
    /// Messages with a smaller id were accepted before this process began.
    started_with: MessageId,
    lanes: Mutex<Lanes<Delivery>>,
    memory: MemoryBudget,
    recorder: Arc<Recorder<DeliveryGuards>>,
    claim_schedule: ClaimSchedule,
    hand_backs: HandBackQueue,
    /// Notified when a lane or a tenant begins to wait for its rate limit.
    rate_limited: Notify,
    announcements: DueAnnouncements,
    thread_load: ThreadLoad,
    fault_injection: FaultInjection,
    /// Notified when a request has finished.
    finished: Notify,
    /// Notified when it has to be asked whether everything is paused.
    pause_changed: Notify,
}

impl Dispatcher {
    /// Starts dispatching. Without memory and claims, everything goes to the queue for other nodes.
    pub fn start(deps: DispatcherDependencies, options: DispatchOptions) -> (Arc<Self>, RunningDispatcher) {
        let mut lanes = Lanes::new(options.lanes);
        if options.paused {
            lanes.pause();
        }
        if options.claims {
            lanes.share_pace();
        }
        let threads = deps.threads.clone();
        let _spawn_on_these_threads = threads.enter();
        // What receivers did is recorded, and goes back into the queue, whatever they do to the threads that deliver.
        let critical_threads = &deps.critical_threads;
        let claim_schedule = ClaimSchedule::default();
        let (queue, lease, health) = (deps.queue.clone(), deps.lease.clone(), deps.health.clone());
        let (rollups, live) = (deps.rollups.clone(), deps.live.clone());
        let (recorder, mut writers) = Recorder::start(
            queue.clone(),
            claim_schedule.clone(),
            rollups,
            live,
            health.outcomes,
            critical_threads,
        );
        let (hand_backs, hand_back_writer) =
            HandBackQueue::new(queue, lease, claim_schedule.clone(), health.hand_backs);
        writers.spawn_on(hand_back_writer.run(), critical_threads);
        let dispatcher = Arc::new(Self {
            deps,
            lanes: Mutex::new(lanes),
            memory: MemoryBudget::new(options.memory_bytes),
            fault_injection: FaultInjection::new(options.dropped_share),
            options,
            started_with: MessageId::generate(),
            recorder,
            claim_schedule,
            hand_backs,
            rate_limited: Notify::new(),
            announcements: DueAnnouncements::default(),
            thread_load: ThreadLoad::new(),
            finished: Notify::new(),
            pause_changed: Notify::new(),
        });
        let (stop, loops) = dispatcher.spawn_loops();
        (dispatcher.clone(), RunningDispatcher { dispatcher, stop, loops, writers })
    }

    /// Everything that runs until the dispatcher is stopped.
    fn spawn_loops(self: &Arc<Self>) -> (CancellationToken, JoinSet<Option<()>>) {
        let stop = CancellationToken::new();
        let mut loops: JoinSet<Option<()>> = JoinSet::new();
        if self.options.claims {
            loops.spawn(stop.clone().run_until_cancelled_owned(claim::run(self.clone())));
            loops.spawn(stop.clone().run_until_cancelled_owned(pace::run(self.clone())));
        }
        loops.spawn(stop.clone().run_until_cancelled_owned(announce::run(self.clone())));
        let (recorder, every) = (self.recorder.clone(), self.options.deaths_told_every);
        let tell = async move { recorder.tell_deaths(every).await };
        loops.spawn(stop.clone().run_until_cancelled_owned(tell));
        let notices = stop.clone().run_until_cancelled_owned(follow_notices::run(self.clone()));
        loops.spawn_on(notices, &self.deps.critical_threads);
        loops.spawn(stop.clone().run_until_cancelled_owned(pause::run(self.clone())));
        loops.spawn(stop.clone().run_until_cancelled_owned(timers::wake_rate_limited(self.clone())));
        loops.spawn(stop.clone().run_until_cancelled_owned(timers::hand_back_old(self.clone())));
        (stop, loops)
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes<Delivery>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts every delivery whose turn it is.
    fn send_ready(self: &Arc<Self>) {
        // Without notices this node does not know of changes. The next heartbeat that it receives calls this again.
        if !self.deps.notice_tracker.holds() {
            return;
        }
        loop {
            let (next, rate_limited) = {
                let mut lanes = self.lanes();
                (lanes.next(Instant::now()), lanes.next_rate_limited_at())
            };
            match next {
                Some(delivery) => {
                    self.deps.threads.spawn(execute::execute(self.clone(), delivery));
                }
                None => {
                    if rate_limited.is_some() {
                        self.rate_limited.notify_one();
                    }
                    return;
                }
            }
        }
    }

    /// A row was put into the queue for this endpoint that is due now, for whichever node has room.
    pub fn note_due(&self, endpoint: EndpointId) {
        self.claim_schedule.schedule_no_later_than(endpoint, Instant::now());
        self.announcements.add(endpoint);
    }

    /// Requests under way, and deliveries queued in memory.
    pub fn load(&self) -> (usize, usize) {
        let lanes = self.lanes();
        (lanes.in_flight(), lanes.queued())
    }

    /// Lanes by what keeps them from sending, if anything does.
    pub fn lane_counts(&self) -> LaneCounts {
        self.lanes().counts()
    }

    /// Bytes of memory that deliveries take, and that they may take.
    pub fn memory_bytes(&self) -> (usize, usize) {
        self.memory.used_of()
    }

    /// Who watches what this node does.
    pub fn live(&self) -> &Live {
        &self.deps.live
    }

    /// Requests under way, by application.
    pub fn in_flight(&self) -> Load {
        let lanes = self.lanes();
        Load { in_flight: lanes.in_flight(), by_application: lanes.in_flight_by_tenant() }
    }
}
