//! A chunk of a background task: what it is given, and what it has to say. What each kind of task does with it stands
//! in a file of its own.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::background_task::TaskKind;
use crate::store::StoreError;

/// What a chunk did.
#[derive(Debug, Default)]
pub(in crate::store) struct Chunk {
    /// So many moved.
    pub(in crate::store) done: u64,
    /// Everything up to here is dealt with.
    pub(in crate::store) position: Option<Uuid>,
    /// Where the task stands besides.
    pub(in crate::store) place: Option<Value>,
    /// What was found out.
    pub(in crate::store) items: Vec<Value>,
    /// Nothing is left to do.
    pub(in crate::store) finished: bool,
}

impl Chunk {
    /// Nothing is left to do.
    pub(in crate::store) fn last() -> Self {
        Self { finished: true, ..Self::default() }
    }

    /// So many moved, up to there.
    pub(in crate::store) fn moved(done: u64, position: Uuid) -> Self {
        Self { done, position: Some(position), ..Self::default() }
    }
}

/// A task that is locked to the end of the transaction.
pub(in crate::store) struct LockedTask {
    pub(in crate::store) id: Uuid,
    pub(in crate::store) environment_id: String,
    pub(in crate::store) kind: TaskKind,
    pub(super) filter: Value,
    pub(in crate::store) place: Option<Value>,
    pub(in crate::store) position: Option<Uuid>,
    pub(in crate::store) created_at: DateTime<Utc>,
}

impl LockedTask {
    /// What was asked for.
    pub(in crate::store) fn order<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        T::deserialize(&self.filter)
            .map_err(|error| StoreError::Inconsistent(format!("the order of a background task: {error}")))
    }
}
