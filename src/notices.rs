//! A change that was answered is in force on every node: no cache uses what was before it.
//!
//! The transaction of a change also sends a notice (`NOTIFY`), and every node forgets what it has cached of the changed
//! thing. Two things make that a promise. Before a change is answered, all living nodes are asked whether they have received
//! every notice up to here, and their answers are waited for. And a node knows whether it receives notices, because its own
//! heartbeats are notices as well, each with a number. One that has received none of the heartbeats that it sent within
//! [`NOTICES_VALID_FOR`] uses nothing that it has cached and sends nothing. So it is enough to wait for an answer as long
//! as that.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::lease::Lease;
use crate::store::{QueueStore, Trust};

/// A node that has received a heartbeat counts as receiving notices for this long after that heartbeat was sent.
pub const NOTICES_VALID_FOR: Duration = Duration::from_secs(4);
/// A node answers in milliseconds. One that has not answered by then receives no notices, and knows it.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(4_500);
/// Heartbeats that were sent and may still be received.
const MAX_PENDING_HEARTBEATS: usize = 16;

/// Whether this node receives notices, and which nodes have answered its questions. Cheap to clone.
#[derive(Clone, Default)]
pub struct NoticeTracker {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Heartbeats that were sent, with their numbers and times.
    pending: Mutex<VecDeque<(i64, Instant)>>,
    last_number: AtomicI64,
    /// When the newest heartbeat that was received had been sent.
    valid_from: Mutex<Option<Instant>>,
    /// The epochs that have answered each open question.
    answers: Mutex<HashMap<i64, HashSet<i64>>>,
    answered: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl NoticeTracker {
    /// The number of the next heartbeat, which is about to be sent.
    pub fn next_heartbeat(&self) -> i64 {
        let number = self.next_number();
        let mut sent = lock(&self.inner.pending);
        sent.push_back((number, Instant::now()));
        if sent.len() > MAX_PENDING_HEARTBEATS {
            sent.pop_front();
        }
        number
    }

    /// One of this node's own heartbeats was received.
    pub fn heartbeat_received(&self, number: i64) {
        let sent_at = lock(&self.inner.pending).iter().find(|(sent, _)| *sent == number).map(|(_, at)| *at);
        let mut valid_from = lock(&self.inner.valid_from);
        *valid_from = (*valid_from).max(sent_at);
    }

    /// A new connection listens, and everything that was cached has been forgotten: notices are received from here on.
    pub fn listening_began(&self) {
        *lock(&self.inner.valid_from) = Some(Instant::now());
    }

    /// A node has answered one of this node's questions.
    pub fn answer_received(&self, number: i64, epoch: i64) {
        if let Some(answers) = lock(&self.inner.answers).get_mut(&number) {
            answers.insert(epoch);
            self.inner.answered.notify_waiters();
        }
    }

    fn next_number(&self) -> i64 {
        self.inner.last_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Opens a question.
    fn question(&self) -> Question<'_> {
        let number = self.next_number();
        lock(&self.inner.answers).insert(number, HashSet::new());
        Question { tracker: self, number }
    }
}

/// A question that is open until this is dropped, also when whoever asks goes away.
struct Question<'a> {
    tracker: &'a NoticeTracker,
    number: i64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        lock(&self.tracker.inner.answers).remove(&self.number);
    }
}

impl Trust for NoticeTracker {
    fn holds(&self) -> bool {
        lock(&self.inner.valid_from).is_some_and(|at| at.elapsed() < NOTICES_VALID_FOR)
    }
}

/// Waits until changes are in force on every node.
#[derive(Clone)]
pub struct ChangeBarrier {
    queue: QueueStore,
    lease: Lease,
    tracker: NoticeTracker,
}

impl ChangeBarrier {
    /// Asks through this queue, as the node of this lease.
    pub fn new(queue: QueueStore, lease: Lease, tracker: NoticeTracker) -> Self {
        Self { queue, lease, tracker }
    }

    /// Whether this node receives notices of what others change.
    pub fn receives_notices(&self) -> bool {
        self.tracker.holds()
    }

    /// Returns when every change that was committed before is in force on every node.
    pub async fn wait(&self) {
        let question = self.tracker.question();
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, self.ask(question.number)).await;
        drop(question);
        if answered.is_err() {
            // By now that node uses nothing that it has cached, so the change is in force there as well.
            tracing::warn!("a node did not answer in time that it has received the notice of a change");
        }
    }

    async fn ask(&self, number: i64) {
        let asked = match self.queue.ask_nodes(self.lease.epoch(), number).await {
            Ok(epochs) => epochs,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "other nodes could not be asked");
                return std::future::pending().await;
            }
        };
        loop {
            let answered = self.tracker.inner.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            let all = lock(&self.tracker.inner.answers)
                .get(&number)
                .is_none_or(|answers| asked.iter().all(|epoch| answers.contains(epoch)));
            if all {
                return;
            }
            answered.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_valid_from_when_the_received_heartbeat_was_sent() {
        let tracker = NoticeTracker::default();
        assert!(!tracker.holds(), "nothing was received yet");
        let heartbeat = tracker.next_heartbeat();
        tracker.heartbeat_received(heartbeat + 1);
        assert!(!tracker.holds(), "it never sent that one");
        tracker.heartbeat_received(heartbeat);
        assert!(tracker.holds());
        let sent_at = lock(&tracker.inner.pending)[0].1;
        assert_eq!(*lock(&tracker.inner.valid_from), Some(sent_at));
    }

    #[test]
    fn an_answer_counts_for_a_question_that_is_open() {
        let tracker = NoticeTracker::default();
        tracker.answer_received(3, 7);
        assert!(lock(&tracker.inner.answers).is_empty());
        let question = tracker.question();
        tracker.answer_received(question.number, 7);
        assert!(lock(&tracker.inner.answers)[&question.number].contains(&7));
        drop(question);
        assert!(lock(&tracker.inner.answers).is_empty(), "nobody waits for it");
    }
}
