//! Signatures, verified as a customer would.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use http::HeaderMap;

/// Verifies with the public library; ed25519, which it does not know, with the bare primitive.
pub(super) fn verify(secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let Some(public) = secret.strip_prefix("whpk_") else {
        let webhook = standardwebhooks::Webhook::new(secret).map_err(|error| error.to_string())?;
        return webhook.verify(body, headers).map_err(|error| error.to_string());
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = STANDARD.decode(public).map_err(|error| error.to_string())?;
    let key = VerifyingKey::from_bytes(key.as_slice().try_into().map_err(|_| "not 32 bytes")?)
        .map_err(|error| error.to_string())?;
    let signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    let signed = [signed.as_bytes(), body].concat();
    let matches = header("webhook-signature")
        .split(' ')
        .filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1a,")?).ok())
        .filter_map(|bytes| Signature::from_slice(&bytes).ok())
        .any(|signature| key.verify_strict(&signed, &signature).is_ok());
    if matches { Ok(()) } else { Err("no ed25519 signature matches".to_owned()) }
}
