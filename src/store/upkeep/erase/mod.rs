//! Erasing what a deleted application leaves behind: the content of its messages, what its receivers answered, its dead
//! letters, its secrets. What is left is that there were messages, and what became of them, as long as retention keeps
//! it: usage is counted by that.
//!
//! It goes in chunks, each a transaction of its own that goes through a bounded number of rows and notes where it stands, so
//! that nothing is gone through twice. Applications come in turn, a chunk each, so that a large one keeps no other waiting. A
//! message that was being written at the moment of the deletion comes late: some time after it, the messages of that time
//! are gone through once more, and then it is done for good.

mod left_over;
mod messages;
mod place;

use std::collections::HashSet;

use serde::Deserialize;
use uuid::Uuid;

use crate::domain::erasure::ErasureOrder;
use crate::domain::id::ApplicationId;
use crate::store::StoreError;

use super::UpkeepStore;
use place::{Place, Stage};

/// What a chunk did of a stage.
enum Part {
    /// So many rows went, and everything up to there is dealt with.
    Moved { rows: u64, after: Uuid },
    /// Nothing of the stage is left.
    Over,
}

impl UpkeepStore {
    /// Up to `limit` deleted applications that something may be left of, those whose turn was longest ago first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn applications_to_erase(&self, limit: i64) -> Result<Vec<ApplicationId>, StoreError> {
        let by_tasks = self.erased_by_tasks().await?;
        let due = sqlx::query_scalar!(
            r#"-- erase::due
            SELECT id FROM application
            WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND erase_due_at <= now() AND id <> ALL($1)
            ORDER BY erase_due_at, id LIMIT $2"#,
            &by_tasks,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(due.into_iter().map(Into::into).collect())
    }

    /// Those that a task erases at the moment: what it erases, it counts.
    async fn erased_by_tasks(&self) -> Result<Vec<Uuid>, StoreError> {
        let filters = sqlx::query_scalar!(
            r#"-- erase::running_tasks
            SELECT filter FROM background_task WHERE state = 'running' AND kind = 'application.erase'"#,
        )
        .fetch_all(&self.pool)
        .await?;
        // A task whose order cannot be read erases nothing: it fails.
        let orders = filters.iter().filter_map(|filter| ErasureOrder::deserialize(filter).ok());
        let named: HashSet<Uuid> =
            orders.filter_map(|order| order.application_id.map(ApplicationId::uuid)).collect();
        Ok(named.into_iter().collect())
    }

    /// Erases the next chunk of what is left of a deleted application: of `chunk` messages, dead letters or endpoints at
    /// most. Returns how many rows it went through; none when nothing is left for the moment.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was erased then.
    pub async fn erase_deleted(&self, application: ApplicationId, chunk: i64) -> Result<u64, StoreError> {
        let application = application.uuid();
        let mut tx = self.pool.begin().await?;
        let Some(mut place) = Place::of(&mut tx, application).await? else { return Ok(0) };
        let rows = loop {
            let part = match place.stage {
                Stage::Messages => messages::erase(&mut tx, application, place.after, chunk).await?,
                Stage::DeadLetters => {
                    left_over::erase_dead_letters(&mut tx, application, place.after, chunk).await?
                }
                Stage::Endpoints => {
                    left_over::erase_endpoints(&mut tx, application, place.after, chunk).await?
                }
            };
            match part {
                Part::Moved { rows, after } => {
                    place.after = after;
                    place.note(&mut tx, application).await?;
                    break rows;
                }
                Part::Over => match place.stage.next() {
                    Some(next) => (place.stage, place.after) = (next, Uuid::nil()),
                    None if place.is_last => {
                        left_over::erase_application(&mut tx, application).await?;
                        break 0;
                    }
                    None => {
                        place::wait_for_late_messages(&mut tx, application).await?;
                        break 0;
                    }
                },
            }
        };
        tx.commit().await?;
        Ok(rows)
    }

    /// Lets others come first for a minute, because a chunk of this one failed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn postpone_erasing(&self, application: ApplicationId) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- erase::postpone
            UPDATE application SET erase_due_at = now() + interval '1 minute' WHERE id = $1"#,
            application.uuid(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
