//! The end of what signing in to the console leaves behind: sessions that hold no longer, links, and people who have not
//! been seen for as long as the audit log knows what they did.

use std::time::Duration;

use crate::domain::access::session::SESSION_IDLE_TIMEOUT;
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;

impl UpkeepStore {
    /// Deletes sessions that have ended by themselves. Nobody ends them, so nobody is noted.
    pub async fn retire_sessions(&self, chunk: i64) -> Result<u64, StoreError> {
        let ended = sqlx::query!(
            r#"-- session::retire_ended
            WITH old AS MATERIALIZED (
                SELECT hash FROM session WHERE ends_at < now() ORDER BY ends_at LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM session s USING old WHERE s.hash = old.hash"#,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        let unused = sqlx::query!(
            r#"-- session::retire_unused
            WITH old AS MATERIALIZED (
                SELECT hash FROM session WHERE last_used_at < now() - $1::float8 * interval '1 second'
                ORDER BY last_used_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM session s USING old WHERE s.hash = old.hash"#,
            SESSION_IDLE_TIMEOUT.as_seconds_f64(),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(ended.rows_affected() + unused.rows_affected())
    }

    /// Deletes links a day after they expired, but for the newest one.
    pub async fn retire_sign_in_links(&self, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- sign_in_link::retire
            WITH newest AS MATERIALIZED (
                SELECT hash FROM sign_in_link WHERE expires_at > '-infinity' ORDER BY expires_at DESC LIMIT 1
            ), old AS MATERIALIZED (
                SELECT hash FROM sign_in_link WHERE expires_at < now() - interval '1 day'
                ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM sign_in_link l USING old
            WHERE l.hash = old.hash AND l.hash <> (SELECT hash FROM newest)"#,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes people who were not seen for longer than `kept`.
    pub async fn retire_people(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- person::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM person WHERE last_seen_at < now() - $1::interval
                ORDER BY last_seen_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM person p USING old WHERE p.id = old.id"#,
            interval(kept),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
