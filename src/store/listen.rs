//! What other processes tell this one, by `LISTEN`: configuration that changed, and work that is due.

use sqlx::postgres::{PgListener, PgNotification};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EndpointId};

use super::{Store, StoreError};

/// A notice has room for 8,000 bytes.
const MOST_NAMED: usize = 200;

/// Something that happened elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// This application or one of its endpoints changed.
    Changed(ApplicationId),
    /// These endpoints have something due now.
    Due(Vec<EndpointId>),
    /// Something in the queue is due now, for whichever endpoints.
    AnyDue,
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

    /// Tells every node's dispatcher that these endpoints have something due. Never called inside the ingest
    /// transaction: a commit with a notification takes a database-wide lock.
    pub async fn announce_due(&self, endpoints: &[EndpointId]) -> Result<(), StoreError> {
        sqlx::query!(
            "-- listen::announce_due\nSELECT pg_notify('postrider_due', $1)",
            due_payload(endpoints)
        )
        .fetch_one(&self.queue)
        .await?;
        Ok(())
    }
}

/// The payload of a notice of due work: the endpoints, or nothing where they are too many to be named.
pub(super) fn due_payload(endpoints: &[EndpointId]) -> String {
    if endpoints.len() > MOST_NAMED {
        return String::new();
    }
    let names: Vec<String> = endpoints.iter().map(|endpoint| endpoint.uuid().simple().to_string()).collect();
    names.join(",")
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
        _ => {
            let named: Result<Vec<EndpointId>, _> =
                notice.payload().split(',').map(|name| name.parse::<Uuid>().map(EndpointId::from)).collect();
            named.map_or(Notice::AnyDue, Notice::Due)
        }
    }
}
