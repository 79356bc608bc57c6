//! Secrets as they are listed: by their first characters, without what is secret.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::SecretId;
use crate::store::LiveSecret;

/// So many characters are shown after the prefix.
const SHOWN_AFTER_PREFIX: usize = 4;

/// How a secret signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum SecretKind {
    /// With a key that the receiver has, too.
    HmacSha256,
    /// With a private key; the receiver has the public one.
    Ed25519,
}

/// A secret, without what is secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SecretOut {
    /// Its id.
    #[schema(value_type = String, example = "secret_01h455vb4pex5vsknk084sn02q")]
    id: SecretId,
    /// The prefix and the next four characters.
    #[schema(example = "whsec_C2FV")]
    hint: String,
    /// How it signs.
    kind: SecretKind,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when it signs along; `null` for the one that signs now.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
}

impl From<LiveSecret> for SecretOut {
    fn from(secret: LiveSecret) -> Self {
        let text = secret.secret.to_text();
        let shown = text.find('_').map_or(0, |at| at + 1) + SHOWN_AFTER_PREFIX;
        let is_asymmetric = secret.secret.public_text().is_some();
        Self {
            id: secret.id,
            hint: text.chars().take(shown).collect(),
            kind: if is_asymmetric { SecretKind::Ed25519 } else { SecretKind::HmacSha256 },
            created_at: secret.created_at,
            expires_at: secret.expires_at,
        }
    }
}
