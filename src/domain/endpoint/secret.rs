//! Signing secrets as Standard Webhooks writes them: `whsec_…` for HMAC-SHA256, `whsk_…`/`whpk_…` for ed25519.
//! Base64 is the standard alphabet with padding. No type here shows a key by `Debug`.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use crate::domain::chance;

/// In front of an HMAC key.
const HMAC_PREFIX: &str = "whsec_";
/// In front of an ed25519 private key.
const PRIVATE_PREFIX: &str = "whsk_";
/// In front of an ed25519 public key.
const PUBLIC_PREFIX: &str = "whpk_";
/// How long an HMAC key may be.
const HMAC_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// No rotated secret signs along for longer.
pub const MAX_GRACE_SECONDS: u32 = 7 * 24 * 60 * 60;
/// How long a generated HMAC key is.
const GENERATED_BYTES: usize = 32;

/// So many characters after the prefix.
const HINT_CHARACTERS: usize = 4;

/// A key that signs.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// HMAC-SHA256; 24 to 64 bytes.
    Hmac(Vec<u8>),
    /// ed25519: the 32-byte seed.
    Ed25519([u8; 32]),
}

impl KeyMaterial {
    /// What it takes in memory beyond itself, in bytes.
    pub fn weight(&self) -> usize {
        match self {
            Self::Hmac(key) => key.capacity(),
            Self::Ed25519(_) => 0,
        }
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Hmac(…)",
            Self::Ed25519(_) => "Ed25519(…)",
        })
    }
}

/// A live key of an endpoint.
#[derive(Clone)]
pub struct SigningKey {
    /// The key itself.
    pub material: KeyMaterial,
    /// When a rotated key stops to sign along; `None` for the current one.
    pub expires_at: Option<DateTime<Utc>>,
}

impl SigningKey {
    /// The beginning of its text, for people to tell one from another: too little to be of use to anybody else.
    pub fn hint(&self) -> String {
        let secret = SigningSecret(self.material.clone());
        let text = secret.public_text().unwrap_or_else(|| secret.to_text());
        let prefix = text.find('_').map_or(0, |end| end + 1);
        text.chars().take(prefix + HINT_CHARACTERS).collect()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// A text that is not a signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Neither of the prefixes, and not plain base64 either; or what follows the prefix is not base64.
    #[error("a signing secret is whsec_ or whsk_ and then base64 with padding")]
    Malformed,
    /// An HMAC key of another length.
    #[error("a whsec_ secret holds 24 to 64 bytes")]
    HmacLength,
    /// An ed25519 key of another length.
    #[error("a whsk_ secret holds 32 bytes (the seed) or 64 (the seed and its public key)")]
    Ed25519Length,
    /// The second half of a 64-byte key is not the public key of the first.
    #[error("the public half of the whsk_ secret does not belong to its private half")]
    Ed25519Mismatch,
    /// Only the public key, which cannot sign.
    #[error("a whpk_ key is the public half: it verifies, it cannot sign")]
    Public,
}

/// A signing secret: what an endpoint's owner sees, and what signs.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(KeyMaterial);

impl SigningSecret {
    /// A new HMAC-SHA256 secret of 32 random bytes.
    pub fn generate() -> Self {
        Self(KeyMaterial::Hmac(chance::bytes::<GENERATED_BYTES>().to_vec()))
    }

    /// A new ed25519 secret.
    pub fn generate_ed25519() -> Self {
        Self(KeyMaterial::Ed25519(chance::bytes()))
    }

    /// Reads `whsec_…`, `whsk_…`, or the base64 of an HMAC key without a prefix.
    ///
    /// # Errors
    /// [`InvalidSecret`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        if text.starts_with(PUBLIC_PREFIX) {
            return Err(InvalidSecret::Public);
        }
        if let Some(encoded) = text.strip_prefix(PRIVATE_PREFIX) {
            return Ok(Self(KeyMaterial::Ed25519(parse_ed25519(&decode(encoded)?)?)));
        }
        let key = decode(text.strip_prefix(HMAC_PREFIX).unwrap_or(text))?;
        if HMAC_BYTES.contains(&key.len()) {
            Ok(Self(KeyMaterial::Hmac(key)))
        } else {
            Err(InvalidSecret::HmacLength)
        }
    }

    /// The secret as its owner sees it, with its prefix. An ed25519 secret is written as the 64 bytes of seed and
    /// public key, which is what other implementations read.
    pub fn to_text(&self) -> String {
        match &self.0 {
            KeyMaterial::Hmac(key) => format!("{HMAC_PREFIX}{}", STANDARD.encode(key)),
            KeyMaterial::Ed25519(seed) => {
                let pair = ed25519_dalek::SigningKey::from_bytes(seed).to_keypair_bytes();
                format!("{PRIVATE_PREFIX}{}", STANDARD.encode(pair))
            }
        }
    }

    /// The public key that verifies (`whpk_…`); `None` for HMAC, which has none.
    pub fn public_text(&self) -> Option<String> {
        match &self.0 {
            KeyMaterial::Hmac(_) => None,
            KeyMaterial::Ed25519(seed) => {
                let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
                Some(format!("{PUBLIC_PREFIX}{}", STANDARD.encode(public.as_bytes())))
            }
        }
    }

    /// The key that signs.
    pub fn key(&self) -> KeyMaterial {
        self.0.clone()
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningSecret").field(&self.0).finish()
    }
}

