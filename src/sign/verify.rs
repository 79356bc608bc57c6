//! Checking a signature, as a receiver does: for `postrider verify` and for our own tests. Errors say what is wrong,
//! because the reader is a person who is setting up a receiver.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::VerifyingKey;
use http::HeaderMap;

use crate::domain::endpoint::secret;
use crate::domain::endpoint::secret::{InvalidSecret, KeyMaterial, SigningSecret};

use super::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, scheme};

/// How far a timestamp may lie from now, unless told otherwise.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Why a signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// What was given as the secret is none.
    #[error("the secret is not usable: {0}")]
    Secret(#[from] InvalidSecret),
    /// What was given as `whpk_` is not an ed25519 public key.
    #[error("the whpk_ key is not an ed25519 public key")]
    PublicKey,
    /// One of the three headers is absent or empty.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// The timestamp is not a number of seconds.
    #[error("the header webhook-timestamp is not a number of seconds: {0:?}")]
    MalformedTimestamp(String),
    /// An entry of the list is not `version,base64`.
    #[error(
        "the header webhook-signature is malformed at entry {0}: each entry is a version, a comma and base64"
    )]
    MalformedSignature(usize),
    /// The list is well formed, but was made by keys of the other kind.
    #[error("the header webhook-signature has no {0} entry, which is what this kind of secret checks")]
    NoEntryOfThisKind(&'static str),
    /// None of the signatures is this key's for this id, timestamp and body.
    #[error(
        "no signature matches: the secret is another one, or the body, the id or the timestamp was changed"
    )]
    NoMatch,
    /// The signature is right, but was made too long ago.
    #[error("the signature matches but is too old: it was made {0} seconds before now")]
    TooOld(i64),
    /// The signature is right, but claims to be made later than now.
    #[error("the signature matches but is too new: it was made {0} seconds after now")]
    TooNew(i64),
}

/// Checks the three headers of `headers`; see [`verify`].
///
/// # Errors
/// [`VerifyError`] says what is wrong.
pub fn verify_headers(
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
    tolerance: Option<TimeDelta>,
) -> Result<(), VerifyError> {
    let header = |name: &'static str| {
        headers.get(name).and_then(|value| value.to_str().ok()).ok_or(VerifyError::MissingHeader(name))
    };
    let (id, timestamp, signature) =
        (header(ID_HEADER)?, header(TIMESTAMP_HEADER)?, header(SIGNATURE_HEADER)?);
    verify(secret, id, timestamp, signature, body, now, tolerance)
}

/// Checks that one entry of `signature` was made with `secret` over this id, timestamp and body. The secret is
/// `whsec_…` for HMAC, `whsk_…` or `whpk_…` for ed25519. Without a tolerance the timestamp may lie anywhere.
///
/// # Errors
/// [`VerifyError`] says what is wrong.
pub fn verify(
    secret: &str,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
    tolerance: Option<TimeDelta>,
) -> Result<(), VerifyError> {
    for (value, name) in [(id, ID_HEADER), (timestamp, TIMESTAMP_HEADER), (signature, SIGNATURE_HEADER)] {
        if value.trim().is_empty() {
            return Err(VerifyError::MissingHeader(name));
        }
    }
    let made_at: i64 = timestamp
        .parse()
        .map_err(|_| VerifyError::MalformedTimestamp(timestamp.chars().take(64).collect()))?;
    let checker = Checker::from_secret(secret)?;
    let entries = parse_list(signature)?;
    let wanted = checker.version();
    let mut candidates = entries.iter().filter(|(version, _)| *version == wanted).peekable();
    if candidates.peek().is_none() {
        return Err(VerifyError::NoEntryOfThisKind(wanted));
    }
    let text = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    if !candidates.any(|(_, signature)| checker.matches(&text, signature)) {
        return Err(VerifyError::NoMatch);
    }
    check_age(now.timestamp().saturating_sub(made_at), tolerance)
}

fn check_age(age: i64, tolerance: Option<TimeDelta>) -> Result<(), VerifyError> {
    let Some(tolerance) = tolerance else { return Ok(()) };
    if age > tolerance.num_seconds() {
        Err(VerifyError::TooOld(age))
    } else if age < -tolerance.num_seconds() {
        Err(VerifyError::TooNew(age.saturating_neg()))
    } else {
        Ok(())
    }
}

/// The entries of a signature list, decoded. Versions that we do not know stay in it, undisturbed.
fn parse_list(list: &str) -> Result<Vec<(&str, Vec<u8>)>, VerifyError> {
    list.split_ascii_whitespace()
        .enumerate()
        .map(|(place, entry)| {
            let (version, encoded) =
                entry.split_once(',').ok_or(VerifyError::MalformedSignature(place + 1))?;
            match STANDARD.decode(encoded) {
                Ok(signature) if !signature.is_empty() => Ok((version, signature)),
                // How other versions encode theirs is not ours to judge.
                _ if ![scheme::HMAC, scheme::ED25519].contains(&version) => Ok((version, Vec::new())),
                _ => Err(VerifyError::MalformedSignature(place + 1)),
            }
        })
        .collect()
}

/// What a secret checks with.
enum Checker {
    Hmac(Vec<u8>),
    Ed25519(VerifyingKey),
}

impl Checker {
    fn from_secret(text: &str) -> Result<Self, VerifyError> {
        if text.starts_with("whpk_") {
            let bytes = secret::parse_public(text).ok_or(VerifyError::PublicKey)?;
            return VerifyingKey::from_bytes(&bytes).map(Self::Ed25519).map_err(|_| VerifyError::PublicKey);
        }
        Ok(match SigningSecret::parse(text)?.key() {
            KeyMaterial::Hmac(key) => Self::Hmac(key),
            KeyMaterial::Ed25519(seed) => {
                Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key())
            }
        })
    }

    const fn version(&self) -> &'static str {
        match self {
            Self::Hmac(_) => scheme::HMAC,
            Self::Ed25519(_) => scheme::ED25519,
        }
    }

    fn matches(&self, text: &[&[u8]], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => scheme::hmac_matches(key, text, signature),
            Self::Ed25519(key) => scheme::ed25519_matches(key, text, signature),
        }
    }
}
