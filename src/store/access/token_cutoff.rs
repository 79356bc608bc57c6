//! Tokens that were taken back before their time: all of an application up to a moment, or one that logged out.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::access::token_cutoff::{TakenBack, TokenCutoff, TokenHash};
use crate::domain::id::{ApplicationId, AuditEntryId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::AccessStore;
use super::audit::{Entry, note};

/// Superfluous cutoffs that are dropped at once by a new one.
const MAX_DROPPED: i64 = 1_000;

impl AccessStore {
    /// What was taken back of an application.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn taken_back(&self, application: ApplicationId) -> Result<TakenBack, StoreError> {
        let mut connection = self.pool.connection().await?;
        let cutoffs = sqlx::query_as!(
            TokenCutoff,
            r#"-- token_cutoff::of_application
            SELECT session_id, issued_until, effective_at FROM token_cutoff WHERE application_id = $1"#,
            application.uuid(),
        )
        .fetch_all(&mut connection)
        .await?;
        let hashes = sqlx::query_scalar!(
            r#"-- token_logout::of_application
            SELECT hash FROM token_logout WHERE application_id = $1"#,
            application.uuid(),
        )
        .fetch_all(&mut connection)
        .await?;
        let is_live = sqlx::query_scalar!(
            r#"-- application::is_live
            SELECT EXISTS (SELECT FROM application WHERE id = $1 AND deleted_at IS NULL) AS "is_live!""#,
            application.uuid(),
        )
        .fetch_one(&mut connection)
        .await?;
        let unreadable =
            |_| StoreError::Inconsistent("the hash of a token that was logged out is no hash".to_owned());
        let hashes = hashes.into_iter().map(|hash| hash.try_into().map_err(unreadable));
        let logged_out = hashes.collect::<Result<_, _>>()?;
        Ok(TakenBack::new(cutoffs, logged_out, !is_live))
    }

    /// Takes back the application's tokens that were issued until `now`, or those of some sessions alone, after
    /// `grace`, and tells every node.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn expire_tokens(
        &self,
        actor: &Actor,
        application: ApplicationId,
        sessions: &[String],
        now: DateTime<Utc>,
        grace: TimeDelta,
    ) -> Result<(), StoreError> {
        let effective_at = now + grace;
        let mut tx = self.pool.begin().await?;
        if sessions.is_empty() {
            cut_off_all(&mut tx, application, now, effective_at).await?;
        } else {
            cut_off_sessions(&mut tx, application, sessions, now, effective_at).await?;
        }
        let details = serde_json::json!({ "sessions": sessions.len(), "graceSeconds": grace.num_seconds() });
        let entry = Entry::in_application(application, "application.tokens.expired", application);
        note(&mut tx, actor, entry.details(details)).await?;
        announce(&mut tx, application).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes one token back, and tells every node.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn log_out(
        &self,
        actor: &Actor,
        application: ApplicationId,
        token: &TokenHash,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!(
            r#"-- token_logout::create
            INSERT INTO token_logout (hash, application_id, expires_at) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING"#,
            &token[..],
            application.uuid(),
            expires_at,
        )
        .execute(&mut *tx)
        .await?;
        note(&mut tx, actor, Entry::in_application(application, "token.logged_out", &actor.id)).await?;
        announce(&mut tx, application).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A cutoff makes those before it superfluous that hold as soon or later: it means all their tokens and more. One that
/// holds now makes all before it superfluous.
fn superfluous_from(issued_until: DateTime<Utc>, effective_at: DateTime<Utc>) -> DateTime<Utc> {
    if effective_at <= issued_until { DateTime::UNIX_EPOCH } else { effective_at }
}

/// Adds a cutoff for all sessions, and drops some of those that it makes superfluous; the rest goes with maintenance.
async fn cut_off_all(
    tx: &mut Connection,
    application: ApplicationId,
    issued_until: DateTime<Utc>,
    effective_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let id = new_row_id();
    sqlx::query!(
        r#"-- token_cutoff::create
        INSERT INTO token_cutoff (id, application_id, issued_until, effective_at) VALUES ($1, $2, $3, $4)"#,
        id,
        application.uuid(),
        issued_until,
        effective_at,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"-- token_cutoff::drop_superfluous
        WITH old AS MATERIALIZED (
            SELECT id FROM token_cutoff
            WHERE application_id = $1 AND issued_until <= $2 AND effective_at >= $3 AND id <> $4 LIMIT $5
        )
        DELETE FROM token_cutoff c USING old WHERE c.id = old.id"#,
        application.uuid(),
        issued_until,
        superfluous_from(issued_until, effective_at),
        id,
        MAX_DROPPED,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Adds a cutoff for each of these sessions, and drops those of the same session that it makes superfluous.
async fn cut_off_sessions(
    tx: &mut Connection,
    application: ApplicationId,
    sessions: &[String],
    issued_until: DateTime<Utc>,
    effective_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sessions: Vec<String> = sessions.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let ids: Vec<Uuid> = sessions.iter().map(|_| new_row_id()).collect();
    sqlx::query!(
        r#"-- token_cutoff::create_of_sessions
        INSERT INTO token_cutoff (id, application_id, session_id, issued_until, effective_at)
        SELECT u.id, $1, u.session_id, $2, $3 FROM unnest($4::uuid[], $5::text[]) AS u(id, session_id)"#,
        application.uuid(),
        issued_until,
        effective_at,
        &ids,
        &sessions,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"-- token_cutoff::drop_superfluous_of_sessions
        DELETE FROM token_cutoff c USING unnest($5::text[]) AS u(session_id)
        WHERE c.application_id = $1 AND c.session_id = u.session_id
          AND c.issued_until <= $2 AND c.effective_at >= $3 AND c.id <> ALL($4)"#,
        application.uuid(),
        issued_until,
        superfluous_from(issued_until, effective_at),
        &ids,
        &sessions,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Tells every node that tokens of an application hold no longer.
pub(in crate::store) async fn announce(
    tx: &mut Connection,
    application: ApplicationId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "-- token_cutoff::announce\nSELECT pg_notify('postrider_credentials' || current_setting('postrider.cell'), $1)",
        application.uuid().to_string(),
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

/// Rows of cutoffs are never named outside; any time-ordered id does.
fn new_row_id() -> Uuid {
    AuditEntryId::generate().uuid()
}
