//! Budgets in bytes: of bodies under way, and of large answers. Whoever finds one used up waits in turn for a moment,
//! and is then told to come back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::error::ApiError;

use super::body_sender::BodySender;
use super::bytes::{KIB, permits, semaphore};
use super::connection::CallerConnection;
use super::limits::IntakeLimits;

/// How long one waits for room.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 5_000 });
/// Bodies that are no larger have a part of the budget of their own: they do not wait in turn behind large ones.
const SMALL_BYTES: usize = 16 << 10;
const SMALL_PART: usize = 8;
/// Tenants' bodies have this part of the budget, so that they never stand in the way of producers.
const TENANTS_PART: usize = 4;
/// What the bodies of those who sign in may take, all together, and what is posted to test inboxes: neither shows a
/// credential first, so they have no part of anybody else's.
const SIGN_INS_BYTES: usize = 1 << 20;
const INBOXES_BYTES: usize = 4 << 20;
/// An answer is held as rows, as values and as text.
const COPIES: usize = 2;

/// What there is to share out. Cheap to clone.
#[derive(Clone)]
pub struct Budgets {
    bodies: Arc<Semaphore>,
    small_bodies: Arc<Semaphore>,
    tenants_bodies: Arc<Semaphore>,
    sign_ins: Arc<Semaphore>,
    inboxes: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    /// What answers may take that are written and wait for room.
    waiting_answers: Arc<Semaphore>,
    /// What all bodies may take, and all answers, in permits.
    sizes: (usize, usize),
}

/// A body's room.
pub(in crate::api) struct BodyRoom {
    of_all: OwnedSemaphorePermit,
    of_connection: Option<OwnedSemaphorePermit>,
    is_of_producer: bool,
}

/// A large answer's room. It is held until the answer is sent.
#[derive(Clone)]
pub struct AnswerRoom(Arc<OwnedSemaphorePermit>);

impl Budgets {
    /// The budgets of these limits. One of each kind always finds room.
    pub fn new(limits: &IntakeLimits) -> Self {
        let bodies = limits.body_budget_bytes.max(limits.body_bytes + KIB);
        // A page has one item at least, which may be as large as a body.
        let largest_page = limits.page_bytes.max(limits.body_bytes);
        let answers = limits.answer_budget_bytes.max((largest_page + KIB) * COPIES);
        let budgets = Self {
            bodies: semaphore((bodies - bodies / SMALL_PART).max(limits.body_bytes + KIB)),
            small_bodies: semaphore((bodies / SMALL_PART).max(SMALL_BYTES)),
            tenants_bodies: semaphore((bodies / TENANTS_PART).max(limits.body_bytes + KIB)),
            sign_ins: semaphore(SIGN_INS_BYTES),
            inboxes: semaphore(INBOXES_BYTES),
            answers: semaphore(answers),
            waiting_answers: semaphore(answers),
            sizes: (0, 0),
        };
        let sizes = (budgets.free_for_bodies(), budgets.answers.available_permits());
        Self { sizes, ..budgets }
    }

    fn free_for_bodies(&self) -> usize {
        let all = [&self.bodies, &self.small_bodies, &self.tenants_bodies, &self.sign_ins, &self.inboxes];
        all.into_iter().map(|part| part.available_permits()).sum()
    }

    /// Bytes that bodies take, and that they may take.
    pub fn body_bytes(&self) -> (usize, usize) {
        (self.sizes.0.saturating_sub(self.free_for_bodies()) * KIB, self.sizes.0 * KIB)
    }

    /// Bytes that large answers take, and that they may take.
    pub fn answer_bytes(&self) -> (usize, usize) {
        (self.sizes.1.saturating_sub(self.answers.available_permits()) * KIB, self.sizes.1 * KIB)
    }

