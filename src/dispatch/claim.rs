//! Claims from the queue what is due, for lanes that have room, and puts it into them. The agenda says for which
//! endpoints; nothing is asked while nothing is due. A sweep of the queue finds what the agenda was not told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::application::Application;
use crate::domain::id::{ApplicationId, MessageId};
use crate::domain::message::SharedMessage;
use crate::domain::policy::LONGEST_TIMEOUT;
use crate::lease::HeldClaim;
use crate::store::{Ask, Claimed, Claims, HandBack, StoreError};

use super::floors::Floors;
use super::lanes::Admission;
use super::returns::{Keep, Return};
use super::{CLAIM_LEASE, Claim, Delivery, Dispatcher, Room, Share};

/// Endpoints in a claim, and the rows after which it takes on no further one.
const MOST_ENDPOINTS: usize = 64;
const MANY_ROWS: usize = 2048;
/// After a claim of fewer rows than this, what becomes due meanwhile goes with the next one.
const FEW_ROWS: usize = 64;
const PAUSE_AFTER_FEW: Duration = Duration::from_millis(10);
/// Endpoints in a page of a sweep.
const SWEEP_PAGE: usize = 1000;
/// The net under notices and timers: a sweep so often, and as a rule for no more than a twentieth of the time.
const SWEEP_EVERY: Duration = Duration::from_secs(15);
const SWEEP_SHARE: u32 = 20;
/// However long a sweep took, the next one follows within this.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// For room, for the lease, for a database that does not answer.
const PAUSE_WITHOUT_ROOM: Duration = Duration::from_millis(50);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);
/// For an application that cannot be loaded.
const PAUSE_WITHOUT_PICTURE: Duration = Duration::from_secs(5);
/// A lease must last this much longer than a request's deadline, for its outcome to be recorded.
const RECORD_ALLOWANCE: Duration = Duration::from_secs(10);

/// Claims for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    let epoch = dispatcher.parts.lease.epoch();
    let progress = dispatcher.parts.vitals.claims.clone();
    let mut claimer = Claimer { dispatcher, epoch, floors: Floors::default(), sweep_every: SWEEP_EVERY };
    loop {
        claimer.dispatcher.agenda.reached().await;
        progress.begin();
        let pause = match claimer.round().await {
            Ok(pause) => {
                progress.done();
                pause
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "claiming failed");
                // What was taken off the agenda is in the queue still. What was claimed after all, without an answer,
                // is held by nobody, which the net looks for.
                claimer.dispatcher.agenda.sweep_at_once();
                PAUSE_AFTER_ERROR
            }
        };
        tokio::time::sleep(pause).await;
    }
}

struct Claimer {
    dispatcher: Arc<Dispatcher>,
    /// The epoch of the last round.
    epoch: i64,
    floors: Floors,
    sweep_every: Duration,
}

impl Claimer {
    /// Claims once for what is due, and returns how long to wait before doing so again.
    async fn round(&mut self) -> Result<Duration, StoreError> {
        let dispatcher = self.dispatcher.clone();
        let epoch = dispatcher.parts.lease.epoch();
        if !dispatcher.parts.lease.covers(epoch) || dispatcher.memory.is_short() {
            // What is in flight gives memory back when it is recorded; the lease comes back by its keeper.
            return Ok(PAUSE_WITHOUT_ROOM);
        }
        if epoch != self.epoch {
            // Everything that the epoch before had is in the queue again.
            self.epoch = epoch;
            dispatcher.agenda.sweep_at_once();
        }
        let now = Instant::now();
        if dispatcher.agenda.begin_sweep(now, now + self.sweep_every) {
            self.sweep(now).await?;
        }
        let asked_at = Instant::now();
        let asks = self.asks(asked_at);
        if asks.is_empty() {
            return Ok(Duration::ZERO);
        }
        let claims = dispatcher.parts.queue.claim_due(epoch, CLAIM_LEASE, &asks).await?;
        self.learn(&asks, &claims, asked_at);
        let few = claims.rows.len() < FEW_ROWS;
        dispatcher.take_in(epoch, claims.rows, asked_at).await;
        Ok(if few { PAUSE_AFTER_FEW } else { Duration::ZERO })
    }

