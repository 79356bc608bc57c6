//! Environments.

use chrono::{DateTime, Utc};

use crate::domain::access::actor::Actor;
use crate::domain::id::EnvironmentId;
use crate::domain::page::Scan;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;

/// An environment as it is stored.
#[derive(Debug, Clone)]
pub struct EnvironmentRecord {
    /// Its id.
    pub id: EnvironmentId,
    /// When it was first named.
    pub created_at: DateTime<Utc>,
}

fn record(id: &str, created_at: DateTime<Utc>) -> Result<EnvironmentRecord, StoreError> {
    let id = id.parse();
    id.map(|id| EnvironmentRecord { id, created_at })
        .map_err(|_| StoreError::Inconsistent("an environment's id does not parse".to_owned()))
}

impl ConfigurationStore {
    /// Creates the environment unless it is there; true when it was not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_environment(&self, actor: &Actor, id: &EnvironmentId) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let created = sqlx::query!(
            "-- environment::create
            INSERT INTO environment (id) VALUES ($1) ON CONFLICT DO NOTHING",
            id.as_str(),
        )
        .execute(&mut *tx)
        .await?;
        if created.rows_affected() == 0 {
            return Ok(false);
        }
        note(&mut tx, actor, Entry::in_environment(id, "environment.created", id)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The environment of that id, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn environment(&self, id: &EnvironmentId) -> Result<Option<EnvironmentRecord>, StoreError> {
        let found = sqlx::query!(
            "-- environment::get
            SELECT id, created_at FROM environment WHERE id = $1",
            id.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        found.map(|row| record(&row.id, row.created_at)).transpose()
    }

    /// A stretch of the environments, by id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn environments(
        &self,
        scan: &Scan<EnvironmentId>,
    ) -> Result<Vec<EnvironmentRecord>, StoreError> {
        let rows = sqlx::query!(
            r#"-- environment::list
            SELECT id, created_at FROM environment
            WHERE $2::text IS NULL OR CASE WHEN $1 THEN id > $2 ELSE id < $2 END
            ORDER BY CASE WHEN $1 THEN id END, CASE WHEN NOT $1 THEN id END DESC
            LIMIT $3"#,
            scan.ascending,
            scan.after.as_ref().map(EnvironmentId::as_str),
            scan.limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| record(&row.id, row.created_at)).collect()
    }
}