    /// Room for a body; `None` when there is none for a while. The connection's own is taken first, so that one
    /// connection with many requests waits for itself alone.
    pub(in crate::api) async fn room_for_body(
        &self,
        bytes: usize,
        sender: BodySender,
        connection: Option<&CallerConnection>,
    ) -> Option<BodyRoom> {
        let all = match sender {
            BodySender::Tenant => &self.tenants_bodies,
            BodySender::SignIn => &self.sign_ins,
            BodySender::Inbox => &self.inboxes,
            BodySender::Producer if bytes <= SMALL_BYTES => &self.small_bodies,
            BodySender::Producer => &self.bodies,
        };
        let wanted = permits(bytes);
        let of_connection = match connection {
            Some(connection) => Some(take(connection.room_of(sender), wanted).await?),
            None => None,
        };
        let is_of_producer = matches!(sender, BodySender::Producer);
        Some(BodyRoom { of_all: take(all, wanted).await?, of_connection, is_of_producer })
    }

    /// Room for an answer of so many bytes, up to those of the largest page.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when there is none for a while.
    pub async fn room_for_answer(&self, bytes: usize) -> Result<AnswerRoom, ApiError> {
        let permit = take(&self.answers, permits(bytes * COPIES)).await.ok_or(ApiError::Overloaded(1))?;
        Ok(AnswerRoom(Arc::new(permit)))
    }

    /// Room for an answer that is written already. One that is larger than all the room there is takes all of it.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when there is none for a while, and at once when too much waits for it.
    pub(in crate::api) async fn room_for_written(&self, bytes: usize) -> Result<AnswerRoom, ApiError> {
        let wanted = permits(bytes).min(permits(self.sizes.1 * KIB));
        let waiting = self.waiting_answers.clone().try_acquire_many_owned(wanted);
        let _waiting = waiting.map_err(|_| ApiError::Overloaded(1))?;
        let permit = take(&self.answers, wanted).await.ok_or(ApiError::Overloaded(1))?;
        Ok(AnswerRoom(Arc::new(permit)))
    }
}

async fn take(semaphore: &Arc<Semaphore>, wanted: u32) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = semaphore.clone().try_acquire_many_owned(wanted) {
        return Some(permit);
    }
    tokio::time::timeout(PATIENCE, semaphore.clone().acquire_many_owned(wanted)).await.ok()?.ok()
}

impl AnswerRoom {
    /// Gives back what turned out not to be needed.
    pub(in crate::api) fn shrunk_to(mut self, bytes: usize) -> Self {
        if let Some(permit) = Arc::get_mut(&mut self.0) {
            drop(permit.split(permit.num_permits().saturating_sub(bytes.div_ceil(KIB))));
        }
        self
    }
}

impl BodyRoom {
    /// Whether it is of the producers' part.
    pub(in crate::api) fn is_of_producer(&self) -> bool {
        self.is_of_producer
    }

