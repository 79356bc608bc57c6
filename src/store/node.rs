//! Nodes and their fences. A node proves that it lives by a heartbeat; whoever finds a stale one deletes its fence
//! and frees what it held. Deleting a fence waits for the node's commits under way (they hold it `FOR KEY SHARE`)
//! and shuts out all later ones.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, postgres::types::PgInterval};

use crate::domain::id::MessageId;

use super::{Store, StoreError};

/// What a heartbeat found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The node is known and lives on.
    Alive,
    /// Another node took this one's work over.
    Fenced,
}

/// What joining found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The new epoch, and how many deliveries a former self of this name had left behind.
    As {
        /// Names this run of the node.
        epoch: i64,
        /// Deliveries that went back to the queue.
        freed: u64,
    },
    /// A node of this name has a fresh heartbeat.
    NameInUse,
}

/// A node as it is shown.
#[derive(Debug, Clone)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// New at each start.
    pub epoch: i64,
    /// The version that it runs.
    pub version: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat.
    pub beat_at: DateTime<Utc>,
    /// How long ago that was, by the database's clock.
    pub beat_age_seconds: f64,
}

/// Whether joining may fence a live node of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormerSelf {
    /// At start: whoever had the name before is gone, or is told so by its fence.
    Fence,
    /// When coming back after losing the lease: a live one has the better right.
    Respect,
}

impl Store {
    /// All nodes, by name.
    pub async fn nodes(&self) -> Result<Vec<NodeRecord>, StoreError> {
        Ok(sqlx::query_as!(
            NodeRecord,
            r#"-- node::list
            SELECT name, epoch, version, started_at, beat_at,
                   extract(epoch FROM now() - beat_at)::float8 AS "beat_age_seconds!"
            FROM node ORDER BY name"#,
        )
        .fetch_all(&self.api)
        .await?)
    }

    /// Registers this process under its name, taking over at once what a former self left behind.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when two processes join under one name at the same moment.
    pub async fn join_node(
        &self,
        name: &str,
        former: FormerSelf,
        time_to_live: Duration,
    ) -> Result<Joined, StoreError> {
        let mut tx = self.queue.begin().await?;
        let found = sqlx::query!(
            r#"-- node::find_by_name
            SELECT epoch, beat_at > now() - $2::interval AS "fresh!" FROM node WHERE name = $1 FOR UPDATE"#,
            name,
            interval(time_to_live),
        )
        .fetch_optional(&mut *tx)
        .await?;
        let mut freed = 0;
        if let Some(node) = found {
            if node.fresh && former == FormerSelf::Respect {
                return Ok(Joined::NameInUse);
            }
            freed = take_over(&mut tx, node.epoch).await?;
        }
        let epoch = sqlx::query_scalar!(
            r#"-- node::join
            WITH joined AS (
                INSERT INTO node (name, version, low_water) VALUES ($1, $2, $3) RETURNING epoch
            )
            INSERT INTO node_fence (epoch) SELECT epoch FROM joined RETURNING epoch"#,
            name,
            env!("CARGO_PKG_VERSION"),
            MessageId::generate().uuid(),
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Joined::As { epoch, freed })
    }

    /// One heartbeat: no delivery in this node's memory has a smaller message id than `low_water`.
    pub async fn beat_node(&self, epoch: i64, low_water: MessageId) -> Result<Beat, StoreError> {
        let beaten = sqlx::query!(
            r#"-- node::beat
            UPDATE node SET beat_at = now(), low_water = $2
            WHERE epoch = $1 AND EXISTS (SELECT FROM node_fence f WHERE f.epoch = $1)"#,
            epoch,
            low_water.uuid(),
        )
        .execute(&self.queue)
        .await?;
        Ok(if beaten.rows_affected() == 1 { Beat::Alive } else { Beat::Fenced })
    }

    /// Takes over every node whose heartbeat is older than the time to live. Returns how many deliveries went
    /// back to the queue.
    pub async fn take_over_stale_nodes(&self, time_to_live: Duration) -> Result<u64, StoreError> {
        let stale = sqlx::query_scalar!(
            r#"-- node::find_stale
            SELECT epoch FROM node WHERE beat_at < now() - $1::interval"#,
            interval(time_to_live),
        )
        .fetch_all(&self.queue)
        .await?;
        let mut freed = 0;
        for epoch in stale {
            let mut tx = self.queue.begin().await?;
            let still = sqlx::query_scalar!(
                r#"-- node::lock_stale
                SELECT epoch FROM node WHERE epoch = $1 AND beat_at < now() - $2::interval
                FOR UPDATE SKIP LOCKED"#,
                epoch,
                interval(time_to_live),
            )
            .fetch_optional(&mut *tx)
            .await?;
            if still.is_some() {
                freed += take_over(&mut tx, epoch).await?;
                tx.commit().await?;
            }
        }
        Ok(freed)
    }

    /// Leaves: frees whatever this node still holds, and its row.
    pub async fn leave_node(&self, epoch: i64) -> Result<u64, StoreError> {
        let mut tx = self.queue.begin().await?;
        let freed = take_over(&mut tx, epoch).await?;
        tx.commit().await?;
        Ok(freed)
    }
}

/// Shuts a node's later commits out and frees what it held, in the caller's transaction.
async fn take_over(tx: &mut PgConnection, epoch: i64) -> Result<u64, StoreError> {
    sqlx::query!("-- node::unfence\nDELETE FROM node_fence WHERE epoch = $1", epoch)
        .execute(&mut *tx)
        .await?;
    let leased = sqlx::query!(
        r#"-- node::free_leased
        UPDATE pending SET owner = NULL, due_at = now() WHERE owner = $1"#,
        epoch,
    )
    .execute(&mut *tx)
    .await?;
    let born = sqlx::query!(
        r#"-- node::free_in_flight
        WITH freed AS (
            UPDATE delivery SET state = 2, owner = NULL
            WHERE message_id >= (SELECT low_water FROM node WHERE epoch = $1)
              AND (owner = $1 AND state = 1) IS TRUE
            RETURNING message_id, endpoint_id, attempts
        )
        INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
        SELECT f.message_id, f.endpoint_id, m.application_id, now(), f.attempts
        FROM freed f JOIN message m ON m.id = f.message_id"#,
        epoch,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("-- node::forget\nDELETE FROM node WHERE epoch = $1", epoch).execute(&mut *tx).await?;
    let freed = leased.rows_affected() + born.rows_affected();
    if freed > 0 {
        sqlx::query!("-- node::announce_freed\nSELECT pg_notify('postrider_due', '')")
            .fetch_one(&mut *tx)
            .await?;
    }
    Ok(freed)
}

/// A duration as Postgres takes it. More than a few hundred thousand years do not fit, and are cut there.
pub(super) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
