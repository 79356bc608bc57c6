//! A chunk of a background task: what it is given, and what it has to say. What each kind of task does with it stands
//! in a file of its own.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::background_task::TaskKind;
use crate::store::StoreError;

use super::replayed::Replayed;

/// What a chunk did.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// So many moved.
    pub(super) done: u64,
    /// Everything up to here is dealt with.
    pub(super) position: Option<Uuid>,
    /// Where the task stands besides.
    pub(super) place: Option<Value>,
    /// What was found out.
    pub(super) items: Vec<Value>,
    /// What was put back to work.
    pub(super) replayed: Replayed,
    /// Nothing is left to do.
    pub(super) finished: bool,
    /// It waits for something that is not there yet.
    pub(super) waits: bool,
    /// Why it is given up.
    pub(super) error: Option<&'static str>,
}

impl Chunk {
    /// Nothing is left to do.
    pub(super) fn last() -> Self {
        Self { finished: true, ..Self::default() }
    }

    /// It waits for something that is not there yet.
    pub(super) fn waiting() -> Self {
        Self { waits: true, ..Self::default() }
    }

    /// It is given up.
    pub(super) fn failed(error: &'static str) -> Self {
        Self { error: Some(error), finished: true, ..Self::default() }
    }

    /// These were put back to work, up to there.
    pub(super) fn replayed(replayed: Replayed, position: Uuid) -> Self {
        Self { done: replayed.count(), replayed, position: Some(position), ..Self::default() }
    }

    /// These were put back to work, and it stands there.
    pub(super) fn replayed_at(replayed: Replayed, place: Value) -> Self {
        Self { done: replayed.count(), replayed, place: Some(place), ..Self::default() }
    }

    /// So many moved, up to there.
    pub(super) fn moved(done: u64, position: Uuid) -> Self {
        Self { done, position: Some(position), ..Self::default() }
    }
}

/// A task that is locked to the end of the transaction.
pub(super) struct LockedTask {
    pub(super) id: Uuid,
    pub(super) environment_id: String,
    pub(super) kind: TaskKind,
    pub(super) filter: Value,
    pub(super) place: Option<Value>,
    pub(super) position: Option<Uuid>,
    pub(super) created_at: DateTime<Utc>,
}

impl LockedTask {
    /// What was asked for.
    pub(super) fn order<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        order(&self.filter)
    }
}

/// What was asked for by a task, in the words of its kind.
pub(super) fn order<T: DeserializeOwned>(filter: &Value) -> Result<T, StoreError> {
    T::deserialize(filter)
        .map_err(|error| StoreError::Inconsistent(format!("the order of a background task: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::delivery::dead_letter::DeadLetterFilter;

    #[test]
    fn an_order_that_cannot_be_read_is_not_one_for_everything() {
        let everything = order::<DeadLetterFilter>(&json!({})).unwrap();
        assert_eq!(everything, DeadLetterFilter::default());
        for wrong in [json!({"endpointId": "nobody"}), json!({"statusCode": "many"}), json!("everything")] {
            assert!(matches!(order::<DeadLetterFilter>(&wrong), Err(StoreError::Inconsistent(_))), "{wrong}");
        }
    }
}