    /// Gives back what turned out not to be needed.
    pub(in crate::api) fn shrunk_to(mut self, bytes: usize) -> Self {
        for permit in [Some(&mut self.of_all), self.of_connection.as_mut()].into_iter().flatten() {
            let needed = bytes.div_ceil(KIB);
            drop(permit.split(permit.num_permits().saturating_sub(needed)));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> IntakeLimits {
        IntakeLimits {
            body_bytes: 1 << 20,
            body_timeout: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(1),
            body_budget_bytes: 8 << 20,
            answer_budget_bytes: 8 << 20,
            page_bytes: 4 << 20,
        }
    }

    #[tokio::test]
    async fn bodies_wait_in_turn_and_are_then_refused() {
        let budgets = Arc::new(Budgets::new(&limits()));
        let first = budgets.room_for_body(7 << 20, BodySender::Producer, None).await.unwrap();
        assert!(budgets.room_for_body(1 << 20, BodySender::Producer, None).await.is_none());
        let waiting = tokio::spawn({
            let budgets = budgets.clone();
            async move { budgets.room_for_body(4 << 20, BodySender::Producer, None).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn tenants_do_not_stand_in_the_way_of_producers() {
        let budgets = Budgets::new(&limits());
        let _tenants = [
            budgets.room_for_body(1 << 20, BodySender::Tenant, None).await.unwrap(),
            budgets.room_for_body(1 << 20, BodySender::Tenant, None).await.unwrap(),
        ];
        assert!(budgets.room_for_body(1 << 20, BodySender::Tenant, None).await.is_none());
        assert!(budgets.room_for_body(7 << 20, BodySender::Producer, None).await.is_some());
    }

    #[tokio::test]
    async fn strangers_stand_in_nobodys_way_and_a_connection_has_few_of_them() {
        let budgets = Budgets::new(&limits());
        let mut held = Vec::new();
        for (sender, bytes, all) in
            [(BodySender::SignIn, 16 << 10, SIGN_INS_BYTES), (BodySender::Inbox, 64 << 10, INBOXES_BYTES)]
        {
            for _ in 0..all / bytes {
                held.push(budgets.room_for_body(bytes, sender, None).await.unwrap());
            }
            assert!(budgets.room_for_body(bytes, sender, None).await.is_none(), "{sender:?}");
        }
        for sender in [BodySender::Tenant, BodySender::Producer] {
            assert!(budgets.room_for_body(1 << 20, sender, None).await.is_some(), "{sender:?}");
        }
        held.clear();
        let connection = CallerConnection::new(2 << 20);
        for _ in 0..2 {
            held.push(budgets.room_for_body(64 << 10, BodySender::Inbox, Some(&connection)).await.unwrap());
        }
        assert!(budgets.room_for_body(1, BodySender::SignIn, Some(&connection)).await.is_none());
        assert!(budgets.room_for_body(1 << 20, BodySender::Tenant, Some(&connection)).await.is_some());
    }

    #[tokio::test]
    async fn small_bodies_do_not_wait_behind_large_ones_and_have_a_bound_too() {
        let budgets = Budgets::new(&limits());
        let _large = budgets.room_for_body(7 << 20, BodySender::Producer, None).await.unwrap();
        let mut small = Vec::new();
        for _ in 0..(1 << 20) / SMALL_BYTES {
            small.push(budgets.room_for_body(SMALL_BYTES, BodySender::Producer, None).await.unwrap());
        }
        assert!(budgets.room_for_body(1, BodySender::Producer, None).await.is_none());
        assert!(budgets.room_for_body(SMALL_BYTES + 1, BodySender::Producer, None).await.is_none());
        small.pop();
        assert!(budgets.room_for_body(1, BodySender::Producer, None).await.is_some());
    }

    #[tokio::test]
    async fn a_connection_has_a_budget_of_its_own() {
        let budgets = Budgets::new(&limits());
        let connection = CallerConnection::new(2 << 20);
        let room = budgets.room_for_body(2 << 20, BodySender::Producer, Some(&connection)).await.unwrap();
        assert!(budgets.room_for_body(1, BodySender::Producer, Some(&connection)).await.is_none());
        let _room = room.shrunk_to(1 << 10);
        assert!(budgets.room_for_body(1 << 20, BodySender::Producer, Some(&connection)).await.is_some());
    }

    #[tokio::test]
    async fn large_answers_are_few_at_a_time() {
        let budgets = Budgets::new(&limits());
        let room = budgets.room_for_answer(4 << 20).await.unwrap();
        assert!(budgets.room_for_answer(4 << 20).await.is_err());
        drop(room);
        assert!(budgets.room_for_answer(4 << 20).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_written_takes_what_it_has_and_waits_within_bounds() {
        let budgets = Budgets::new(&limits());
        let all = budgets.room_for_answer(4 << 20).await.unwrap();
        let waiting = tokio::spawn({
            let budgets = budgets.clone();
            async move { budgets.room_for_written(100 << 20).await.is_ok() }
        });
        tokio::task::yield_now().await;
        let refused = tokio::time::timeout(Duration::ZERO, budgets.room_for_written(1 << 20)).await;
        assert!(refused.unwrap().is_err(), "as much waits as there is room in all");
        drop(all);
        assert!(waiting.await.unwrap());
        let page = budgets.room_for_answer(4 << 20).await.unwrap().shrunk_to(1 << 20);
        assert!(budgets.room_for_written(7 << 20).await.is_ok(), "a written answer holds its length");
        drop(page);
    }
}
