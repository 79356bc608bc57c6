//! What an operator wants to know of a database: its settings, its clock, whether tomorrow has its partitions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::store::StoreError;

use super::UpkeepStore;

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseFacts {
    /// Its version, as it says it.
    pub version: String,
    /// Its time.
    pub clock: DateTime<Utc>,
    /// Settings by name: numbers without units in the unit of the setting (kB, 8 kB, MB, ms, s).
    pub settings: BTreeMap<String, DatabaseSetting>,
    /// Sessions that are open.
    pub sessions: i64,
}

/// A setting of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSetting {
    /// As a number in its unit, or as text.
    pub value: String,
    /// As people write it.
    pub shown: String,
}

impl UpkeepStore {
    /// Asks the database about itself.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn inspect_database(&self, settings: &[String]) -> Result<DatabaseFacts, StoreError> {
        let rows = sqlx::query!(
            r#"-- inspect::settings
            SELECT name AS "name!", setting AS "setting!", current_setting(name) AS "shown!"
            FROM pg_settings WHERE name = ANY($1)"#,
            settings,
        )
        .fetch_all(&self.pool)
        .await?;
        // Last, so that its time is read right before it is compared.
        let now = sqlx::query!(
            r#"-- inspect::now
            SELECT current_setting('server_version') AS "version!",
                   (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS "sessions!",
                   clock_timestamp() AS "clock!""#
        )
        .fetch_one(&self.pool)
        .await?;
        let setting = |value, shown| DatabaseSetting { value, shown };
        Ok(DatabaseFacts {
            version: now.version,
            clock: now.clock,
            settings: rows.into_iter().map(|row| (row.name, setting(row.setting, row.shown))).collect(),
            sessions: now.sessions,
        })
    }

    /// The tables that have no partition for tomorrow.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn without_tomorrow(&self) -> Result<Vec<String>, StoreError> {
        let missing = sqlx::query_scalar!(
            r#"-- inspect::without_tomorrow
            SELECT parent AS "parent!" FROM unnest(ARRAY['message', 'delivery', 'attempt', 'idempotency_key']) parent
            WHERE to_regclass(parent || '_' || to_char((now() + interval '24 hours') AT TIME ZONE 'UTC', 'YYYYMMDD"t00"'))
                IS NULL"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(missing)
    }
}
