//! Nodes and their fences. A node proves that it lives by a heartbeat; whoever finds a stale one deletes its fence
//! and frees what it held. Deleting a fence waits for the node's commits under way (they hold it `FOR KEY SHARE`)
//! and shuts out all later ones.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::id::MessageId;
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::QueueStore;

/// Deliveries that are freed in one statement, so that none takes long.
const ROWS_FREED_PER_CHUNK: i64 = 5_000;

/// What a heartbeat found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The node is known and nobody took it over.
    Alive,
    /// Another node took this one's work over.
    Fenced,
}

/// What joining found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// As a node, with a new epoch.
    As {
        /// Names this run of the node.
        epoch: i64,
        /// Deliveries of an earlier process of this name that went back to the queue.
        freed: u64,
    },
    /// A node of this name has a fresh heartbeat.
    NameInUse {
        /// How old it is.
        beat_age: Duration,
    },
}

/// When joining takes over a node of the same name. One whose heartbeat is stale is taken over in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    /// Also with a fresh heartbeat: it is known to have stopped.
    Always,
    /// Also with a fresh heartbeat if it ran in the same place: two processes cannot, so that one is gone.
    IfSamePlace,
    /// Only with a stale heartbeat: this process comes back after it lost its lease, and a live one keeps the name.
    IfStale,
}

impl QueueStore {
    /// Registers this process under its name, and takes over what an earlier process of this name left behind.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when two processes join under one name at the same moment.
    pub async fn join_node(
        &self,
        name: &str,
        place: &str,
        takeover: Takeover,
        time_to_live: Duration,
        low_water: MessageId,
    ) -> Result<Joined, StoreError> {
        self.correct_heartbeats_ahead().await?;
        let found = sqlx::query!(
            r#"-- node::find_by_name
            SELECT epoch, place, extract(epoch FROM now() - beat_at)::float8 AS "beat_age!"
            FROM node WHERE name = $1"#,
            name,
        )
        .fetch_optional(&self.claims)
        .await?;
        let mut freed = 0;
        if let Some(node) = found {
            let may_fence = match takeover {
                Takeover::Always => true,
                Takeover::IfSamePlace => !place.is_empty() && node.place == place,
                Takeover::IfStale => false,
            };
            let beat_age = Duration::try_from_secs_f64(node.beat_age).unwrap_or_default();
            if beat_age < time_to_live && !may_fence {
                return Ok(Joined::NameInUse { beat_age });
            }
            freed = self.take_over_node(node.epoch).await?;
        }
        let epoch = sqlx::query_scalar!(
            r#"-- node::join
            WITH joined AS (
                INSERT INTO node (name, version, low_water, place, sealing_keys) VALUES ($1, $2, $3, $4, $5) RETURNING epoch
            )
            INSERT INTO node_fence (epoch) SELECT epoch FROM joined RETURNING epoch"#,
            name,
            env!("CARGO_PKG_VERSION"),
            low_water.uuid(),
            place,
            &self.main_secrets.ids().iter().map(|id| id.bytes().to_vec()).collect::<Vec<_>>(),
        )
        .fetch_one(&self.claims)
        .await?;
        Ok(Joined::As { epoch, freed })
    }

    /// One heartbeat: no delivery that this epoch owns has a smaller message id than `low_water`. Every node hears of
    /// it, this one too, which so knows that it hears.
    pub async fn beat_node(&self, epoch: i64, low_water: MessageId, number: i64) -> Result<Beat, StoreError> {
        let beaten = sqlx::query!(
            r#"-- node::beat
            WITH beaten AS (
                UPDATE node SET beat_at = now(), low_water = $2
                WHERE epoch = $1 AND EXISTS (SELECT FROM node_fence f WHERE f.epoch = $1)
                RETURNING epoch
            )
            SELECT pg_notify('postrider_nodes' || current_setting('postrider.cell'), $3) AS told FROM beaten"#,
            epoch,
            low_water.uuid(),
            format!("beat {epoch} {number}"),
        )
        .fetch_optional(&self.vital)
        .await?;
        Ok(if beaten.is_some() { Beat::Alive } else { Beat::Fenced })
    }

    /// Heartbeats from when the clock was ahead count as of now: a node that is gone would not be missed until the clock has
    /// reached them, and one that is there writes its next.
    async fn correct_heartbeats_ahead(&self) -> Result<(), StoreError> {
        sqlx::query!(
            "-- node::correct_ahead
            UPDATE node SET beat_at = now() WHERE beat_at > now() + interval '1 minute'"
        )
        .execute(&self.vital)
        .await?;
        Ok(())
    }

