//! Tokens that were taken back before their time: all of an application up to a moment, or one that logged out.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::access::token_cutoff::{TakenBack, TokenCutoff, TokenHash};
use crate::domain::id::{ApplicationId, AuditEntryId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::AccessStore;
use super::audit::{Entry, note};

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
        Ok(TakenBack { cutoffs, logged_out, application_is_gone: !is_live })
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
        let each: Vec<Option<&String>> =
            if sessions.is_empty() { vec![None] } else { sessions.iter().map(Some).collect() };
        for session in each {
            cut_off(&mut tx, application, session.map(String::as_str), now, effective_at).await?;
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

/// Adds a cutoff, and drops those that are superfluous beside a later one: it means all their tokens and more, and
/// holds as soon, or already.
async fn cut_off(
    tx: &mut Connection,
    application: ApplicationId,
    session: Option<&str>,
    issued_until: DateTime<Utc>,
    effective_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- token_cutoff::create
        INSERT INTO token_cutoff (id, application_id, session_id, issued_until, effective_at)
        VALUES ($1, $2, $3, $4, $5)"#,
        new_row_id(),
        application.uuid(),
        session,
        issued_until,
        effective_at,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"-- token_cutoff::drop_superfluous
        DELETE FROM token_cutoff old USING token_cutoff later
        WHERE old.application_id = $1 AND later.application_id = $1
          AND (later.session_id IS NULL OR later.session_id = old.session_id)
          AND (later.issued_until, later.id) > (old.issued_until, old.id)
          AND (later.effective_at <= old.effective_at OR later.effective_at <= $2)"#,
        application.uuid(),
        issued_until,
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
