//! Asking for an erasure. The audit log is told what is to go, and of a tag its hash alone.

use serde_json::to_value;

use crate::domain::access::actor::Actor;
use crate::domain::erasure::ErasureOrder;
use crate::domain::id::EnvironmentId;
use crate::store::StoreError;
use crate::store::tasks::TaskStore;
use crate::store::tasks::background_task::{BackgroundTask, NewTask};

impl TaskStore {
    /// Creates a task that erases; the next free node takes it up.
    ///
    /// # Errors
    /// [`StoreError`]; there is no task then.
    pub async fn create_erasure(
        &self,
        actor: &Actor,
        environment_id: &EnvironmentId,
        order: &ErasureOrder,
        note: Option<String>,
    ) -> Result<BackgroundTask, StoreError> {
        let unreadable = |error| StoreError::Inconsistent(format!("an erasure: {error}"));
        let new = NewTask {
            environment_id: environment_id.clone(),
            application_id: None,
            kind: order.kind(),
            filter: to_value(order).map_err(unreadable)?,
            rate_per_second: None,
            total: 0,
            note,
        };
        self.create_task_told(actor, &new, to_value(order.without_tag()).map_err(unreadable)?).await
    }
}
