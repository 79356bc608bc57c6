//! A message: one accepted event.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::id::{ApplicationId, MessageId};

/// A message has at most this many headers of its own.
pub(super) const MAX_HEADERS: usize = 64;
/// Their names and values together have at most so many bytes: they are kept with the message as long as it waits.
pub(super) const MAX_HEADER_BYTES: usize = 4 * 1024;
/// What a header takes in memory besides its text, at the most.
const HEADER_OVERHEAD_BYTES: usize = 128;
/// What the headers of a message take in memory, at the most.
pub const MOST_HEADER_BYTES_IN_MEMORY: usize = MAX_HEADER_BYTES + MAX_HEADERS * HEADER_OVERHEAD_BYTES;

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

impl Message {
    /// What its payload and its headers take in memory, in bytes.
    pub fn content_bytes(&self) -> usize {
        self.payload.len() + if self.headers.is_empty() { 0 } else { MOST_HEADER_BYTES_IN_MEMORY }
    }
}

/// A message that several deliveries share.
pub type SharedMessage = Arc<Message>;

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn headers_count_with_all_that_they_may_take() {
        let mut message = Message {
            id: MessageId::generate(),
            application_id: ApplicationId::generate(),
            event_type: String::new(),
            event_id: None,
            channels: Vec::new(),
            tags: Vec::new(),
            payload: Bytes::from_static(b"12345"),
            headers: HeaderMap::new(),
        };
        assert_eq!(message.content_bytes(), 5);
        message.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert_eq!(message.content_bytes(), 5 + MOST_HEADER_BYTES_IN_MEMORY);
    }
}