    /// Asks the whole queue which endpoints have something due before the next sweep will have been.
    async fn sweep(&mut self, began_at: Instant) -> Result<(), StoreError> {
        let agenda = &self.dispatcher.agenda;
        self.floors.forget_old(began_at);
        let horizon = self.sweep_every * 2;
        let mut after = Uuid::nil();
        let mut took = Duration::ZERO;
        let mut overdue = None;
        loop {
            let asked_at = Instant::now();
            let page = self.dispatcher.parts.queue.sweep_due(after, horizon, SWEEP_PAGE).await?;
            let now = Instant::now();
            took += now - asked_at;
            for due in &page {
                agenda.schedule_by(due.endpoint_id, now + due.wait);
                overdue = overdue.max(Some(due.overdue).filter(|by| !by.is_zero()));
            }
            let Some(last) = page.last().filter(|_| page.len() >= SWEEP_PAGE && !agenda.is_full()) else {
                break;
            };
            after = last.endpoint_id.uuid();
        }
        self.dispatcher.parts.vitals.overdue(overdue);
        let rest = (took * SWEEP_SHARE).min(LONGEST_REST);
        self.sweep_every = SWEEP_EVERY.max(rest);
        agenda.rest_until(Instant::now() + rest);
        Ok(())
    }

    /// What to claim: for the endpoints that are due, as far as their lanes have room.
    fn asks(&self, now: Instant) -> Vec<Ask> {
        let mut asks = Vec::new();
        let mut rows = 0;
        while asks.len() < MOST_ENDPOINTS
            && rows < MANY_ROWS
            && let Some(endpoint_id) = self.dispatcher.agenda.take_due(now)
        {
            // A lane without room brings its endpoint back when it has room again.
            let quota = self.dispatcher.lanes().room(endpoint_id);
            if quota > 0 {
                rows += usize::from(quota);
                asks.push(Ask { endpoint_id, floor: self.floors.of(endpoint_id, now), quota });
            }
        }
        asks
    }

    /// Notes from where the next claims read, and when they are due.
    fn learn(&mut self, asks: &[Ask], claims: &Claims, asked_at: Instant) {
        let mut taken: HashMap<_, (u16, _)> = HashMap::new();
        for row in &claims.rows {
            let (count, last) = taken.entry(row.endpoint_id).or_insert((0, row.due_at));
            *count += 1;
            *last = row.due_at.max(*last);
        }
        for ask in asks {
            if let (Some((count, last)), Some(claimed_at)) = (taken.get(&ask.endpoint_id), claims.claimed_at)
            {
                self.floors.learn(ask.endpoint_id, *last, claimed_at, asked_at);
                if *count == ask.quota {
                    self.dispatcher.agenda.schedule_by(ask.endpoint_id, asked_at);
                }
            }
        }
        for (endpoint, wait) in &claims.waits {
            self.dispatcher.agenda.schedule_by(*endpoint, Instant::now() + *wait);
        }
    }
}

/// A row that was claimed, and says so for as long as it is held here.
struct HeldRow {
    row: Claimed,
    claim: HeldClaim,
}

