//! Environments.

use crate::domain::actor::Actor;
use crate::domain::id::EnvironmentId;

use super::audit::{Entry, note};
use super::{Store, StoreError};

impl Store {
    /// Creates the environment unless it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_environment(&self, actor: &Actor, id: &EnvironmentId) -> Result<(), StoreError> {
        let mut tx = self.api.begin().await?;
        let created = sqlx::query!(
            "-- environment::create
            INSERT INTO environment (id) VALUES ($1) ON CONFLICT DO NOTHING",
            id.as_str(),
        )
        .execute(&mut *tx)
        .await?;
        if created.rows_affected() > 0 {
            note(&mut tx, actor, Entry::in_environment(id, "environment.created", id)).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
