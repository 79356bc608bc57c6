//! A message: one accepted event.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::id::{ApplicationId, MessageId};

/// One accepted event, as dispatch carries it. Cheap to share between the deliveries of a fan-out.
#[derive(Debug)]
pub struct Message {
    /// Its id, which receivers see as `webhook-id`.
    pub id: MessageId,
    /// The application that it was posted to.
    pub application_id: ApplicationId,
    /// A name in the catalogue, `invoice.paid`.
    pub event_type: String,
    /// The producer's own id for it.
    pub event_id: Option<String>,
    /// Free-form identifiers that endpoints can filter by.
    pub channels: Vec<String>,
    /// Free-form labels that lists can filter by.
    pub tags: Vec<String>,
    /// The payload's text, byte for byte as it was posted; a JSON object, unless the producer said otherwise.
    pub payload: Bytes,
    /// Headers that are sent with it, besides those of the endpoint: see [`message_headers`](super::message_headers).
    pub headers: HeaderMap,
}

/// A message that several deliveries share.
pub type SharedMessage = Arc<Message>;
