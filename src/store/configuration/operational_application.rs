//! The hidden application of an environment's operational webhooks.

use serde_json::json;

use crate::domain::access::actor::Actor;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;

impl ConfigurationStore {
    /// The hidden application of an environment's operational webhooks, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn operational_application(
        &self,
        environment: &EnvironmentId,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let id = sqlx::query_scalar!(
            "-- application::operational
            SELECT id FROM application WHERE environment_id = $1 AND purpose = 'operational'",
            environment.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(Into::into))
    }

    /// The same; it is created unless it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_operational_application(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
    ) -> Result<ApplicationId, StoreError> {
        let id = ApplicationId::generate();
        let mut tx = self.pool.begin().await?;
        let created = sqlx::query!(
            "-- application::create_operational
            INSERT INTO application (id, environment_id, name, purpose)
            VALUES ($1, $2, 'Operational webhooks', 'operational')
            ON CONFLICT (environment_id) WHERE purpose = 'operational' DO NOTHING",
            id.uuid(),
            environment.as_str(),
        )
        .execute(&mut *tx)
        .await?;
        if created.rows_affected() > 0 {
            let entry = Entry::in_application(id, "application.created", id);
            note(&mut tx, actor, entry.details(json!({ "purpose": "operational" }))).await?;
        }
        tx.commit().await?;
        let found = self.operational_application(environment).await?;
        found.ok_or_else(|| StoreError::Inconsistent("a hidden application went away".to_owned()))
    }
}
