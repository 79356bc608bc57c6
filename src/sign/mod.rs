//! Signatures of Standard Webhooks 1.0: making them for what we send, checking them for what was received.
//!
//! The signed text is `{webhook-id}.{webhook-timestamp}.{body}`. It is never put together in memory: the payload is
//! fed to the key as it stands.

pub mod explain;
mod reprinted;
mod scheme;
pub mod verify;

use chrono::{DateTime, Utc};
use http::HeaderValue;

use crate::domain::endpoint::secret::SigningKey;
use crate::domain::id::MessageId;

/// The header that carries the message's id.
pub const ID_HEADER: &str = "webhook-id";
/// The header that carries the attempt's time, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header that carries the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// Why a message could not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Every key of the endpoint has expired, or there is none.
    #[error("the endpoint has no live signing key")]
    NoLiveKey,
}

/// The three headers of Standard Webhooks for one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// `webhook-id`: the same on every attempt and replay.
    pub id: HeaderValue,
    /// `webhook-timestamp`: seconds since 1970, of this attempt.
    pub timestamp: HeaderValue,
    /// `webhook-signature`: one entry for each live key, separated by spaces.
    pub signature: HeaderValue,
}

/// Signs `payload` with every key that is live at `now`, in the order of `keys`.
///
/// # Errors
/// [`SignError::NoLiveKey`] when none is.
pub fn sign(
    keys: &[SigningKey],
    id: MessageId,
    payload: &[u8],
    now: DateTime<Utc>,
) -> Result<SignatureHeaders, SignError> {
    sign_under(keys, &id.to_string(), payload, now)
}

/// The same under any id that a header can carry, for requests that are of no message.
///
/// # Errors
/// As [`sign`].
pub fn sign_under(
    keys: &[SigningKey],
    id: &str,
    payload: &[u8],
    now: DateTime<Utc>,
) -> Result<SignatureHeaders, SignError> {
    let timestamp = now.timestamp().to_string();
    let entries: Vec<String> = keys
        .iter()
        .filter(|key| key.expires_at.is_none_or(|end| now < end))
        .map(|key| scheme::entry(&key.material, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", payload]))
        .collect();
    if entries.is_empty() {
        return Err(SignError::NoLiveKey);
    }
    // Ids, digits and base64 are header text, so none of these conversions fails.
    let header = |text: &str| HeaderValue::from_str(text).map_err(|_| SignError::NoLiveKey);
    Ok(SignatureHeaders {
        id: header(id)?,
        timestamp: header(&timestamp)?,
        signature: header(&entries.join(" "))?,
    })
}

#[cfg(test)]
mod tests;
