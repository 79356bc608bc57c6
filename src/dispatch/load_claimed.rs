//! Loads the messages of claimed rows and puts the deliveries into their lanes. What finds no place goes back into the
//! queue.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::application::Application;
use crate::domain::id::{ApplicationId, MessageId};
use crate::domain::message::SharedMessage;
use crate::domain::policy::LONGEST_TIMEOUT;
use crate::lease::ClaimGuard;
use crate::store::ClaimedDelivery;

use super::claim::PAUSE_AFTER_ERROR;
use super::hand_back::{Guard, HandBackItem};
use super::lanes::Admission;
use super::{CLAIM_LEASE, Claim, Delivery, DeliveryGuards, Dispatcher, MemoryShare};

/// What is due for an application that cannot be loaded is claimed again after this time.
const PAUSE_WITHOUT_APPLICATION: Duration = Duration::from_secs(5);
/// A lease must last this much longer than a request's deadline, so that its outcome can be recorded under it.
const TIME_TO_RECORD: Duration = Duration::from_secs(10);

/// What was due so long ago and not sent is a backlog.
const MIN_BACKLOG_AGE: Duration = Duration::from_secs(10);

/// A row that was claimed, and counts as held by this node until it is dropped.
struct HeldRow {
    row: ClaimedDelivery,
    claim: ClaimGuard,
}

impl Dispatcher {
    /// Loads the messages of claimed rows as far as memory goes, and puts them into their lanes. An error with one
    /// application affects no other's rows.
    pub(super) async fn load_claimed(
        self: &Arc<Self>,
        epoch: i64,
        rows: Vec<ClaimedDelivery>,
        claimed_at: Instant,
    ) {
        let claims = self.deps.lease.held_claims();
        let mut admitted = Vec::new();
        for row in rows {
            let claim = claims.hold((row.message_id, row.endpoint_id, row.lease));
            if self.fault_injection.drops_this() {
                continue;
            }
            let row = HeldRow { row, claim };
            match self.memory.reserve(row.row.content_bytes) {
                Some(share) => admitted.push((row, share)),
                None => self.hand_back_row(epoch, row, false, Duration::ZERO),
            }
        }
        let mut ids: Vec<MessageId> = admitted.iter().map(|(row, _)| row.row.message_id).collect();
        ids.dedup();
        let messages = match self.deps.queue.load_messages(&ids).await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "claimed messages could not be loaded"
                );
                for (row, _) in admitted {
                    self.hand_back_row(epoch, row, false, PAUSE_AFTER_ERROR);
                }
                return;
            }
        };
        let messages: HashMap<MessageId, SharedMessage> =
            messages.into_iter().map(|message| (message.id, Arc::new(message))).collect();
        let start_by = claimed_at + CLAIM_LEASE.saturating_sub(LONGEST_TIMEOUT + TIME_TO_RECORD);
        // Sorted by application, so that each is loaded once.
        admitted.sort_by_key(|(row, _)| row.row.application_id);
        let mut loaded = None;
        for (row, share) in admitted {
            let application = row.row.application_id;
            if loaded.as_ref().is_none_or(|(id, _)| *id != application) {
                loaded = Some((application, self.load_application(application).await));
            }
            match &loaded {
                Some((_, Ok(found))) => {
                    let message = messages.get(&row.row.message_id);
                    self.put_into_lane(epoch, row, share, message, found.as_ref(), start_by);
                }
                _ => self.hand_back_row(epoch, row, false, PAUSE_WITHOUT_APPLICATION),
            }
        }
        self.send_ready();
    }

    async fn load_application(&self, id: ApplicationId) -> Result<Option<Arc<Application>>, ()> {
        self.deps.snapshots.get(id).await.map_err(|error| {
            let error: &dyn std::error::Error = &*error;
            tracing::warn!(error, application = %id, "an application could not be loaded; what is due for it waits");
        })
    }

    fn put_into_lane(
        &self,
        epoch: i64,
        row: HeldRow,
        share: MemoryShare,
        message: Option<&SharedMessage>,
        application: Option<&Arc<Application>>,
        start_by: Instant,
    ) {
        let endpoint = application.and_then(|application| application.endpoint(row.row.endpoint_id));
        let (Some(application), Some(endpoint), Some(message)) = (application, endpoint, message) else {
            // Deleted since the claim: held until maintenance buries it.
            self.deps.snapshots.forget(row.row.application_id);
            return self.hand_back_row(epoch, row, true, Duration::ZERO);
        };
        let HeldRow { row, claim } = row;
        let delivery = Delivery {
            message: message.clone(),
            endpoint: endpoint.clone(),
            epoch,
            claim: Some(Claim { token: row.lease, start_by, is_backlog: self.is_backlog(&row) }),
            attempts: row.attempts,
            refusals: row.refusals,
            trigger: row.trigger,
            guards: DeliveryGuards { _memory: share, _message: None, _claim: Some(claim) },
        };
        let mut lanes = self.lanes();
        let pushed = if self.deps.snapshots.is_current(application) {
            lanes.push_claimed(endpoint, delivery, Instant::now())
        } else {
            // It changed a moment ago. A lane that is not suspended yet must not begin with the former snapshot.
            Err((delivery, Admission::Full))
        };
        drop(lanes);
        if let Err((delivery, admission)) = pushed {
            if admission == Admission::Closed {
                // A claim takes rows of open endpoints alone, so the snapshot is behind.
                self.deps.snapshots.forget(row.application_id);
            }
            self.hand_back(vec![delivery], admission == Admission::Closed);
        }
    }

    fn is_backlog(&self, row: &ClaimedDelivery) -> bool {
        // The lease began when the row was claimed.
        let overdue = (row.lease - row.due_at).to_std().unwrap_or_default().saturating_sub(CLAIM_LEASE);
        overdue >= MIN_BACKLOG_AGE || row.message_id < self.started_with
    }

    fn hand_back_row(&self, epoch: i64, row: HeldRow, held: bool, claim_after: Duration) {
        let HeldRow { row, claim } = row;
        let key = (row.message_id, row.endpoint_id);
        let item = HandBackItem::new(epoch, key, row.application_id, Some(row.lease), Guard::Claim(claim));
        self.hand_backs.add(item.held(held).claim_after(claim_after));
    }
}
