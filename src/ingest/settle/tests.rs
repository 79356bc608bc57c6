//! Every way in which a batch can be settled, with a database that answers by a script.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::domain::id::MessageId;
use crate::lease::Lease;
use crate::store::{Refusal, StoreError};

use super::{Batch, Item, Statements, Timing, WriteResult};

const LONG: Duration = Duration::from_secs(60);

/// What a statement of the script does with its batch, and whether its answer arrives.
enum Step {
    /// It writes what it does not refuse, and answers.
    Answers,
    /// It writes the same, and its answer is lost.
    WritesAndAnswerIsLost,
    /// It writes nothing, and its answer is lost.
    Fails,
    /// It still runs when it is given up, and writes before the next one.
    RunsOn,
    /// The fence is gone.
    Fenced,
}

/// A database with messages, and with keys that one of them holds.
#[derive(Default)]
struct Scripted {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stored: HashSet<MessageId>,
    /// Keys of messages, and who holds them.
    held_by: HashMap<MessageId, MessageId>,
    stale: HashSet<MessageId>,
    refused_values: HashSet<MessageId>,
    steps: Vec<Step>,
    questions: Vec<bool>,
    running: Vec<MessageId>,
    inserts: usize,
}

/// A message whose key is its own id, unless another holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Keyed(MessageId);

impl Item for Keyed {
    fn id(&self) -> MessageId {
        self.0
    }
}

fn lost() -> StoreError {
    StoreError::Inconsistent("the connection was cut".to_owned())
}

impl State {
    /// The statement: ids and keys that are taken are refused, the rest is written.
    fn write(&mut self, batch: &[Keyed]) -> Vec<(MessageId, Refusal)> {
        let mut refused = Vec::new();
        for Keyed(id) in batch {
            if self.stale.contains(id) {
                refused.push((*id, Refusal::Stale));
            } else if self.held_by.contains_key(id) {
                refused.push((*id, Refusal::KeyUsed));
            } else {
                self.held_by.insert(*id, *id);
                self.stored.insert(*id);
            }
        }
        refused
    }
}

impl Statements<Keyed> for Scripted {
    async fn insert(&self, _: i64, batch: &[Keyed]) -> Result<Vec<(MessageId, Refusal)>, StoreError> {
        let mut state = self.state.lock().unwrap();
        state.inserts += 1;
        // What ran on is committed before the next one gets its locks.
        let running: Vec<Keyed> = state.running.drain(..).map(Keyed).collect();
        state.write(&running);
        if batch.iter().any(|Keyed(id)| state.refused_values.contains(id)) {
            return Err(StoreError::value_refused());
        }
        let step = if state.steps.is_empty() { Step::Answers } else { state.steps.remove(0) };
        match step {
            Step::Answers => Ok(state.write(batch)),
            Step::WritesAndAnswerIsLost => {
                state.write(batch);
                Err(lost())
            }
            Step::Fails => Err(lost()),
            Step::RunsOn => {
                state.running = batch.iter().map(Item::id).collect();
                Err(lost())
            }
            Step::Fenced => Err(StoreError::LeaseLost),
        }
    }

    async fn stored_among(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let mut state = self.state.lock().unwrap();
        let answers = if state.questions.is_empty() { true } else { state.questions.remove(0) };
        if !answers {
            return Err(lost());
        }
        Ok(ids.iter().filter(|id| state.stored.contains(id)).copied().collect())
    }
}

fn batch_of(count: usize) -> Vec<Keyed> {
    (0..count).map(|_| Keyed(MessageId::generate())).collect()
}

/// Settles a batch and returns what became of each, in the batch's order.
async fn settle(
    database: &Scripted,
    lease: &Lease,
    batch: &[Keyed],
    give_up_after: Duration,
) -> Vec<WriteResult> {
    let mut results = HashMap::new();
    Batch::new(batch.to_vec(), Timing { give_up_after, ..TIMING })
        .settle(database, lease, &mut |item: Keyed, result| {
            assert!(results.insert(item.0, result).is_none(), "each is reported once");
        })
        .await;
    batch.iter().map(|Keyed(id)| results[id]).collect()
}

fn lease() -> Lease {
    Lease::for_test(7, Instant::now() + LONG)
}

const TIMING: Timing = Timing {
    give_up_after: LONG,
    backoff: Duration::from_millis(1),
    statement_timeout: Duration::from_millis(50),
};
const WRITTEN: WriteResult = WriteResult::Written { epoch: 7 };

