//! Follows notices of other nodes and of this one: changed configuration, revoked credentials, due work, pauses, heartbeats.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::notices::NOTICES_VALID_FOR;
use crate::store::{Notice, Notices};

use super::Dispatcher;

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);
/// `LISTEN` has to be answered within this time.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(4);

/// Follows notices for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    let progress = dispatcher.deps.health.notices.clone();
    loop {
        progress.begin();
        match tokio::time::timeout(LISTEN_TIMEOUT, dispatcher.deps.queue.listen()).await {
            Ok(Ok(notices)) => dispatcher.follow(notices).await,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot listen for notices");
            }
            Err(_) => tracing::warn!("cannot listen for notices: the database does not answer"),
        }
        tokio::time::sleep(PAUSE_AFTER_ERROR).await;
    }
}

impl Dispatcher {
    /// Acts on notices until they stop.
    async fn follow(self: &Arc<Self>, mut notices: Notices) {
        self.forget_everything_cached();
        loop {
            // This node receives its own heartbeats, so silence means that the connection is broken.
            match tokio::time::timeout(NOTICES_VALID_FOR, notices.next()).await {
                Ok(Ok(notice)) => self.act_on(notice),
                Ok(Err(error)) => {
                    return tracing::warn!(error = &error as &dyn std::error::Error, "notices stopped");
                }
                Err(_) => {
                    return tracing::warn!(
                        "no notice was received for {} s; listening again",
                        NOTICES_VALID_FOR.as_secs()
                    );
                }
            }
        }
    }

    /// Acts on a notice. Nothing here waits: when this returns, no cache answers with what was before the notice, and no
    /// lane sends by it.
    fn act_on(self: &Arc<Self>, notice: Notice) {
        let own_epoch = self.deps.lease.epoch();
        match notice {
            Notice::Changed(application) => self.refresh(application),
            Notice::Due(endpoints) => self.schedule_now(&endpoints),
            Notice::AnyDue => self.claim_schedule.sweep_no_later_than(Instant::now()),
            Notice::CredentialEnded(hash) => self.deps.credentials.forget(&hash),
            Notice::TokensTakenBack(application) => self.deps.credentials.forget_tokens(application),
            Notice::Watched(scopes) => self.deps.live.watch(scopes),
            Notice::Throttled(notes) => self.lanes().hear_throttles(&notes, Instant::now()),
            Notice::HomesFreed(freed) => self.forget_freed_homes(|home| freed.contains(&home)),
            Notice::AnyHomeFreed => self.forget_freed_homes(|_| true),
            Notice::PaceChanged => {
                self.lanes().forget_pace();
                self.claim_schedule.sweep_no_later_than(Instant::now());
            }
            Notice::Paused => self.ask_whether_paused(),
            Notice::Reconnected => self.forget_everything_cached(),
            Notice::Beat { epoch, number } if epoch == own_epoch => {
                self.deps.notice_tracker.heartbeat_received(number);
                self.deps.health.notices.done();
                // What was not sent while no notice was received can be sent now.
                self.send_ready();
            }
            Notice::Beat { .. } => {}
            Notice::Question { epoch, number } if epoch == own_epoch => {
                self.deps.notice_tracker.answer_received(number, epoch);
            }
            Notice::Question { epoch, number } => {
                let queue = self.deps.queue.clone();
                self.deps.threads.spawn(async move {
                    if let Err(error) = queue.answer_node(own_epoch, epoch, number).await {
                        tracing::debug!(%error, "another node was not answered");
                    }
                });
            }
            Notice::Answer { epoch, asked_by, number } => {
                if asked_by == own_epoch {
                    self.deps.notice_tracker.answer_received(number, epoch);
                }
            }
        }
    }

    /// Listening begins now. Anything may have been missed before, so all that is cached is read again.
    fn forget_everything_cached(self: &Arc<Self>) {
        self.deps.credentials.forget_all();
        self.deps.snapshots.forget_all();
        self.lanes().forget_pace();
        self.ask_whether_paused();
        let tenants = self.lanes().tenants();
        tenants.into_iter().for_each(|tenant| self.refresh(tenant));
        self.deps.notice_tracker.listening_began();
        self.claim_schedule.sweep_now();
    }

    fn ask_whether_paused(&self) {
        self.lanes().suspend_all(true);
        self.pause_changed.notify_one();
    }
}
