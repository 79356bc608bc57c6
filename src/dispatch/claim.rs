//! Claims from the queue what is due, for lanes that have room, and puts it into them. Nothing is asked while
//! nothing is due: the claimer waits for the next due time, a notice, or a lane that has room again, with slow
//! polling as the net.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::id::{EndpointId, MessageId};
use crate::domain::message::SharedMessage;
use crate::store::{ClaimRequest, Claimed, HandBack, StoreError};

use super::lanes::Admission;
use super::{CLAIM_LEASE, Claim, Delivery, Dispatcher, Room};

const ENDPOINTS_A_CLAIM: i64 = 64;
const ROWS_AN_ENDPOINT: i64 = 256;
/// The net under notices and timers.
const POLL_EVERY: Duration = Duration::from_secs(10);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// A lease must last this much longer than a request's deadline, for its outcome to be recorded.
const RECORD_ALLOWANCE: Duration = Duration::from_secs(10);

/// Claims for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    loop {
        dispatcher.next_due.take();
        match dispatcher.claim_all().await {
            Ok(Some(wait)) => dispatcher.next_due.hasten(Instant::now() + wait),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "claiming failed");
                dispatcher.next_due.hasten(Instant::now() + PAUSE_AFTER_ERROR);
            }
        }
        let _ = tokio::time::timeout(POLL_EVERY, dispatcher.next_due.reached()).await;
    }
}

impl Dispatcher {
    /// Claims until nothing is due that has room, and returns how long it is until something will be.
    async fn claim_all(self: &Arc<Self>) -> Result<Option<Duration>, StoreError> {
        let mut after = Uuid::nil();
        loop {
            let epoch = self.parts.lease.epoch();
            let without = self.crowded();
            if self.lanes().is_paused() {
                return Ok(None);
            }
            if !self.parts.lease.covers(epoch)
                || self.memory.available_permits() < self.options.memory_bytes / 8
            {
                // What is in flight gives memory back when it is recorded; the lease comes back by its keeper.
                return Ok(Some(Duration::from_millis(50)));
            }
            let claimed_at = Instant::now();
            let rows = self
                .parts
                .store
                .claim_due(&ClaimRequest {
                    epoch,
                    after,
                    endpoints: ENDPOINTS_A_CLAIM,
                    per_endpoint: ROWS_AN_ENDPOINT,
                    without: &without,
                    lease: CLAIM_LEASE,
                })
                .await?;
            match rows.iter().map(|row| row.endpoint_id.uuid()).max() {
                Some(last) => {
                    self.take_in(epoch, rows, claimed_at).await?;
                    after = last;
                }
                None if after == Uuid::nil() => return self.parts.store.next_due(&without).await,
                None => after = Uuid::nil(),
            }
        }
    }

    fn crowded(&self) -> Vec<Uuid> {
        self.lanes().crowded().into_iter().map(EndpointId::uuid).collect()
    }

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
            match self.reserve_bytes(row.payload_bytes as usize) {
                Some(bytes) => admitted.push((row, bytes)),
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
        for (row, bytes) in admitted {
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
                room: Room { _bytes: bytes, _mark: None },
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
