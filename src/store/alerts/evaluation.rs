//! The evaluation of rules: one node at a time takes a round, and what a rule sends is written in the commit that changes its
//! state, so that no crash comes between the two.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::alert::rule_state::RuleState;
use crate::domain::alert::{NoticeKind, Severity};
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::AlertStore;
use super::stored_rule::{AlertRule, StoredRule};

/// Nobody rests for longer. A round that is due later than that was noted by a clock that was ahead.
const MAX_REST: Duration = Duration::from_secs(10 * 60);

/// A round that this node takes.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationRound {
    /// Its number.
    pub number: i64,
    /// The database's clock at its beginning.
    pub now: DateTime<Utc>,
}

/// Some of the rules, in the order of their ids.
#[derive(Debug)]
pub struct RulesPage {
    /// Those that can be read.
    pub rules: Vec<AlertRule>,
    /// How many cannot.
    pub unreadable: usize,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Uuid>,
}

impl AlertStore {
    /// Begins a round, if one is due and no other node is at it. If it is not ended within `limit`, another node begins one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin_evaluation(&self, limit: Duration) -> Result<Option<EvaluationRound>, StoreError> {
        let row = sqlx::query!(
            r#"-- alert_evaluation::begin
            UPDATE alert_evaluation SET round = round + 1, next_at = now() + $1::interval
            WHERE next_at <= now() OR next_at > now() + $2::interval + interval '1 minute'
            RETURNING round, now() AS "now!""#,
            interval(limit),
            interval(MAX_REST),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| EvaluationRound { number: row.round, now: row.now }))
    }

    /// Ends a round; the next is due after `rest`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn end_evaluation(&self, round: EvaluationRound, rest: Duration) -> Result<(), StoreError> {
        sqlx::query!(
            "-- alert_evaluation::end
            UPDATE alert_evaluation SET next_at = now() + $2::interval WHERE round = $1",
            round.number,
            interval(rest.min(MAX_REST)),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The rules that are evaluated, `limit` of them after the one with this id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn enabled_rules(&self, after: Uuid, limit: i64) -> Result<RulesPage, StoreError> {
        let rows = sqlx::query_as!(
            StoredRule,
            "-- alert_rule::enabled
            SELECT id, environment_id, name, condition, severity, enabled, suppress_seconds, recover_seconds, created_at,
                   watched_since, firing_since, last_met_at, alerted_at, is_alerted
            FROM alert_rule WHERE id > $1 AND enabled ORDER BY id LIMIT $2",
            after,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        let count = rows.len();
        let next = rows.last().map(|row| row.id).filter(|_| i64::try_from(count).is_ok_and(|it| it >= limit));
        let rules: Vec<AlertRule> = rows.into_iter().filter_map(|row| row.try_into().ok()).collect();
        Ok(RulesPage { unreadable: count - rules.len(), rules, next })
    }

    /// How many rules of all environments fire, in the order of [`Severity::ALL`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn firing_rules(&self) -> Result<[i64; Severity::ALL.len()], StoreError> {
        let rows = sqlx::query!(
            r#"-- alert_rule::firing
            SELECT severity, count(*) AS "count!" FROM alert_rule WHERE firing_since IS NOT NULL GROUP BY severity"#,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Severity::ALL.map(|severity| {
            let found = rows.iter().find(|row| row.severity == severity.name());
            found.map_or(0, |row| row.count)
        }))
    }

    /// Writes the new state of a rule, and what is sent of it over each channel of its environment that takes that severity.
    /// False when the rule was changed since it was read; nothing is written then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn change_rule_state(
        &self,
        rule: &AlertRule,
        state: RuleState,
        notice: Option<(NoticeKind, &str)>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let before = rule.state;
        let changed = sqlx::query!(
            "-- alert_rule::change_state
            UPDATE alert_rule SET firing_since = $2, last_met_at = $3, alerted_at = $4, is_alerted = $5
            WHERE id = $1 AND watched_since = $6 AND firing_since IS NOT DISTINCT FROM $7
              AND last_met_at IS NOT DISTINCT FROM $8 AND is_alerted = $9",
            rule.id.uuid(),
            state.firing_since,
            state.last_met_at,
            state.alerted_at,
            state.is_alerted,
            rule.watched_since,
            before.firing_since,
            before.last_met_at,
            before.is_alerted,
        )
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some((kind, body)) = notice {
            let (severity, taking) = (rule.settings.severity.name(), rule.settings.severity.names_up_to());
            sqlx::query!(
                "-- alert_notice::write
                INSERT INTO alert_notice (id, environment_id, rule_id, channel_id, kind, severity, title, body)
                SELECT gen_random_uuid(), c.environment_id, $1::uuid, c.id, $3::text, $4::text, $5::text, $6::text
                FROM alert_channel c WHERE c.environment_id = $2 AND c.min_severity = ANY($7)",
                rule.id.uuid(),
                rule.environment.as_str(),
                kind.name(),
                severity,
                rule.settings.name,
                body,
                &taking as &[&str],
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