    /// Takes over, for the node of that name, every node whose heartbeat is older than the time to live. Returns how many
    /// deliveries went back to the queue.
    pub async fn take_over_stale_nodes(&self, time_to_live: Duration, by: &str) -> Result<u64, StoreError> {
        self.correct_heartbeats_ahead().await?;
        let stale = sqlx::query_scalar!(
            r#"-- node::find_stale
            SELECT epoch FROM node WHERE beat_at < now() - $1::interval"#,
            interval(time_to_live),
        )
        .fetch_all(&self.vital)
        .await?;
        let mut freed = 0;
        for epoch in stale {
            freed += self.take_over_node(epoch).await?;
            sqlx::query!(
                "-- node_presence::taken_over
                UPDATE node_presence SET taken_over_at = now(), taken_over_by = $2 WHERE epoch = $1",
                epoch,
                by,
            )
            .execute(&self.vital)
            .await?;
        }
        Ok(freed)
    }

    /// Shuts a node's later commits out, frees whatever it still holds, and forgets it. A part of it that was done
    /// before counts; what is left is done by whoever calls this next.
    pub async fn take_over_node(&self, epoch: i64) -> Result<u64, StoreError> {
        // It waits for the node's inserts under way, which hold the fence.
        sqlx::query!("-- node::unfence\nDELETE FROM node_fence WHERE epoch = $1", epoch)
            .execute(&self.claims)
            .await?;
        self.free_homes(epoch).await?;
        let freed = self.free_claims(epoch).await? + self.free_in_flight(epoch).await?;
        sqlx::query!("-- node::forget\nDELETE FROM node WHERE epoch = $1", epoch)
            .execute(&self.claims)
            .await?;
        if freed > 0 {
            sqlx::query!("-- node::announce_freed\nSELECT pg_notify('postrider_due' || current_setting('postrider.cell'), '')")
                .fetch_one(&self.claims)
                .await?;
        }
        Ok(freed)
    }

    async fn free_claims(&self, epoch: i64) -> Result<u64, StoreError> {
        let mut freed = 0;
        loop {
            let chunk = sqlx::query!(
                r#"-- node::free_claims
                WITH held AS MATERIALIZED (
                    SELECT message_id, endpoint_id FROM pending WHERE owner = $1 LIMIT $2 FOR UPDATE
                )
                UPDATE pending p SET owner = NULL, due_at = now() FROM held h
                WHERE p.message_id = h.message_id AND p.endpoint_id = h.endpoint_id"#,
                epoch,
                ROWS_FREED_PER_CHUNK,
            )
            .execute(&self.claims)
            .await?;
            freed += chunk.rows_affected();
            if chunk.rows_affected() < ROWS_FREED_PER_CHUNK.unsigned_abs() {
                return Ok(freed);
            }
        }
    }

    /// The oldest first, so that what is freed is due in the order in which it was accepted.
    async fn free_in_flight(&self, epoch: i64) -> Result<u64, StoreError> {
        let mut from = Uuid::nil();
        let mut freed = 0;
        loop {
            let chunk = sqlx::query!(
                r#"-- node::free_in_flight
                WITH held AS MATERIALIZED (
                    SELECT d.message_id, d.endpoint_id FROM delivery d
                    WHERE d.message_id >= greatest($2, (SELECT low_water FROM node WHERE epoch = $1))
                      AND (d.owner = $1 AND d.state = 'in_flight') IS TRUE
                    ORDER BY d.message_id LIMIT $3
                ), freed AS (
                    UPDATE delivery d SET state = 'waiting', owner = NULL FROM held h
                    WHERE d.message_id = h.message_id AND d.endpoint_id = h.endpoint_id
                      AND (d.owner = $1 AND d.state = 'in_flight') IS TRUE
                    RETURNING d.message_id, d.endpoint_id, d.attempts
                ), queued AS (
                    INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
                    SELECT f.message_id, f.endpoint_id, m.application_id, now(), f.attempts
                    FROM freed f JOIN message m ON m.id = f.message_id
                )
                SELECT (SELECT count(*) FROM held) AS "held!", (SELECT count(*) FROM freed) AS "freed!",
                       (SELECT message_id FROM held ORDER BY message_id DESC LIMIT 1) AS last"#,
                epoch,
                from,
                ROWS_FREED_PER_CHUNK,
            )
            .fetch_one(&self.claims)
            .await?;
            freed += chunk.freed.unsigned_abs();
            match chunk.last {
                Some(last) if chunk.held == ROWS_FREED_PER_CHUNK => from = last,
                _ => return Ok(freed),
            }
        }
    }
}
