//! What other processes tell this one, by `LISTEN`: configuration that changed, credentials that were taken back,
//! and work that is due.

use sqlx::postgres::{PgListener, PgNotification};
use uuid::Uuid;

use crate::domain::api_key::KeyHash;
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
    /// This API key was revoked.
    KeyRevoked(KeyHash),
    /// Tokens of this application were taken back.
    TokensTakenBack(ApplicationId),
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
        let channels = ["postrider_config", "postrider_credentials", "postrider_due", "postrider_pause"];
        listener.listen_all(channels).await?;
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
        "postrider_credentials" => read_credential(notice.payload()),
        _ => {
            let named: Result<Vec<EndpointId>, _> =
                notice.payload().split(',').map(|name| name.parse::<Uuid>().map(EndpointId::from)).collect();
            named.map_or(Notice::AnyDue, Notice::Due)
        }
    }
}

/// An application's id, or a key's hash in hexadecimal digits. What cannot be read may mean anything.
fn read_credential(payload: &str) -> Notice {
    if let Ok(id) = payload.parse::<Uuid>()
        && payload.contains('-')
    {
        return Notice::TokensTakenBack(id.into());
    }
    read_hash(payload).map_or(Notice::Reconnected, Notice::KeyRevoked)
}

fn read_hash(digits: &str) -> Option<KeyHash> {
    let mut hash = KeyHash::default();
    if digits.len() != hash.len() * 2 || !digits.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_apart() {
        let id = Uuid::from_u128(7);
        assert_eq!(read_credential(&id.to_string()), Notice::TokensTakenBack(id.into()));
        let mut hash = [0; 32];
        hash[0] = 0xa1;
        hash[31] = 0x0f;
        assert_eq!(read_credential(&format!("a1{}0f", "0".repeat(60))), Notice::KeyRevoked(hash));
        for unknown in ["", "x", &"g".repeat(64), &"ü".repeat(32)] {
            assert_eq!(read_credential(unknown), Notice::Reconnected, "{unknown}");
        }
    }
}
