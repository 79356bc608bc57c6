//! Accepts messages: they are fanned out in memory by a snapshot of the application, written in batches, and handed to this
//! node's dispatcher once stored. When `accept` returns, the message and all of its deliveries are committed. If the caller
//! goes away before, what was queued is written and delivered all the same.

mod accept;
mod fan_out;
mod give_way;
mod settle;
mod writer;

use bytes::Bytes;
use http::HeaderMap;

use crate::domain::id::{EndpointId, MessageId};
use crate::domain::message::SharedMessage;

pub use crate::store::IdempotencyKey;
pub use accept::Ingest;
pub use writer::{Writers, WritersProgress};

/// A message as it was posted, validated.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// A name in the catalogue.
    pub event_type: String,
    /// The producer's own id for it, unique in the application.
    pub event_id: Option<String>,
    /// Free-form identifiers that endpoints can filter by; without commas.
    pub channels: Vec<String>,
    /// Free-form labels; without commas.
    pub tags: Vec<String>,
    /// The payload's text.
    pub payload: Bytes,
    /// Headers that are sent with it.
    pub headers: HeaderMap,
    /// For how many hours the payload is kept, if that is shorter than the message is.
    pub payload_hours: Option<u32>,
    /// For this endpoint alone, whatever it listens to; `None` for all that want it.
    pub only: Option<EndpointId>,
    /// The producer's idempotency key, hashed in its scope.
    pub idempotency: Option<IdempotencyKey>,
}

/// What became of a post.
#[derive(Debug, Clone)]
pub enum Accepted {
    /// It is stored, now.
    Stored(SharedMessage),
    /// The same request was stored before, under the same idempotency key, as this message.
    Repeated(MessageId),
}

/// Why a message was not accepted. Nothing of it is stored, but after `Unavailable` it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// No such application in the environment.
    #[error("no such application")]
    UnknownApplication,
    /// Its `eventId` was posted before.
    #[error("this eventId was posted before")]
    EventIdTaken,
    /// Its idempotency key was used before, for something else.
    #[error("this idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The database refuses a value of it, such as a character that it cannot keep.
    #[error("the database cannot keep a value of this message")]
    ValueRefused,
    /// More is being posted than can be written.
    #[error("more is being posted than can be written; try again")]
    Overloaded,
    /// The database cannot be reached.
    #[error("the database is unavailable; try again")]
    Unavailable,
}
