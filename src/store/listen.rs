//! What other processes tell this one, by `LISTEN`: configuration that changed, and work that is due.

use sqlx::postgres::{PgListener, PgNotification};
use uuid::Uuid;

use crate::domain::id::ApplicationId;

use super::{Store, StoreError};

/// Something that happened elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// This application or one of its endpoints changed.
    Changed(ApplicationId),
    /// Something in the queue is due now.
    Due,
    /// All dispatching was paused or resumed.
    Paused,
    /// The connection broke and is back: anything may have happened.
    Reconnected,
}

/// A connection that listens. It reconnects by itself.
pub struct Notices {
    listener: PgListener,
}

impl Store {
    /// Begins to listen.
    pub async fn listen(&self) -> Result<Notices, StoreError> {
        let mut listener = PgListener::connect_with(&self.queue).await?;
        listener.listen_all(["postrider_config", "postrider_due", "postrider_pause"]).await?;
        Ok(Notices { listener })
    }

    /// Tells every node's dispatcher that something is due. Never called inside the ingest transaction: a commit
    /// with a notification takes a database-wide lock.
    pub async fn announce_due(&self) -> Result<(), StoreError> {
        sqlx::query!("-- listen::announce_due\nSELECT pg_notify('postrider_due', '')")
            .fetch_one(&self.queue)
            .await?;
        Ok(())
    }
}

impl Notices {
    /// The next notice.
    pub async fn next(&mut self) -> Result<Notice, StoreError> {
        Ok(self.listener.try_recv().await?.map_or(Notice::Reconnected, |notice| read(&notice)))
    }
}

fn read(notice: &PgNotification) -> Notice {
    match notice.channel() {
        "postrider_config" => notice
            .payload()
            .parse::<Uuid>()
            .map_or(Notice::Reconnected, |id| Notice::Changed(ApplicationId::from(id))),
        "postrider_pause" => Notice::Paused,
        _ => Notice::Due,
    }
}
