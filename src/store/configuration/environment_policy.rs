//! How the deliveries of an environment's tenants are treated, and how long what is theirs is kept, where they do not say so
//! themselves.

use serde_json::Value;
use sqlx::types::Json;

use crate::domain::access::actor::Actor;
use crate::domain::environment::EnvironmentSettings;
use crate::domain::id::EnvironmentId;
use crate::domain::retention::RetentionSettings;
use crate::domain::settings::Settings;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;
use crate::store::database::stored_policy::stored_policy;

struct Row {
    policy: Value,
    retention: Json<RetentionSettings>,
}

impl Row {
    fn settings(self, id: &EnvironmentId) -> Result<EnvironmentSettings, StoreError> {
        Ok(EnvironmentSettings { policy: stored_policy(self.policy, id)?, retention: self.retention.0 })
    }
}

impl ConfigurationStore {
    /// What is set on an environment; nothing where it is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn environment_settings(&self, id: &EnvironmentId) -> Result<EnvironmentSettings, StoreError> {
        let found = sqlx::query_as!(
            Row,
            r#"-- environment::policy
            SELECT policy, retention AS "retention: Json<RetentionSettings>" FROM environment WHERE id = $1"#,
            id.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(|row| row.settings(id)).transpose()?.unwrap_or_default())
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
        let found = sqlx::query_as!(
            Row,
            r#"-- environment::lock_policy
            SELECT policy, retention AS "retention: Json<RetentionSettings>" FROM environment WHERE id = $1 FOR UPDATE"#,
            id.as_str(),
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(row) = found else { return Ok(None) };
        let before = row.settings(id)?;
        let settings = change(&before)?;
        sqlx::query!(
            "-- environment::change_policy
            UPDATE environment SET policy = $2, retention = $3, policy_changed_at = now() WHERE id = $1",
            id.as_str(),
            settings.policy.to_document(),
            settings.retention.to_document(),
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        // Every snapshot has the environment's policy in it, so all of them change at one moment. Rows are locked in their
        // order. No post waits for these locks: what stores messages compares the version without one.
        sqlx::query!(
            "-- environment::raise_config_versions
            WITH ours AS MATERIALIZED (
                SELECT id FROM application
                WHERE id = ANY (ARRAY(SELECT id FROM application WHERE environment_id = $1 AND deleted_at IS NULL))
                ORDER BY id FOR NO KEY UPDATE
            ), raised AS (
                UPDATE application a SET config_version = config_version + 1 FROM ours WHERE a.id = ours.id
                RETURNING a.id
            )
            SELECT pg_notify('postrider_config' || current_setting('postrider.cell'), id::text) AS told FROM raised",
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