impl Dispatcher {
    /// Loads the messages of claimed rows as far as memory goes and puts them into their lanes; what finds no
    /// place goes back. Nothing that fails for one application keeps the rows of others.
    async fn take_in(self: &Arc<Self>, epoch: i64, rows: Vec<Claimed>, claimed_at: Instant) {
        let claims = self.parts.lease.claims();
        let mut admitted = Vec::new();
        for row in rows {
            let claim = claims.hold((row.message_id, row.endpoint_id, row.lease));
            if self.losses.strike() {
                continue;
            }
            let row = HeldRow { row, claim };
            match self.memory.reserve(row.row.payload_bytes as usize) {
                Some(share) => admitted.push((row, share)),
                None => self.return_row(epoch, row, false, Duration::ZERO),
            }
        }
        let mut ids: Vec<MessageId> = admitted.iter().map(|(row, _)| row.row.message_id).collect();
        ids.dedup();
        let messages = match self.parts.queue.load_messages(&ids).await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "claimed messages could not be loaded"
                );
                for (row, _) in admitted {
                    self.return_row(epoch, row, false, PAUSE_AFTER_ERROR);
                }
                return;
            }
        };
        let messages: HashMap<MessageId, SharedMessage> =
            messages.into_iter().map(|message| (message.id, Arc::new(message))).collect();
        let start_by = claimed_at + CLAIM_LEASE.saturating_sub(LONGEST_TIMEOUT + RECORD_ALLOWANCE);
        // Those of one application together, so that one that cannot be loaded is asked for once.
        admitted.sort_by_key(|(row, _)| row.row.application_id);
        let mut snapshot = None;
        for (row, share) in admitted {
            let application = row.row.application_id;
            if snapshot.as_ref().is_none_or(|(of, _)| *of != application) {
                snapshot = Some((application, self.load_snapshot(application).await));
            }
            match &snapshot {
                Some((_, Ok(found))) => {
                    let message = messages.get(&row.row.message_id);
                    self.put_into_lane(epoch, row, share, message, found.as_ref(), start_by);
                }
                _ => self.return_row(epoch, row, false, PAUSE_WITHOUT_PICTURE),
            }
        }
        self.pump();
    }

    async fn load_snapshot(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, ()> {
        self.parts.snapshots.get(id).await.map_err(|error| {
            let error: &dyn std::error::Error = &*error;
            tracing::warn!(error, application = %id, "an application could not be loaded; what is due for it waits");
        })
    }

    fn put_into_lane(
        &self,
        epoch: i64,
        row: HeldRow,
        share: Share,
        message: Option<&SharedMessage>,
        application: Option<&Arc<Application>>,
        start_by: Instant,
    ) {
        let endpoint = application.and_then(|snapshot| snapshot.endpoint(row.row.endpoint_id));
        let (Some(application), Some(endpoint), Some(message)) = (application, endpoint, message) else {
            // Deleted since the claim: held until it is buried.
            self.parts.snapshots.forget(row.row.application_id);
            return self.return_row(epoch, row, true, Duration::ZERO);
        };
        let HeldRow { row, claim } = row;
        let delivery = Delivery {
            message: message.clone(),
            endpoint: endpoint.clone(),
            epoch,
            claim: Some(Claim { token: row.lease, start_by }),
            attempts: row.attempts,
            trigger: row.trigger,
            room: Room { _share: share, _mark: None, _claim: Some(claim) },
        };
        let mut lanes = self.lanes();
        let pushed = if self.parts.snapshots.is_current(application) {
            lanes.push_claimed(endpoint, delivery, Instant::now())
        } else {
            // It changed a moment ago. A lane that does not stand still yet must not begin with what was before.
            Err((delivery, Admission::Full))
        };
        drop(lanes);
        if let Err((delivery, admission)) = pushed {
            if admission == Admission::Closed {
                // The database says that it is open, so the snapshot is behind.
                self.parts.snapshots.forget(row.application_id);
            }
            self.give_back(vec![delivery], admission == Admission::Closed);
        }
    }

    fn return_row(&self, epoch: i64, HeldRow { row, claim }: HeldRow, held: bool, again_after: Duration) {
        let row = HandBack {
            message_id: row.message_id,
            endpoint_id: row.endpoint_id,
            application_id: row.application_id,
            lease: Some(row.lease),
            held,
        };
        self.returns.add(Return { epoch, row, _keep: Keep::Claim(claim), again_after });
    }
}
