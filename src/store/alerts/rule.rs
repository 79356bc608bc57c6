//! The rules of an environment, as they are set.

use std::time::Duration;

use sqlx::types::Json;

use crate::domain::access::actor::Actor;
use crate::domain::alert::condition::Condition;
use crate::domain::id::{AlertRuleId, EnvironmentId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::stored_rule::{AlertRule, RuleSettings, StoredRule};
use super::{AlertStore, one_at_a_time};

/// Rules of an environment.
const MAX_RULES: i64 = 50;

fn stored_seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

impl AlertStore {
    /// The rules of an environment, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Inconsistent`] for one that cannot be read.
    pub async fn rules(&self, environment: &EnvironmentId) -> Result<Vec<AlertRule>, StoreError> {
        let rows = sqlx::query_as!(
            StoredRule,
            "-- alert_rule::list
            SELECT id, environment_id, name, condition, severity, enabled, suppress_seconds, recover_seconds, created_at,
                   watched_since, firing_since, last_met_at, alerted_at, is_alerted
            FROM alert_rule WHERE environment_id = $1 ORDER BY created_at, id LIMIT $2",
            environment.as_str(),
            MAX_RULES,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// A rule of an environment.
    ///
    /// # Errors
    /// As [`AlertStore::rules`].
    pub async fn rule(
        &self,
        environment: &EnvironmentId,
        id: AlertRuleId,
    ) -> Result<Option<AlertRule>, StoreError> {
        let row = sqlx::query_as!(
            StoredRule,
            "-- alert_rule::get
            SELECT id, environment_id, name, condition, severity, enabled, suppress_seconds, recover_seconds, created_at,
                   watched_since, firing_since, last_met_at, alerted_at, is_alerted
            FROM alert_rule WHERE id = $1 AND environment_id = $2",
            id.uuid(),
            environment.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Creates a rule; `None` when there are as many as there may be.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_rule(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        settings: &RuleSettings,
    ) -> Result<Option<AlertRule>, StoreError> {
        let id = AlertRuleId::generate();
        let mut tx = self.pool.begin().await?;
        one_at_a_time(&mut tx, environment).await?;
        let row = sqlx::query_as!(
            StoredRule,
            "-- alert_rule::create
            INSERT INTO alert_rule (id, environment_id, name, condition, severity, enabled, suppress_seconds, recover_seconds)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM alert_rule WHERE environment_id = $2) < $9
            RETURNING id, environment_id, name, condition, severity, enabled, suppress_seconds, recover_seconds, created_at,
                      watched_since, firing_since, last_met_at, alerted_at, is_alerted",
            id.uuid(),
            environment.as_str(),
            settings.name,
            Json(&settings.condition) as Json<&Condition>,
            settings.severity.name(),
            settings.enabled,
            stored_seconds(settings.suppress),
            stored_seconds(settings.recover),
            MAX_RULES,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        note(&mut tx, actor, Entry::in_environment(environment, "alert_rule.created", id)).await?;
        tx.commit().await?;
        AlertRule::try_from(row).map(Some)
    }

    /// Changes a rule; `None` when there is none. Its state begins anew.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn change_rule(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        id: AlertRuleId,
        settings: &RuleSettings,
    ) -> Result<Option<AlertRule>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query_as!(
            StoredRule,
            "-- alert_rule::update
            UPDATE alert_rule
            SET name = $3, condition = $4, severity = $5, enabled = $6, suppress_seconds = $7, recover_seconds = $8,
                watched_since = now(), firing_since = NULL, last_met_at = NULL, alerted_at = NULL, is_alerted = false
            WHERE id = $1 AND environment_id = $2
            RETURNING id, environment_id, name, condition, severity, enabled, suppress_seconds, recover_seconds, created_at,
                      watched_since, firing_since, last_met_at, alerted_at, is_alerted",
            id.uuid(),
            environment.as_str(),
            settings.name,
            Json(&settings.condition) as Json<&Condition>,
            settings.severity.name(),
            settings.enabled,
            stored_seconds(settings.suppress),
            stored_seconds(settings.recover),
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        note(&mut tx, actor, Entry::in_environment(environment, "alert_rule.updated", id)).await?;
        tx.commit().await?;
        AlertRule::try_from(row).map(Some)
    }

    /// Deletes a rule, with what was to be sent of it; false when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_rule(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        id: AlertRuleId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let deleted = sqlx::query!(
            "-- alert_rule::delete\nDELETE FROM alert_rule WHERE id = $1 AND environment_id = $2",
            id.uuid(),
            environment.as_str(),
        )
        .execute(&mut *tx)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        note(&mut tx, actor, Entry::in_environment(environment, "alert_rule.deleted", id)).await?;
        tx.commit().await?;
        Ok(true)
    }
}
