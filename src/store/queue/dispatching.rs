//! Whether deliveries go out at all. Nodes hear of a change by a notice, and look at their start and every few seconds.

use std::time::Duration;

use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::QueueStore;

/// For so long something counts as opened a moment ago. A node hears of it at once, or within a poll.
pub(in crate::store) const OPENING: Duration = Duration::from_secs(60);

/// Whether deliveries go out at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatching {
    /// They do not.
    pub paused: bool,
    /// They do again, since a moment ago.
    pub just_resumed: bool,
}

impl QueueStore {
    /// Whether deliveries go out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dispatching(&self) -> Result<Dispatching, StoreError> {
        let row = sqlx::query!(
            r#"-- dispatching::get
            SELECT paused_at IS NOT NULL AS "paused!",
                   coalesce(resumed_at > now() - $1::interval, false) AS "just_resumed!"
            FROM dispatching WHERE singleton"#,
            interval(OPENING),
        )
        .fetch_one(&self.claims)
        .await?;
        Ok(Dispatching { paused: row.paused, just_resumed: row.just_resumed })
    }
}
