//! Who does a round of maintenance, and when each kind was last done.
//!
//! A [`MaintenanceSession`] is a connection of its own that holds an advisory lock of the database for one kind of round,
//! so that one node at a time does it and a long round keeps no other kind waiting. The lock goes when the connection
//! does, however it ends. Its key has the name of the schema in it: two installations in one database do not meet.

use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::UpkeepStore;

/// The right to do a round of maintenance, until it is ended or dropped.
pub struct MaintenanceSession {
    pub(super) connection: Connection,
    round: &'static str,
    /// By the database's clock.
    begun_at: DateTime<Utc>,
    last_begun_at: Option<DateTime<Utc>>,
}

impl UpkeepStore {
    /// Takes the lock of a kind of round, or says that another node has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin_maintenance(
        &self,
        round: &'static str,
    ) -> Result<Option<MaintenanceSession>, StoreError> {
        let mut connection = self.pool.connection().await?;
        let taken = sqlx::query_scalar!(
            r#"-- maintenance_round::lock
            SELECT pg_try_advisory_lock(hashtextextended('postrider maintenance ' || current_schema() || ' ' || $1, 0))
                AS "taken!""#,
            round
        )
        .fetch_one(&mut connection)
        .await;
        if !matches!(taken, Ok(true)) {
            connection.close().await;
            return taken.map(|_| None).map_err(Into::into);
        }
        // Read under the lock: whoever had it before has written by now.
        let times = sqlx::query!(
            r#"-- maintenance_round::get
            SELECT now() AS "now!", (SELECT begun_at FROM maintenance_round WHERE name = $1) AS begun_at"#,
            round
        )
        .fetch_one(&mut connection)
        .await;
        match times {
            Ok(times) => Ok(Some(MaintenanceSession {
                connection,
                round,
                begun_at: times.now,
                last_begun_at: times.begun_at,
            })),
            Err(error) => {
                connection.close().await;
                Err(error.into())
            }
        }
    }

    /// The database's time, and when the last round of each kind that was done began.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn maintenance_rounds(
        &self,
    ) -> Result<(DateTime<Utc>, Vec<(String, DateTime<Utc>)>), StoreError> {
        let rows = sqlx::query!(
            r#"-- maintenance_round::list
            SELECT now() AS "now!", r.name AS "name?", r.begun_at AS "begun_at?"
            FROM (SELECT) one LEFT JOIN maintenance_round r ON true"#
        )
        .fetch_all(&self.pool)
        .await?;
        let now = rows.first().map(|row| row.now);
        let now = now.ok_or_else(|| StoreError::Inconsistent("the database has no time".to_owned()))?;
        Ok((now, rows.into_iter().filter_map(|row| row.name.zip(row.begun_at)).collect()))
    }
}

impl MaintenanceSession {
    /// When it began, by the database's clock.
    #[must_use]
    pub fn begun_at(&self) -> DateTime<Utc> {
        self.begun_at
    }

    /// When the last round of its kind that was done began; `None` when there was none.
    #[must_use]
    pub fn last_begun_at(&self) -> Option<DateTime<Utc>> {
        self.last_begun_at
    }

    /// Notes that the round was done.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; it is done again then.
    pub async fn note_done(&mut self) -> Result<(), StoreError> {
        sqlx::query!(
            "-- maintenance_round::note_done
            INSERT INTO maintenance_round (name, begun_at) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET begun_at = excluded.begun_at",
            self.round,
            self.begun_at,
        )
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// Lets go of the lock, and closes the session that held it. The server notices a closed session a moment later, and
    /// whoever wants the lock meanwhile would not get it; where it cannot be given back, that is what happens.
    pub async fn end(mut self) {
        let given_back = sqlx::query!("-- maintenance_round::unlock\nSELECT pg_advisory_unlock_all()")
            .execute(&mut self.connection)
            .await;
        if let Err(error) = given_back {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(
                error,
                round = self.round,
                "the lock of a round of maintenance goes with its session"
            );
        }
        self.connection.close().await;
    }
}
