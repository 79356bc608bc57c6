//! Claims from the queue what is due, for lanes that have room, and puts it into them. The agenda says for which
//! endpoints; nothing is asked while nothing is due. A sweep of the queue finds what the agenda was not told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::id::MessageId;
use crate::domain::message::SharedMessage;
use crate::store::{Ask, Claimed, Claims, HandBack, StoreError};

use super::floors::Floors;
use super::lanes::Admission;
use super::{CLAIM_LEASE, Claim, Delivery, Dispatcher, Room};

/// Endpoints in a claim, and the rows after which it takes on no further one.
const MOST_ENDPOINTS: usize = 64;
const MANY_ROWS: usize = 2048;
/// After a claim of fewer rows than this, what becomes due meanwhile goes with the next one.
const FEW_ROWS: usize = 64;
const PAUSE_AFTER_FEW: Duration = Duration::from_millis(10);
/// Endpoints in a page of a sweep.
const SWEEP_PAGE: usize = 1000;
/// The net under notices and timers: a sweep so often, and never for more than a twentieth of the time.
const SWEEP_EVERY: Duration = Duration::from_secs(15);
const SWEEP_SHARE: u32 = 20;
/// For room, for the lease, for a database that does not answer.
const PAUSE_WITHOUT_ROOM: Duration = Duration::from_millis(50);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// A lease must last this much longer than a request's deadline, for its outcome to be recorded.
const RECORD_ALLOWANCE: Duration = Duration::from_secs(10);

/// Claims for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    let mut claimer = Claimer { dispatcher, floors: Floors::default(), sweep_every: SWEEP_EVERY };
    loop {
        claimer.dispatcher.agenda.reached().await;
        let pause = match claimer.round().await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::warn!(%error, "claiming failed");
                // What was taken off the agenda is in the queue still.
                claimer.dispatcher.agenda.sweep_by(Instant::now());
                PAUSE_AFTER_ERROR
            }
        };
        tokio::time::sleep(pause).await;
    }
}

struct Claimer {
    dispatcher: Arc<Dispatcher>,
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
        let now = Instant::now();
        if dispatcher.agenda.begin_sweep(now, now + self.sweep_every) {
            self.sweep(now).await?;
        }
        let asked_at = Instant::now();
        let asks = self.asks(asked_at);
        if asks.is_empty() {
            return Ok(Duration::ZERO);
        }
        let claims = dispatcher.parts.store.claim_due(epoch, CLAIM_LEASE, &asks).await?;
        self.learn(&asks, &claims, asked_at);
        let few = claims.rows.len() < FEW_ROWS;
        dispatcher.take_in(epoch, claims.rows, asked_at).await?;
        Ok(if few { PAUSE_AFTER_FEW } else { Duration::ZERO })
    }

    /// Asks the whole queue which endpoints have something due before the next sweep will have been.
    async fn sweep(&mut self, began_at: Instant) -> Result<(), StoreError> {
        let agenda = &self.dispatcher.agenda;
        self.floors.forget_old(began_at);
        let horizon = self.sweep_every * 2;
        let mut after = Uuid::nil();
        loop {
            let page = self.dispatcher.parts.store.sweep_due(after, horizon, SWEEP_PAGE).await?;
            let now = Instant::now();
            for (endpoint, wait) in &page {
                agenda.hasten(*endpoint, now + *wait);
            }
            let Some((last, _)) = page.last().filter(|_| page.len() >= SWEEP_PAGE && !agenda.is_full())
            else {
                break;
            };
            after = last.uuid();
        }
        let took = began_at.elapsed();
        self.sweep_every = SWEEP_EVERY.max(took * SWEEP_SHARE);
        agenda.rest_until(Instant::now() + took * SWEEP_SHARE);
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
                    self.dispatcher.agenda.hasten(ask.endpoint_id, asked_at);
                }
            }
        }
        for (endpoint, wait) in &claims.waits {
            self.dispatcher.agenda.hasten(*endpoint, Instant::now() + *wait);
        }
    }
}

impl Dispatcher {
    /// Loads the messages of claimed rows as far as memory goes and puts them into their lanes; what finds no
    /// place goes back.
    async fn take_in(
        self: &Arc<Self>,
        epoch: i64,
        rows: Vec<Claimed>,
        claimed_at: Instant,
    ) -> Result<(), StoreError> {
        let mut back: Vec<HandBack> = Vec::new();
        let mut admitted = Vec::new();
        for row in rows {
            match self.memory.reserve(row.payload_bytes as usize) {
                Some(share) => admitted.push((row, share)),
                None => back.push(hand_back(&row, false)),
            }
        }
        let mut ids: Vec<MessageId> = admitted.iter().map(|(row, _)| row.message_id).collect();
        ids.dedup();
        let messages: HashMap<MessageId, SharedMessage> = self
            .parts
            .store
            .load_messages(&ids)
            .await?
            .into_iter()
            .map(|message| (message.id, Arc::new(message)))
            .collect();
        let start_by =
            claimed_at + CLAIM_LEASE.saturating_sub(self.options.request_timeout + RECORD_ALLOWANCE);
        for (row, share) in admitted {
            let picture = self.parts.pictures.get(row.application_id).await.map_err(|error| {
                StoreError::Inconsistent(format!("an application's picture could not be loaded: {error}"))
            })?;
            let endpoint = picture.as_ref().and_then(|picture| picture.endpoint(row.endpoint_id));
            let (Some(endpoint), Some(message)) = (endpoint, messages.get(&row.message_id)) else {
                // Deleted since the claim: held until it is buried.
                self.parts.pictures.forget(row.application_id).await;
                back.push(hand_back(&row, true));
                continue;
            };
            let delivery = Delivery {
                message: message.clone(),
                endpoint: endpoint.clone(),
                epoch,
                claim: Some(Claim { token: row.lease, start_by }),
                attempts: row.attempts,
                trigger: row.trigger,
                room: Room { _share: share, _mark: None },
            };
            let pushed = self.lanes().push_claimed(endpoint, delivery, Instant::now());
            if let Err((delivery, admission)) = pushed {
                if admission == Admission::Closed {
                    // The database says that it is open, so the picture is behind.
                    self.parts.pictures.forget(row.application_id).await;
                }
                back.push(delivery.hand_back(admission == Admission::Closed));
            }
        }
        self.pump();
        if !back.is_empty() {
            self.parts.store.hand_back(epoch, &back).await?;
            let now = Instant::now();
            for row in back.iter().filter(|row| !row.held) {
                self.agenda.hasten(row.endpoint_id, now);
            }
        }
        Ok(())
    }
}

fn hand_back(row: &Claimed, held: bool) -> HandBack {
    HandBack {
        message_id: row.message_id,
        endpoint_id: row.endpoint_id,
        application_id: row.application_id,
        lease: Some(row.lease),
        held,
    }
}
