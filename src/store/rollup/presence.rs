//! Which processes run, as they say it themselves, beside the heartbeats that they live by.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::domain::id::EnvironmentId;
use crate::domain::rollup::node_state::NodeState;
use crate::store::StoreError;

use super::RollupStore;

/// What a process says of itself.
#[derive(Debug)]
pub struct NodePresence<'a> {
    /// The epoch that it began with.
    pub writer: i64,
    /// The epoch that it has now.
    pub epoch: i64,
    /// Its node's name.
    pub name: &'a str,
    /// Its roles.
    pub roles: &'a [String],
    /// Requests under way.
    pub in_flight: usize,
    /// The same by environment.
    pub in_flight_of: BTreeMap<String, usize>,
    /// Over the last whole minute.
    pub sent_per_second: f64,
    /// It stops.
    pub leaves: bool,
}

/// A process that runs, or ran within the last day.
#[derive(Debug, Clone)]
pub struct NodeSeen {
    /// The epoch that it began with.
    pub writer: i64,
    /// The epoch that it has, or last had.
    pub epoch: i64,
    /// Its name.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Its last heartbeat.
    pub beat_at: DateTime<Utc>,
    /// How long ago that was.
    pub beat_age_seconds: f64,
    /// When it last said that it is there. It stays as it is once the process has stopped.
    pub seen_at: DateTime<Utc>,
    /// How it is.
    pub state: NodeState,
    /// Whether it stopped by itself.
    pub left: bool,
    /// Its roles.
    pub roles: Vec<String>,
    /// Requests under way, while it runs.
    pub in_flight: Option<i32>,
    /// Over the last whole minute, while it runs.
    pub sent_per_second: Option<f64>,
    /// The node that took its work over.
    pub taken_over_by: Option<String>,
}

impl RollupStore {
    /// Says that this process is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn tell_presence(&self, presence: &NodePresence<'_>) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- node_presence::tell
            INSERT INTO node_presence (writer, epoch, name, version, roles, in_flight, in_flight_of, sent_per_second, left_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 THEN now() END)
            ON CONFLICT (writer) DO UPDATE SET
                epoch = excluded.epoch, seen_at = now(), in_flight = excluded.in_flight,
                in_flight_of = excluded.in_flight_of, sent_per_second = excluded.sent_per_second,
                left_at = excluded.left_at, taken_over_at = NULL, taken_over_by = NULL"#,
            presence.writer,
            presence.epoch,
            presence.name,
            env!("CARGO_PKG_VERSION"),
            presence.roles,
            i32::try_from(presence.in_flight).unwrap_or(i32::MAX),
            Json(&presence.in_flight_of) as Json<&BTreeMap<String, usize>>,
            presence.sent_per_second,
            presence.leaves,
        )
        .execute(&self.writing)
        .await?;
        Ok(())
    }

    /// Processes that run, and those that stopped within the last day and whose node did not come back; by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn nodes_seen(&self) -> Result<Vec<NodeSeen>, StoreError> {
        let rows = sqlx::query!(
            r#"-- node_presence::list
            SELECT coalesce(p.writer, n.epoch) AS "writer!", coalesce(n.epoch, p.epoch) AS "epoch!",
                   coalesce(n.name, p.name) AS "name!", coalesce(n.version, p.version) AS "version!",
                   coalesce(n.started_at, p.started_at) AS "started_at!", coalesce(n.beat_at, p.seen_at) AS "beat_at!",
                   extract(epoch FROM now() - coalesce(n.beat_at, p.seen_at))::float8 AS "age!",
                   coalesce(p.seen_at, n.beat_at) AS "seen_at!", n.epoch IS NOT NULL AS "is_registered!",
                   p.left_at IS NOT NULL AS "left!", p.roles AS "roles?", p.in_flight AS "in_flight?",
                   p.sent_per_second AS "sent_per_second?", p.taken_over_by AS "taken_over_by?"
            FROM node n FULL JOIN node_presence p ON p.epoch = n.epoch
            WHERE n.epoch IS NOT NULL
               OR p.seen_at > now() - interval '1 day'
                  AND NOT EXISTS (SELECT FROM node_presence later WHERE later.name = p.name AND later.writer > p.writer)
                  AND NOT EXISTS (SELECT FROM node back WHERE back.name = p.name)
            ORDER BY 3"#,
        )
        .fetch_all(&self.reading)
        .await?;
        let nodes = rows.into_iter().map(|row| {
            let state = NodeState::of(row.age, row.is_registered, row.left);
            let runs = state != NodeState::Stopped;
            NodeSeen {
                writer: row.writer,
                epoch: row.epoch,
                name: row.name,
                version: row.version,
                started_at: row.started_at,
                beat_at: row.beat_at,
                beat_age_seconds: row.age,
                seen_at: row.seen_at,
                state,
                left: row.left,
                roles: row.roles.unwrap_or_default(),
                in_flight: row.in_flight.filter(|_| runs),
                sent_per_second: row.sent_per_second.filter(|_| runs),
                taken_over_by: row.taken_over_by,
            }
        });
        Ok(nodes.collect())
    }

    /// Requests under way of an environment, on all nodes that were heard of within the last half minute.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn in_flight(&self, environment: &EnvironmentId) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- node_presence::in_flight
            SELECT coalesce(sum((p.in_flight_of->>$1)::bigint), 0)::bigint AS "in_flight!"
            FROM node_presence p WHERE p.seen_at > now() - interval '30 seconds' AND p.left_at IS NULL"#,
            environment.as_str(),
        )
        .fetch_one(&self.reading)
        .await?)
    }
}
