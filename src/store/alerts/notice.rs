//! What is to be sent: a row for each channel, claimed under a lease, tried again a few times, and kept for a while.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::alert::unsent::Unsent;
use crate::domain::alert::{ChannelKind, NoticeKind, Severity};
use crate::domain::id::{AlertChannelId, AlertRuleId, ApplicationId, EnvironmentId};
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::AlertStore;

/// Notices of one environment that are claimed at once, so that its slow channels keep no other environment waiting for long.
const MAX_OF_ENVIRONMENT: i64 = 4;

/// Something to be sent over one channel.
#[derive(Debug, Clone)]
pub struct AlertNotice {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// Of which rule; `None` when it tries the channel out.
    pub rule: Option<AlertRuleId>,
    /// What it is sent over.
    pub channel: AlertChannelId,
    /// What that is.
    pub channel_kind: ChannelKind,
    /// Where it leads to; `None` when that does not open with this process's main secret.
    pub target: Option<String>,
    /// The hidden application of the environment's operational webhooks, if it has an endpoint.
    pub operational_application: Option<ApplicationId>,
    /// What it says.
    pub kind: NoticeKind,
    /// How severe it is.
    pub severity: Severity,
    /// The name of the rule.
    pub title: String,
    /// What was found.
    pub body: String,
    /// When.
    pub noted_at: DateTime<Utc>,
    /// How often it was tried, with this time.
    pub attempts: i16,
}

impl AlertStore {
    /// Has a channel tried out, unless that is under way already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn write_test_notice(&self, channel: AlertChannelId, body: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "-- alert_notice::write_test
            INSERT INTO alert_notice (id, environment_id, channel_id, kind, severity, title, body)
            SELECT gen_random_uuid(), c.environment_id, c.id, 'test', 'info', c.name, $2 FROM alert_channel c
            WHERE c.id = $1 AND (
                SELECT true FROM alert_notice n
                WHERE n.channel_id = c.id AND n.kind = 'test' AND n.due_at > '-infinity' LIMIT 1) IS NULL",
            channel.uuid(),
            body,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Claims what is due; nobody else does before the lease is over. Of one rule and channel the older comes first, so
    /// that no recovery is sent before its alert.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn claim_notices(&self, lease: Duration, limit: i64) -> Result<Vec<AlertNotice>, StoreError> {
        let rows = sqlx::query!(
            r#"-- alert_notice::claim
            WITH due AS MATERIALIZED (
                SELECT w.id FROM (
                    SELECT d.id, d.due_at, row_number() OVER (PARTITION BY d.environment_id ORDER BY d.due_at, d.id) AS place
                    FROM alert_notice d
                    WHERE d.due_at <= now() AND (
                        SELECT true FROM alert_notice e
                        WHERE e.channel_id = d.channel_id AND e.rule_id = d.rule_id AND e.noted_at < d.noted_at
                          AND e.due_at IS NOT NULL LIMIT 1) IS NULL
                ) w WHERE w.place <= $3 ORDER BY w.due_at LIMIT $2
            ), claimed AS MATERIALIZED (
                SELECT n.id FROM due JOIN alert_notice n ON n.id = due.id WHERE n.due_at <= now() FOR UPDATE OF n SKIP LOCKED
            )
            UPDATE alert_notice n SET due_at = now() + $1::interval, attempts = n.attempts + 1
            FROM claimed, alert_channel c, environment e
            WHERE n.id = claimed.id AND c.id = n.channel_id AND e.id = n.environment_id
            RETURNING n.id, n.environment_id, n.rule_id, n.channel_id, c.kind AS channel_kind, c.target,
                      e.operational_application_id, n.kind, n.severity, n.title, n.body, n.noted_at, n.attempts"#,
            interval(lease),
            limit,
            MAX_OF_ENVIRONMENT,
        )
        .fetch_all(&self.pool)
        .await?;
        // What a later version has written is left to a node of that version.
        let claimed = rows.into_iter().filter_map(|row| {
            Some(AlertNotice {
                id: row.id,
                environment: row.environment_id.parse().ok()?,
                rule: row.rule_id.map(Into::into),
                channel: row.channel_id.into(),
                channel_kind: ChannelKind::from_name(&row.channel_kind)?,
                target: self.open_target(row.channel_id, &row.target).ok(),
                operational_application: row.operational_application_id.map(Into::into),
                kind: NoticeKind::from_name(&row.kind)?,
                severity: Severity::from_name(&row.severity)?,
                title: row.title,
                body: row.body,
                noted_at: row.noted_at,
                attempts: row.attempts,
            })
        });
        Ok(claimed.collect())
    }

    /// Notes that a notice was sent.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; it is sent again then.
    pub async fn note_sent(&self, notice: &AlertNotice) -> Result<(), StoreError> {
        sqlx::query!(
            "-- alert_notice::sent
            WITH sent AS (UPDATE alert_notice SET due_at = NULL, sent_at = now(), error = NULL WHERE id = $1)
            UPDATE alert_channel SET last_sent_at = now(), last_error = NULL WHERE id = $2",
            notice.id,
            notice.channel.uuid(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes why a notice could not be sent; it is tried again after `wait`, or given up without one. If its lease has ended
    /// and another node tries it, that node decides.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; it is tried again when its lease is over.
    pub async fn note_unsent(
        &self,
        notice: &AlertNotice,
        error: &Unsent,
        wait: Option<Duration>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "-- alert_notice::unsent
            WITH unsent AS (
                UPDATE alert_notice SET due_at = now() + $5::interval, error = $4
                WHERE id = $1 AND attempts = $3 AND sent_at IS NULL RETURNING channel_id
            )
            UPDATE alert_channel c SET last_failed_at = now(), last_error = $4 FROM unsent
            WHERE c.id = $2 AND c.id = unsent.channel_id",
            notice.id,
            notice.channel.uuid(),
            notice.attempts,
            error.to_string(),
            wait.map(interval),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
