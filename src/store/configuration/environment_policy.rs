//! How the deliveries of an environment's tenants are treated where they do not say so themselves.

use crate::domain::access::actor::Actor;
use crate::domain::environment::EnvironmentSettings;
use crate::domain::id::EnvironmentId;
use crate::domain::settings::Settings;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;
use crate::store::database::stored_policy::stored_policy;

impl ConfigurationStore {
    /// What is set on an environment; nothing where it is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn environment_settings(&self, id: &EnvironmentId) -> Result<EnvironmentSettings, StoreError> {
        let found = sqlx::query_scalar!(
            "-- environment::policy
            SELECT policy FROM environment WHERE id = $1",
            id.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let policy = found.map(|document| stored_policy(document, id)).transpose()?.unwrap_or_default();
        Ok(EnvironmentSettings { policy })
    }

    /// Changes what is set on an environment, for all of its applications. What `change` refuses is not written.
    ///
    /// # Errors
    /// That of `change`, or [`StoreError`] turned into it.
    pub async fn change_environment<E: From<StoreError>>(
        &self,
        actor: &Actor,
        id: &EnvironmentId,
        change: impl FnOnce(&EnvironmentSettings) -> Result<EnvironmentSettings, E>,
    ) -> Result<Option<EnvironmentSettings>, E> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::from)?;
        let found = sqlx::query_scalar!(
            "-- environment::lock_policy
            SELECT policy FROM environment WHERE id = $1 FOR UPDATE",
            id.as_str(),
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(document) = found else { return Ok(None) };
        let before = EnvironmentSettings { policy: stored_policy(document, id)? };
        let settings = change(&before)?;
        sqlx::query!(
            "-- environment::change_policy
            UPDATE environment SET policy = $2, policy_changed_at = now() WHERE id = $1",
            id.as_str(),
            settings.policy.to_document(),
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        // Every snapshot has the environment's policy in it. Rows are locked in their order.
        sqlx::query!(
            "-- environment::raise_config_versions
            WITH ours AS MATERIALIZED (
                SELECT id FROM application
                WHERE id = ANY (ARRAY(SELECT id FROM application WHERE environment_id = $1 AND deleted_at IS NULL))
                ORDER BY id FOR UPDATE
            ), raised AS (
                UPDATE application a SET config_version = config_version + 1 FROM ours WHERE a.id = ours.id
                RETURNING a.id
            )
            SELECT pg_notify('postrider_config', id::text) AS told FROM raised",
            id.as_str(),
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let fields = before.changed_in(&settings);
        note(&mut transaction, actor, Entry::in_environment(id, "environment.updated", id).fields(&fields))
            .await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Some(settings))
    }
}
