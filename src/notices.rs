//! A change that was answered is in force: no cache on any node answers from before it.
//!
//! Whoever changes something says so in the transaction of the change (`NOTIFY`), and every node forgets what it had kept
//! of it. Two things make that a promise. Before a change is answered, all living nodes are asked whether they have heard
//! everything up to here, and their answers are waited for. And a node knows whether it hears: it hears its own heartbeat,
//! each with its number. One that has not heard a heartbeat that it sent within [`HEARING_FOR`] is deaf: it uses nothing
//! that it has kept, and lets nothing go. So a node that does not answer need not be waited for longer than that.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::lease::Lease;
use crate::store::{QueueStore, Trust};

/// For so long after a heartbeat was sent that it has heard, a node counts as hearing.
pub const HEARING_FOR: Duration = Duration::from_secs(4);
/// A question is answered in milliseconds, or by a node's deafness.
const ANSWERS_WITHIN: Duration = Duration::from_millis(4_500);
/// Heartbeats whose echo is still awaited.
const BEATS_REMEMBERED: usize = 16;

/// What this node hears and has been answered. Cheap to clone.
#[derive(Clone, Default)]
pub struct Hearing {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Heartbeats that were sent, with their numbers and when.
    sent: Mutex<VecDeque<(i64, Instant)>>,
    numbers: AtomicI64,
    /// When the last heartbeat that was heard had been sent.
    heard_at: Mutex<Option<Instant>>,
    /// Who has answered each question that is open.
    answers: Mutex<HashMap<i64, HashSet<i64>>>,
    answered: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hearing {
    /// The number of the next heartbeat, which is about to be sent.
    pub fn next_beat(&self) -> i64 {
        let number = self.next_number();
        let mut sent = lock(&self.inner.sent);
        sent.push_back((number, Instant::now()));
        if sent.len() > BEATS_REMEMBERED {
            sent.pop_front();
        }
        number
    }

    /// One of this node's own heartbeats was heard.
    pub fn heard_beat(&self, number: i64) {
        let sent_at = lock(&self.inner.sent).iter().find(|(sent, _)| *sent == number).map(|(_, at)| *at);
        let mut heard_at = lock(&self.inner.heard_at);
        *heard_at = (*heard_at).max(sent_at);
    }

    /// The connection was made anew, and everything that was kept is forgotten: it hears from here on.
    pub fn begins(&self) {
        *lock(&self.inner.heard_at) = Some(Instant::now());
    }

    /// A node has answered a question of this one's.
    pub fn heard_answer(&self, number: i64, epoch: i64) {
        if let Some(answers) = lock(&self.inner.answers).get_mut(&number) {
            answers.insert(epoch);
            self.inner.answered.notify_waiters();
        }
    }

    fn next_number(&self) -> i64 {
        self.inner.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

impl Trust for Hearing {
    fn holds(&self) -> bool {
        lock(&self.inner.heard_at).is_some_and(|at| at.elapsed() < HEARING_FOR)
    }
}

/// Asks the other nodes whether they have heard.
#[derive(Clone)]
pub struct Changes {
    queue: QueueStore,
    lease: Lease,
    hearing: Hearing,
}

impl Changes {
    /// Asks through this queue, as the node of this lease.
    pub fn new(queue: QueueStore, lease: Lease, hearing: Hearing) -> Self {
        Self { queue, lease, hearing }
    }

    /// Whether this node hears what others change.
    pub fn hears(&self) -> bool {
        self.hearing.holds()
    }

    /// Returns when every change that was committed before is in force on every node.
    pub async fn in_force(&self) {
        let number = self.hearing.next_number();
        lock(&self.hearing.inner.answers).insert(number, HashSet::new());
        let asked = tokio::time::timeout(ANSWERS_WITHIN, self.ask(number)).await;
        lock(&self.hearing.inner.answers).remove(&number);
        if asked.is_err() {
            // Whoever did not answer is deaf by now, and knows it.
            tracing::warn!("a node did not say in time that it has heard of a change");
        }
    }

    async fn ask(&self, number: i64) {
        let waited_for = match self.queue.ask_nodes(self.lease.epoch(), number).await {
            Ok(epochs) => epochs,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "other nodes could not be asked");
                return std::future::pending().await;
            }
        };
        loop {
            let answered = self.hearing.inner.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            let all = lock(&self.hearing.inner.answers)
                .get(&number)
                .is_none_or(|answers| waited_for.iter().all(|epoch| answers.contains(epoch)));
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
    fn a_node_hears_from_when_the_heartbeat_was_sent_that_it_heard() {
        let hearing = Hearing::default();
        assert!(!hearing.holds(), "it has heard nothing yet");
        let beat = hearing.next_beat();
        hearing.heard_beat(beat + 1);
        assert!(!hearing.holds(), "it never sent that one");
        hearing.heard_beat(beat);
        assert!(hearing.holds());
        let sent_at = lock(&hearing.inner.sent)[0].1;
        assert_eq!(*lock(&hearing.inner.heard_at), Some(sent_at));
    }

    #[test]
    fn an_answer_counts_for_a_question_that_is_open() {
        let hearing = Hearing::default();
        hearing.heard_answer(3, 7);
        assert!(lock(&hearing.inner.answers).is_empty());
        lock(&hearing.inner.answers).insert(3, HashSet::new());
        hearing.heard_answer(3, 7);
        assert!(lock(&hearing.inner.answers)[&3].contains(&7));
    }
}
