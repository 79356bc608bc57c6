//! The keys that a signature may have been made with: an endpoint's own, and what is made of their texts by mistake.
//! Another endpoint's are never among them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ed25519_dalek::VerifyingKey;

use crate::domain::endpoint::secret::{KeyMaterial, SigningKey};
use crate::sign::scheme;

use super::Verdict;

/// No more keys of an endpoint are looked at.
const MAX_KEYS: usize = 16;
const PREFIX: &str = "whsec_";

enum Material {
    Hmac(Vec<u8>),
    Ed25519(VerifyingKey),
}

/// A key in one of its forms.
pub(super) struct Key {
    /// Which of the endpoint's it is.
    pub(super) place: usize,
    /// What is wrong with using it.
    pub(super) verdict: Option<Verdict>,
    material: Material,
}

impl Key {
    /// The key of an HMAC.
    pub(super) fn hmac_key(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Hmac(bytes) => Some(bytes),
            Material::Ed25519(_) => None,
        }
    }

    /// Whether an ed25519 signature is this key's.
    pub(super) fn verifies(&self, text: &[&[u8]], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hmac(_) => false,
            Material::Ed25519(key) => scheme::ed25519_matches(key, text, signature),
        }
    }

    /// Whether it is the key itself, and not what somebody took for it.
    pub(super) fn is_decoded(&self) -> bool {
        !matches!(self.verdict, Some(Verdict::SecretNotDecoded | Verdict::PrefixNotRemoved))
    }
}

/// The keys of an endpoint in every form, as they should be first.
pub(super) fn variants(keys: &[SigningKey], now: DateTime<Utc>) -> Vec<Key> {
    let keys = || keys.iter().take(MAX_KEYS).enumerate();
    let right =
        keys().map(|(place, key)| Key { place, verdict: standing(key, now), material: material(key) });
    let mistaken = keys().flat_map(|(place, key)| {
        let taken = mistaken(key).into_iter();
        taken.map(move |(verdict, bytes)| Key {
            place,
            verdict: Some(verdict),
            material: Material::Hmac(bytes),
        })
    });
    right.chain(mistaken).collect()
}

fn standing(key: &SigningKey, now: DateTime<Utc>) -> Option<Verdict> {
    let end = key.expires_at?;
    Some(if now < end { Verdict::PreviousSecret } else { Verdict::ExpiredSecret })
}

fn material(key: &SigningKey) -> Material {
    match &key.material {
        KeyMaterial::Hmac(bytes) => Material::Hmac(bytes.clone()),
        KeyMaterial::Ed25519(seed) => {
            Material::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed).verifying_key())
        }
    }
}

fn mistaken(key: &SigningKey) -> Vec<(Verdict, Vec<u8>)> {
    let KeyMaterial::Hmac(bytes) = &key.material else { return Vec::new() };
    let text = STANDARD.encode(bytes);
    let whole = format!("{PREFIX}{text}");
    vec![
        // Decoders that know the URL-safe alphabet as well take the underscore for a letter; others leave it out.
        (Verdict::PrefixNotRemoved, decoded_leniently(&whole.replacen('_', "/", 1))),
        (Verdict::PrefixNotRemoved, decoded_leniently(&whole)),
        (Verdict::SecretNotDecoded, text.into_bytes()),
        (Verdict::SecretNotDecoded, whole.into_bytes()),
    ]
}

/// As decoders do that leave out what they do not know and do not mind what is left over.
fn decoded_leniently(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len()), 0u32, 0u32);
    for letter in text.bytes().take_while(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        held = (held << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap_or_default());
        }
    }
    bytes
}
