//! What the console reads: counts and histograms of latencies by minute, kept in this node's memory where messages are
//! accepted and outcomes recorded, and written every few seconds in batches of their own, so that no statement that
//! accepts or records has more to do for them.
//!
//! Each process writes rows of its own and always the whole minute, so that a write whose answer is lost can be repeated.
//! Memory is bounded (`memory.rs`): what comes on top of the bound is left out and logged. A crash loses what was counted
//! since the last write; counts that have to be exact are those of `endpoint_hour`.
//!
//! Here is also the look at the whole queue (`sample.rs`), which one node at a time takes: what waits for each endpoint.

mod keeper;
mod memory;
mod sample;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::clock::Clock;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::message::Message;
use crate::domain::rollup::health::LastFailure;
use crate::domain::rollup::tally::AttemptSeen;

use memory::Memory;

pub use keeper::Load;
pub use keeper::NodeFacts;
pub use keeper::RollupKeeper;

/// So much of an answer is kept to show why an endpoint fails.
const ERROR_CHARACTERS: usize = 200;

/// An attempt that was recorded.
pub struct Recorded<'a> {
    /// Of which application.
    pub application: ApplicationId,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// How it is counted.
    pub seen: AttemptSeen,
    /// What went wrong, with the beginning of the answer.
    pub failure: Option<(&'static str, &'a [u8])>,
}

/// What this node has counted and not written. Cheap to clone.
#[derive(Clone)]
pub struct Rollups {
    memory: Arc<Mutex<Memory>>,
    clock: Clock,
}

impl Rollups {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { memory: Arc::new(Mutex::new(Memory::new(clock.now()))), clock }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message was stored with deliveries to these endpoints.
    pub fn accepted(&self, message: &Message, endpoints: impl Iterator<Item = EndpointId>) {
        let now = self.clock.now();
        self.memory().accept(message, endpoints, now);
    }

    /// Attempts were recorded.
    pub fn recorded<'a>(&self, attempts: impl Iterator<Item = Recorded<'a>>) {
        let now = self.clock.now();
        let mut memory = self.memory();
        for attempt in attempts {
            let failed = attempt.failure.map(|(failure, answer)| LastFailure {
                at: now,
                status: attempt.seen.status,
                failure,
                error: beginning_of(answer),
            });
            memory.record(attempt.application, attempt.endpoint, &attempt.seen, failed, now);
        }
    }
}

/// The first characters of an answer, as text that the database can keep.
fn beginning_of(answer: &[u8]) -> String {
    let most = answer.len().min(ERROR_CHARACTERS * 4);
    let text = String::from_utf8_lossy(answer.get(..most).unwrap_or(answer));
    text.chars().filter(|letter| *letter != '\0').take(ERROR_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_to_text_that_can_be_kept() {
        assert_eq!(beginning_of(b"a\0b\xff"), "ab\u{fffd}");
        assert_eq!(beginning_of("ü".repeat(900).as_bytes()).chars().count(), ERROR_CHARACTERS);
    }
}
