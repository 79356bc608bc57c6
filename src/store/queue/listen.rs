//! What other processes tell this one, by `LISTEN`: configuration that changed, credentials that were taken back,
//! and work that is due.

use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::domain::access::api_key::KeyHash;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::live::scope::Scope;
use crate::store::StoreError;

use super::QueueStore;
use super::throttle::{ThrottleNote, read_throttles};

/// A notice has room for 8,000 bytes.
const MAX_ENDPOINTS_PER_NOTICE: usize = 200;

/// Something that happened elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// This application or one of its endpoints changed.
    Changed(ApplicationId),
    /// These endpoints have something due now.
    Due(Vec<EndpointId>),
    /// Something in the queue is due now, for whichever endpoints.
    AnyDue,
    /// The API key or the session of this hash holds no longer.
    CredentialEnded(KeyHash),
    /// Tokens of this application were taken back.
    TokensTakenBack(ApplicationId),
    /// All dispatching was paused or resumed.
    Paused,
    /// Somebody watches what happens to these.
    Watched(Vec<Scope>),
    /// These receivers asked for less.
    Throttled(Vec<ThrottleNote>),
    /// These homes of lanes are nobody's any more.
    HomesFreed(Vec<Uuid>),
    /// Some homes of lanes are nobody's any more, whichever.
    AnyHomeFreed,
    /// Something about throttles or homes changed, whatever.
    PaceChanged,
    /// The node of this epoch lives: its heartbeat of that number.
    Beat {
        /// Whose.
        epoch: i64,
        /// The number.
        number: i64,
    },
    /// A node asks all others to say that they have heard everything up to here.
    Question {
        /// Who asks.
        epoch: i64,
        /// Names the question.
        number: i64,
    },
    /// A node has heard everything up to a question.
    Answer {
        /// Who answers.
        epoch: i64,
        /// Who asked.
        asked_by: i64,
        /// Names the question.
        number: i64,
    },
    /// The connection broke and is back: anything may have happened.
    Reconnected,
}

/// A connection that listens. It reconnects by itself.
pub struct Notices {
    listener: PgListener,
    /// What the names of channels end in.
    ending: String,
}

impl QueueStore {
    /// Begins to listen.
    pub async fn listen(&self) -> Result<Notices, StoreError> {
        let mut listener = PgListener::connect_with(&self.listening()).await?;
        let channels = [
            "postrider_config",
            "postrider_credentials",
            "postrider_due",
            "postrider_nodes",
            "postrider_pace",
            "postrider_pause",
            "postrider_watch",
        ];
        let ending = self.sessions.schema().channel_ending();
        let channels = channels.map(|channel| format!("{channel}{ending}"));
        listener.listen_all(channels.iter().map(String::as_str)).await?;
        Ok(Notices { listener, ending })
    }

    /// Asks every node that lives, by its heartbeat, to answer. Returns their epochs.
    pub async fn ask_nodes(&self, epoch: i64, number: i64) -> Result<Vec<i64>, StoreError> {
        let asked = sqlx::query_scalar!(
            r#"-- listen::ask_nodes
            SELECT array(SELECT n.epoch FROM node n WHERE n.beat_at > now() - interval '20 s') AS "epochs!"
            FROM (SELECT pg_notify('postrider_nodes' || current_setting('postrider.cell'), $1)) told"#,
            format!("question {epoch} {number}"),
        )
        .fetch_one(&self.vital)
        .await?;
        Ok(asked)
    }

    /// Answers another node's question.
    pub async fn answer_node(&self, epoch: i64, asked_by: i64, number: i64) -> Result<(), StoreError> {
        sqlx::query!(
            "-- listen::answer_node\nSELECT pg_notify('postrider_nodes' || current_setting('postrider.cell'), $1)",
            format!("answer {epoch} {asked_by} {number}"),
        )
        .fetch_one(&self.vital)
        .await?;
        Ok(())
    }

    /// Tells every node's dispatcher that these endpoints have something due. Never called inside the ingest
    /// transaction: a commit with a notification takes a database-wide lock.
    pub async fn announce_due(&self, endpoints: &[EndpointId]) -> Result<(), StoreError> {
        sqlx::query!(
            "-- listen::announce_due\nSELECT pg_notify('postrider_due' || current_setting('postrider.cell'), $1)",
            due_payload(endpoints)
        )
        .fetch_one(&self.claims)
        .await?;
        Ok(())
    }
}

/// The payload of a notice of due work: the endpoints, or nothing where they are too many to be named.
pub(super) fn due_payload(endpoints: &[EndpointId]) -> String {
    if endpoints.len() > MAX_ENDPOINTS_PER_NOTICE {
        return String::new();
    }
    let names: Vec<String> = endpoints.iter().map(|endpoint| endpoint.uuid().simple().to_string()).collect();
    names.join(",")
}

impl Notices {
    /// The next notice.
    pub async fn next(&mut self) -> Result<Notice, StoreError> {
        let notice = self.listener.try_recv().await?;
        Ok(notice
            .map_or(Notice::Reconnected, |notice| read(notice.channel(), notice.payload(), &self.ending)))
    }
}

