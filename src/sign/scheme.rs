//! The two schemes: `v1` is HMAC-SHA256, `v1a` is ed25519. Both take the signed text in pieces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::ed25519::signature::{MultipartSigner, MultipartVerifier};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::domain::endpoint::secret::KeyMaterial;

/// The version in front of an HMAC-SHA256 signature.
pub(super) const HMAC: &str = "v1";
/// The version in front of an ed25519 signature.
pub(super) const ED25519: &str = "v1a";

/// One entry of the signature list, version and all.
pub(super) fn entry(key: &KeyMaterial, text: &[&[u8]]) -> String {
    match key {
        KeyMaterial::Hmac(key) => format!("{HMAC},{}", STANDARD.encode(hmac(key, text))),
        KeyMaterial::Ed25519(seed) => {
            let signature: Signature = SigningKey::from_bytes(seed).multipart_sign(text);
            format!("{ED25519},{}", STANDARD.encode(signature.to_bytes()))
        }
    }
}

/// Whether `signature` is this HMAC key's for the text. Takes the same time whatever differs.
pub(super) fn hmac_matches(key: &[u8], text: &[&[u8]], signature: &[u8]) -> bool {
    hmac(key, text).as_slice().ct_eq(signature).into()
}

/// Whether `signature` is this public key's for the text.
pub(super) fn ed25519_matches(key: &VerifyingKey, text: &[&[u8]], signature: &[u8]) -> bool {
    Signature::from_slice(signature).is_ok_and(|signature| key.multipart_verify(text, &signature).is_ok())
}

fn hmac(key: &[u8], text: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of every length; the `else` cannot be reached.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for piece in text {
        mac.update(piece);
    }
    mac.finalize().into_bytes().into()
}
