//! Listening to what other nodes tell.

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::domain::live::report::Report;
use crate::store::StoreError;

use super::LiveStore;

/// A connection that listens. It ends when this is dropped.
pub struct LiveNotices {
    listener: PgListener,
}

impl LiveStore {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn listen(&self) -> Result<LiveNotices, StoreError> {
        let limits = self.pool.limits();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(limits.acquire)
            .connect_lazy_with(self.sessions.with(&limits.settings()).connect_options().clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(&format!("postrider_live{}", self.sessions.schema().channel_ending())).await?;
        Ok(LiveNotices { listener })
    }
}

impl LiveNotices {
    /// The next report; `None` for what cannot be read, and when the connection broke and is back.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn next(&mut self) -> Result<Option<Report>, StoreError> {
        let notice = self.listener.try_recv().await?;
        Ok(notice.and_then(|notice| Report::from_notice(notice.payload())))
    }
}
