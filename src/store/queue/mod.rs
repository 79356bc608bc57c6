//! The queue: messages in, claims, outcomes, what goes back; and the nodes that own what is on its way. Every statement
//! here is on the hot path: plans are pinned, and each kind of work has connections of its own.

pub(super) mod announce;
pub(super) mod claim;
pub(super) mod dispatching;
pub(super) mod hand_back;
pub(super) mod health;
pub(super) mod ingest;
pub(super) mod lane_home;
pub(super) mod listen;
pub(super) mod node;
pub(super) mod outcome;
mod payload;
mod payload_expiry;
pub(super) mod rescue;
pub(super) mod throttle;
pub(super) mod waiting_endpoints;

use sqlx::postgres::{PgPool, PgPoolOptions};

use super::database::pool::Pool;
use super::database::session_settings::SessionOptions;
use crate::domain::main_secret::MainSecrets;

/// The queue and the nodes that work on it.
#[derive(Clone)]
pub struct QueueStore {
    /// The batch writer of messages.
    pub(super) ingest: Pool,
    /// The batch writer of outcomes.
    pub(super) record: Pool,
    /// Claims, what goes back to the queue, the search for what nobody works on.
    pub(super) claims: Pool,
    /// Heartbeats and health: small statements that must never wait for others.
    pub(super) vital: Pool,
    /// How the queue was lately, for those who ask for health.
    pub(super) last_look: health::LastLook,
    /// For listening, which needs a connection of sqlx's own.
    pub(super) sessions: SessionOptions,
    /// A node says which it has when it joins.
    pub(super) main_secrets: MainSecrets,
}

impl QueueStore {
    /// A pool of one connection, as sqlx's listener wants it.
    fn listening(&self) -> PgPool {
        let limits = self.vital.limits();
        PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(limits.acquire)
            .connect_lazy_with(self.sessions.with(&limits.settings()).connect_options().clone())
    }
}