#[tokio::test]
async fn what_is_answered_is_settled_at_once() {
    let database = Scripted::default();
    let batch = batch_of(3);
    database.state.lock().unwrap().held_by.insert(batch[1].0, MessageId::generate());
    let results = settle(&database, &lease(), &batch, LONG).await;
    assert_eq!(results, [WRITTEN, WriteResult::Refused(Refusal::KeyUsed), WRITTEN]);
    assert_eq!(database.state.lock().unwrap().inserts, 1);
}

#[tokio::test]
async fn own_keys_in_a_refusal_mean_that_it_is_written() {
    // The answer was lost, and the question after it too: the second statement is refused by the first one's keys.
    let database = Scripted::default();
    let batch = batch_of(4);
    {
        let mut state = database.state.lock().unwrap();
        state.held_by.insert(batch[2].0, MessageId::generate());
        state.steps = vec![Step::WritesAndAnswerIsLost];
        state.questions = vec![false];
    }
    let results = settle(&database, &lease(), &batch, LONG).await;
    assert_eq!(results, [WRITTEN, WRITTEN, WriteResult::Refused(Refusal::KeyUsed), WRITTEN]);
}

#[tokio::test]
async fn a_statement_that_ran_on_makes_the_second_one_wait_and_is_then_found() {
    let database = Scripted::default();
    database.state.lock().unwrap().steps = vec![Step::RunsOn];
    let batch = batch_of(2);
    assert_eq!(settle(&database, &lease(), &batch, LONG).await, [WRITTEN, WRITTEN]);
    assert_eq!(database.state.lock().unwrap().inserts, 2, "the question had said that nothing was stored");
}

#[tokio::test]
async fn a_refusal_is_not_believed_until_the_question_after_it_is_answered() {
    let database = Scripted::default();
    {
        let mut state = database.state.lock().unwrap();
        state.steps = vec![Step::WritesAndAnswerIsLost];
        state.questions = vec![false, false, false];
    }
    let batch = batch_of(2);
    assert_eq!(settle(&database, &lease(), &batch, LONG).await, [WRITTEN, WRITTEN]);
}

#[tokio::test]
async fn what_failed_is_written_by_the_next_statement() {
    let database = Scripted::default();
    database.state.lock().unwrap().steps = vec![Step::Fails, Step::Fenced, Step::Fails];
    let batch = batch_of(2);
    assert_eq!(settle(&database, &lease(), &batch, LONG).await, [WRITTEN, WRITTEN]);
    assert_eq!(database.state.lock().unwrap().inserts, 4);
}

#[tokio::test]
async fn a_stale_snapshot_is_not_believed_while_a_statement_may_run_on() {
    // The first statement runs on; before it ends the application changes, so the second one says stale without
    // waiting.
    let database = Scripted::default();
    let batch = batch_of(1);
    {
        let mut state = database.state.lock().unwrap();
        state.steps = vec![Step::Fails];
        state.stale.insert(batch[0].0);
    }
    let results = settle(&database, &lease(), &batch, LONG).await;
    assert_eq!(results, [WriteResult::Refused(Refusal::Stale)]);
    assert!(
        database.state.lock().unwrap().inserts > 2,
        "it was asked again until no statement can run any more"
    );
}

#[tokio::test]
async fn a_value_that_is_refused_is_found_alone() {
    let database = Scripted::default();
    let batch = batch_of(5);
    database.state.lock().unwrap().refused_values.insert(batch[3].0);
    let results = settle(&database, &lease(), &batch, LONG).await;
    assert_eq!(results, [WRITTEN, WRITTEN, WRITTEN, WriteResult::ValueRefused, WRITTEN]);
}

#[tokio::test]
async fn what_stays_open_is_given_up_with_the_lease() {
    let database = Scripted::default();
    {
        let mut state = database.state.lock().unwrap();
        state.steps = (0..1000).map(|_| Step::Fails).collect();
        state.questions = vec![false; 1000];
    }
    let lease = lease();
    let batch = batch_of(2);
    let results = settle(&database, &lease, &batch, Duration::ZERO).await;
    assert_eq!(results, [WriteResult::Unknown { epoch: 7 }; 2]);
    assert!(!lease.covers(7), "whatever was committed after all is freed by the next epoch");
}
