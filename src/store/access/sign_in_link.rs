//! Links that sign an operator in, once, by the hashes of their tokens.

use crate::domain::access::actor::Actor;
use crate::domain::access::opaque_token::{OpaqueToken, OpaqueTokenHash};
use crate::domain::access::session::LINK_LIFETIME;
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::AccessStore;
use super::audit::{Entry, note};
use super::session::{NewSession, SessionRecord, begin};

impl AccessStore {
    /// Makes a link.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn make_sign_in_link(&self, actor: &Actor) -> Result<OpaqueToken, StoreError> {
        let mut tx = self.pool.begin().await?;
        let token = make(&mut tx, actor).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Makes a link if nobody could sign in yet: there is no API key, no session and no person, and no link was made
    /// before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn make_first_sign_in_link(&self, actor: &Actor) -> Result<Option<OpaqueToken>, StoreError> {
        let mut tx = self.pool.begin().await?;
        // Of several nodes that start at once, one makes it. The lock is a statement of its own, so that the next statement
        // sees what was made while it was waited for.
        sqlx::query!(
            r#"-- sign_in_link::lock
            SELECT pg_advisory_xact_lock(hashtextextended('postrider sign_in_link ' || current_schema(), 0))"#,
        )
        .execute(&mut *tx)
        .await?;
        let is_first = sqlx::query_scalar!(
            r#"-- sign_in_link::is_first
            SELECT NOT EXISTS (SELECT FROM api_key) AND NOT EXISTS (SELECT FROM session)
               AND NOT EXISTS (SELECT FROM person) AND NOT EXISTS (SELECT FROM sign_in_link) AS "is_first!""#,
        )
        .fetch_one(&mut *tx)
        .await?;
        if !is_first {
            return Ok(None);
        }
        let token = make(&mut tx, actor).await?;
        tx.commit().await?;
        Ok(Some(token))
    }

    /// Exchanges a link for a session. `None` when it was used, has expired, or never was.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn exchange_sign_in_link(
        &self,
        actor: &Actor,
        link: &OpaqueTokenHash,
        new: &NewSession,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let used = sqlx::query!(
            r#"-- sign_in_link::use
            UPDATE sign_in_link SET used_at = now() WHERE hash = $1 AND used_at IS NULL AND expires_at > now()"#,
            &link[..],
        )
        .execute(&mut *tx)
        .await?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        let begun = begin(&mut tx, actor, new).await?;
        tx.commit().await?;
        Ok(Some(begun))
    }
}

async fn make(tx: &mut Connection, actor: &Actor) -> Result<OpaqueToken, StoreError> {
    let token = OpaqueToken::generate();
    sqlx::query!(
        r#"-- sign_in_link::make
        INSERT INTO sign_in_link (hash, expires_at) VALUES ($1, now() + $2::float8 * interval '1 second')"#,
        &token.hash()[..],
        LINK_LIFETIME.as_seconds_f64(),
    )
    .execute(&mut *tx)
    .await?;
    note(tx, actor, Entry::of(None, None, "sign_in_link.made", "sign_in_link")).await?;
    Ok(token)
}
