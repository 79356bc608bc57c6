//! Ids: a UUIDv7, so that they sort by time, written as a type prefix and 26 characters of Crockford base32
//! (TypeID 0.3), `msg_01k…`. Each kind is its own type. An environment's id is the caller's own text.

pub mod path_name;
pub mod reference;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 26;

/// A text that is not an id of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {prefix} id")]
pub struct InvalidId {
    /// The prefix that was expected, without its underscore.
    pub prefix: &'static str,
}

fn encode(uuid: Uuid) -> String {
    let value = uuid.as_u128();
    (0..TEXT_LENGTH)
        .rev()
        .map(|place| {
            let digit = (value >> (place * 5)) & 31;
            ALPHABET.iter().copied().nth(digit as usize).map_or('0', char::from)
        })
        .collect()
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != TEXT_LENGTH || text.as_bytes().first().is_none_or(|first| *first > b'7') {
        return None;
    }
    let mut value = 0u128;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
fn next_uuid() -> Uuid {
    Uuid::now_v7()
}

/// The moment in a UUIDv7, in milliseconds.
fn moment_of(uuid: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(uuid.as_u128() >> 80).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The text before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// No id is greater.
            pub const LAST: Self = Self(Uuid::max());

            /// A new id; within a process each is greater than the last.
            pub fn generate() -> Self {
                Self(next_uuid())
            }

            /// The id as it stands in the database.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The moment it was made, to the millisecond.
            pub fn created_at(self) -> DateTime<Utc> {
                moment_of(self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", Self::PREFIX, encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// One tenant of a producer.
    ApplicationId, "app");
typed_id!(
    /// A tenant's destination.
    EndpointId, "ep");
typed_id!(
    /// One accepted event. It is also the `webhook-id` that receivers see.
    MessageId, "msg");
typed_id!(
    /// One HTTP request for a delivery.
    AttemptId, "atmpt");
typed_id!(
    /// A session of the console.
    SessionId, "sess");
typed_id!(
    /// Somebody whom an identity provider vouched for.
    PersonId, "person");
typed_id!(
    /// A request to the API, as its answer and the log name it.
    RequestId, "req");
typed_id!(
    /// A delivery that died.
    DeadLetterId, "dl");
typed_id!(
    /// A long operation with progress.
    TaskId, "qtask");
typed_id!(
    /// A token that Postrider signed itself.
    TokenId, "token");
typed_id!(
    /// One line of the audit log.
    AuditEntryId, "audit");
typed_id!(
    /// An API key, not the key itself.
    ApiKeyId, "key");
typed_id!(
    /// A test inbox.
    InboxId, "inbox");
typed_id!(
    /// An alert rule.
    AlertRuleId, "alert");
typed_id!(
    /// An alert channel.
    AlertChannelId, "achan");
typed_id!(
    /// A request that a test inbox got.
    InboxRequestId, "inreq");

typed_id!(
    /// A signing secret of an endpoint, not the secret itself.
    SecretId, "secret");

/// An environment: `org_` and 1 to 64 letters, digits, `_` or `-`, the caller's choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct EnvironmentId(String);

impl EnvironmentId {
    /// What one looks like.
    pub const PATTERN: &str = "^org_[A-Za-z0-9_-]{1,64}$";
    /// No id is longer, its prefix included.
    pub const MAX_LENGTH: usize = 68;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EnvironmentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix("org_").ok_or(InvalidId { prefix: "org" })?;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !rest.is_empty() && text.len() <= Self::MAX_LENGTH && rest.bytes().all(is_letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId { prefix: "org" })
        }
    }
}

impl<'de> Deserialize<'de> for EnvironmentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_typeid() {
        // From the TypeID specification's list of valid ids.
        let uuid = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        assert_eq!(MessageId::from(uuid).to_string(), "msg_01h455vb4pex5vsknk084sn02q");
        assert_eq!("msg_01h455vb4pex5vsknk084sn02q".parse::<MessageId>().unwrap().uuid(), uuid);
    }

    #[test]
    fn every_id_survives_its_text_form_and_sorts_by_time() {
        let mut last = MessageId::generate();
        for _ in 0..1000 {
            let next = MessageId::generate();
            assert!(next > last);
            assert!(next.to_string() > last.to_string());
            assert_eq!(next.to_string().parse::<MessageId>().unwrap(), next);
            last = next;
        }
    }

    #[test]
    fn other_kinds_and_garbage_are_refused() {
        for text in [
            "",
            "msg_",
            "ep_01h455vb4pex5vsknk084sn02q",
            "msg_81h455vb4pex5vsknk084sn02q",
            "msg_01h455vb4pex5vsknk084sn02U",
        ] {
            assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
        assert!("org_".parse::<EnvironmentId>().is_err());
        let longest = format!("org_{}", "x".repeat(64));
        for text in ["org_a.b", "org_ü", "org_a b", "orga", &format!("{longest}x")] {
            assert!(text.parse::<EnvironmentId>().is_err(), "{text}");
        }
        for text in ["org_demo", "org_my-env", "org_a_b", &longest] {
            assert!(text.parse::<EnvironmentId>().is_ok(), "{text}");
        }
    }
}
