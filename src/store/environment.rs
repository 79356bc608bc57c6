//! Environments.

use crate::domain::id::EnvironmentId;

use super::{Store, StoreError};

impl Store {
    /// Creates the environment unless it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_environment(&self, id: &EnvironmentId) -> Result<(), StoreError> {
        sqlx::query!(
            "-- environment::create
            INSERT INTO environment (id) VALUES ($1) ON CONFLICT DO NOTHING",
            id.as_str(),
        )
        .execute(&self.api)
        .await?;
        Ok(())
    }
}