impl FromStr for SigningSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        Self::parse(text)
    }
}

/// The bytes of a public key (`whpk_…`); `None` when the text is not one.
pub fn parse_public(text: &str) -> Option<[u8; 32]> {
    let encoded = text.strip_prefix(PUBLIC_PREFIX)?;
    STANDARD.decode(encoded).ok()?.try_into().ok()
}

fn decode(encoded: &str) -> Result<Vec<u8>, InvalidSecret> {
    STANDARD.decode(encoded).map_err(|_| InvalidSecret::Malformed)
}

fn parse_ed25519(bytes: &[u8]) -> Result<[u8; 32], InvalidSecret> {
    if let Ok(seed) = <[u8; 32]>::try_from(bytes) {
        return Ok(seed);
    }
    let pair = <&[u8; 64]>::try_from(bytes).map_err(|_| InvalidSecret::Ed25519Length)?;
    ed25519_dalek::SigningKey::from_keypair_bytes(pair)
        .map(|key| key.to_bytes())
        .map_err(|_| InvalidSecret::Ed25519Mismatch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRIVATE: &str =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

    #[test]
    fn generated_secrets_differ_and_survive_their_text() {
        for make in [SigningSecret::generate, SigningSecret::generate_ed25519] {
            let secret = make();
            assert_eq!(SigningSecret::parse(&secret.to_text()), Ok(secret.clone()));
            assert_ne!(secret, make());
        }
        assert_eq!(SigningSecret::generate().to_text().len(), "whsec_".len() + 44);
    }

    #[test]
    fn an_hmac_key_may_come_without_its_prefix() {
        let bare = SigningSecret::parse("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        assert_eq!(bare.to_text(), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        assert_eq!(bare.public_text(), None);
    }

    #[test]
    fn an_ed25519_key_is_read_as_seed_and_as_pair() {
        let pair = SigningSecret::parse(PRIVATE).unwrap();
        let seed = SigningSecret::parse("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=").unwrap();
        assert_eq!(pair, seed);
        assert_eq!(seed.to_text(), PRIVATE);
        assert_eq!(seed.public_text().as_deref(), Some(PUBLIC));
        assert!(parse_public(PUBLIC).is_some());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, error) in [
            ("", InvalidSecret::HmacLength),
            ("whsec_%", InvalidSecret::Malformed),
            ("hwsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", InvalidSecret::Malformed),
            ("whsec_d3Jvbmc=", InvalidSecret::HmacLength),
            ("whsk_d3Jvbmc=", InvalidSecret::Ed25519Length),
            (PUBLIC, InvalidSecret::Public),
            (
                "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlaaaaaaaaaaAJ6p9lMicMFs6Kvg==",
                InvalidSecret::Ed25519Mismatch,
            ),
        ] {
            assert_eq!(SigningSecret::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_hint_is_the_beginning_of_what_verifies() {
        for (text, hint) in [(PRIVATE, "whpk_1SiA"), ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_C2FV")]
        {
            let key = SigningKey { material: SigningSecret::parse(text).unwrap().key(), expires_at: None };
            assert_eq!(key.hint(), hint);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        for text in [PRIVATE, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"] {
            let secret = SigningSecret::parse(text).unwrap();
            let key = SigningKey { material: secret.key(), expires_at: None };
            let shown = format!("{secret:?} {key:?} {:?}", secret.key());
            assert!(!shown.contains('[') && !shown.contains(&text[6..]), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn every_length_is_accepted_exactly_within_the_bounds(key in proptest::collection::vec(any::<u8>(), 0..80)) {
            let text = format!("whsec_{}", STANDARD.encode(&key));
            let parsed = SigningSecret::parse(&text);
            if (24..=64).contains(&key.len()) {
                let secret = parsed.unwrap();
                prop_assert_eq!(secret.to_text(), text);
                prop_assert_eq!(secret.key(), KeyMaterial::Hmac(key));
            } else {
                prop_assert_eq!(parsed, Err(InvalidSecret::HmacLength));
            }
        }
    }
}