/// Another version of the program may have sent what cannot be read. It means the most that a notice of its channel can mean.
fn read(channel: &str, payload: &str, ending: &str) -> Notice {
    match channel.strip_suffix(ending) {
        Some("postrider_config") => {
            payload.parse::<Uuid>().map_or(Notice::Reconnected, |id| Notice::Changed(ApplicationId::from(id)))
        }
        Some("postrider_pause") => Notice::Paused,
        Some("postrider_pace") => read_pace(payload),
        Some("postrider_watch") => Notice::Watched(read_scopes(payload)),
        Some("postrider_nodes") => read_node(payload).unwrap_or(Notice::Reconnected),
        Some("postrider_credentials") => read_credential(payload),
        Some("postrider_due") => read_due(payload),
        _ => Notice::Reconnected,
    }
}

fn read_due(payload: &str) -> Notice {
    let named = payload.split(',').map(|name| name.parse::<Uuid>().map(EndpointId::from));
    named.collect::<Result<_, _>>().map_or(Notice::AnyDue, Notice::Due)
}

/// A scope of a kind that this version does not know is left out: there is nothing that it could tell of it.
fn read_scopes(payload: &str) -> Vec<Scope> {
    payload.split(',').filter_map(|name| name.parse().ok()).collect()
}

fn read_pace(payload: &str) -> Notice {
    match payload.split_once(' ').unwrap_or((payload, "")) {
        ("throttled", notes) => read_throttles(notes).map_or(Notice::PaceChanged, Notice::Throttled),
        ("freed", homes) => {
            let named = homes.split(',').map(str::parse);
            named.collect::<Result<_, _>>().map_or(Notice::AnyHomeFreed, Notice::HomesFreed)
        }
        _ => Notice::PaceChanged,
    }
}

fn read_node(payload: &str) -> Option<Notice> {
    let mut words = payload.split(' ');
    let kind = words.next()?;
    let mut next = || words.next()?.parse::<i64>().ok();
    Some(match kind {
        "beat" => Notice::Beat { epoch: next()?, number: next()? },
        "question" => Notice::Question { epoch: next()?, number: next()? },
        "answer" => Notice::Answer { epoch: next()?, asked_by: next()?, number: next()? },
        _ => return None,
    })
}

/// An application's id, or the hash of a key or a session in hexadecimal digits. What cannot be read may mean anything.
fn read_credential(payload: &str) -> Notice {
    if let Ok(id) = payload.parse::<Uuid>()
        && payload.contains('-')
    {
        return Notice::TokensTakenBack(id.into());
    }
    read_hash(payload).map_or(Notice::Reconnected, Notice::CredentialEnded)
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
    fn nodes_are_understood() {
        assert_eq!(read_node("beat 7 1"), Some(Notice::Beat { epoch: 7, number: 1 }));
        assert_eq!(read_node("question 7 2"), Some(Notice::Question { epoch: 7, number: 2 }));
        assert_eq!(read_node("answer 8 7 2"), Some(Notice::Answer { epoch: 8, asked_by: 7, number: 2 }));
        for unknown in ["", "beat", "beat x 1", "answer 1 2", "shout 1 2"] {
            assert_eq!(read_node(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn freed_homes_are_named_or_any() {
        let ids = [Uuid::from_u128(7), Uuid::from_u128(8)];
        let named = format!("freed {},{}", ids[0], ids[1]);
        assert_eq!(read_pace(&named), Notice::HomesFreed(ids.to_vec()));
        for any in ["freed", "freed ", "freed x", &format!("{named},x")] {
            assert_eq!(read_pace(any), Notice::AnyHomeFreed, "{any}");
        }
    }

    #[test]
    fn what_cannot_be_read_may_mean_anything() {
        let id = Uuid::from_u128(7);
        let throttled = format!("throttled {}:20:30:1.500", id.simple());
        assert!(matches!(read_pace(&throttled), Notice::Throttled(notes) if notes.len() == 1));
        for unknown in [
            "",
            "new words",
            "throttled",
            "throttled x",
            &format!("{throttled},x"),
            &format!("{throttled}:1"),
        ] {
            assert_eq!(read_pace(unknown), Notice::PaceChanged, "{unknown}");
        }
        let due = |payload: &str| read("postrider_due_a", payload, "_a");
        assert_eq!(due(&id.to_string()), Notice::Due(vec![id.into()]));
        for unknown in ["", "x", &format!("{id},x")] {
            assert_eq!(due(unknown), Notice::AnyDue, "{unknown}");
        }
        for (channel, payload) in [
            ("postrider_config_a", "x"),
            ("postrider_nodes_a", "x"),
            ("postrider_new_a", ""),
            ("postrider_due", ""),
        ] {
            assert_eq!(read(channel, payload, "_a"), Notice::Reconnected, "{channel}");
        }
    }

    #[test]
    fn credentials_are_told_apart() {
        let id = Uuid::from_u128(7);
        assert_eq!(read_credential(&id.to_string()), Notice::TokensTakenBack(id.into()));
        let mut hash = [0; 32];
        hash[0] = 0xa1;
        hash[31] = 0x0f;
        assert_eq!(read_credential(&format!("a1{}0f", "0".repeat(60))), Notice::CredentialEnded(hash));
        for unknown in ["", "x", &"g".repeat(64), &"ü".repeat(32)] {
            assert_eq!(read_credential(unknown), Notice::Reconnected, "{unknown}");
        }
    }
}
