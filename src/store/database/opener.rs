//! Opens connections for a pool, and judges whether one that comes back may be used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Error};

use super::limits::Limits;
use super::session_settings::SessionOptions;

/// A connection that was not used for so long is asked whether it lives before it is used again.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(5);
/// How long a connection has to answer that it lives, to roll back, or to say goodbye.
pub(super) const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens connections.
pub(super) struct Opener {
    pub(super) options: SessionOptions,
    pub(super) limits: Limits,
    /// Raised when a connection broke, or did not answer: those from before are not used again.
    pub(super) generation: Arc<AtomicU64>,
}

/// An open connection, and when it was opened.
pub(super) struct Opened {
    pub(super) connection: PgConnection,
    pub(super) generation: u64,
}

impl Manager for Opener {
    type Type = Opened;
    type Error = Error;

    async fn create(&self) -> Result<Opened, Error> {
        let generation = self.generation.load(Ordering::Acquire);
        let connection = self.options.connect().await?;
        Ok(Opened { connection, generation })
    }

    async fn recycle(&self, opened: &mut Opened, metrics: &Metrics) -> RecycleResult<Error> {
        if opened.generation != self.generation.load(Ordering::Acquire) {
            return Err(RecycleError::message("a connection of its time broke"));
        }
        if self.limits.test_each || metrics.last_used() > TEST_AFTER_IDLE {
            opened.connection.ping().await.map_err(RecycleError::Backend)?;
        }
        Ok(())
    }
}
