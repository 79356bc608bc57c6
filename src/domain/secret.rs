//! Signing secrets as Standard Webhooks writes them: `whsec_…` for HMAC-SHA256, `whsk_…`/`whpk_…` for ed25519.

use chrono::{DateTime, Utc};

/// A key that signs.
#[derive(Clone)]
pub enum KeyMaterial {
    /// HMAC-SHA256; 24 to 64 bytes.
    Hmac(Vec<u8>),
    /// ed25519: the 32-byte seed.
    Ed25519([u8; 32]),
}

/// A live key of an endpoint.
#[derive(Clone)]
pub struct SigningKey {
    /// The key itself.
    pub material: KeyMaterial,
    /// When a rotated key stops to sign along; `None` for the current one.
    pub expires_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
