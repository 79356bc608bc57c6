//! API keys: `pr_` and 256 random bits. The key itself is shown once, to the one who asked for it; everything else
//! works with its hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::chance;

/// What every key begins with.
const PREFIX: &str = "pr_";
/// The characters of a key that may be shown later.
const HINT_CHARACTERS: usize = 4;

/// The SHA-256 of a key.
pub type KeyHash = [u8; 32];

/// A key. It is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A new key.
    pub fn generate() -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(chance::bytes::<32>())))
    }

    /// The key that a caller presents, if the text looks like one at all.
    pub fn parse(text: &str) -> Option<Self> {
        let bits = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (bits.len() == 32).then(|| Self(text.to_owned()))
    }

    /// Whether a bearer token looks like a key.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// What is kept of it.
    pub fn hash(&self) -> KeyHash {
        Sha256::digest(&self.0).into()
    }

    /// Its last characters, for people to tell one from another.
    pub fn hint(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(HINT_CHARACTERS)..).unwrap_or_default()
    }

    /// The key, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey(…{})", self.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_made() {
        let key = ApiKey::generate();
        assert_eq!(key.reveal().len(), 46);
        assert_eq!(ApiKey::parse(key.reveal()), Some(key.clone()));
        assert_ne!(ApiKey::generate().hash(), key.hash());
        assert!(key.reveal().ends_with(key.hint()));
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        let key = ApiKey::generate();
        let short = &key.reveal()[..45];
        let long = format!("{}A", key.reveal());
        for text in ["", "pr_", short, &long, &key.reveal().replace("pr_", "pk_"), "pr_ü"] {
            assert_eq!(ApiKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_not_logged() {
        let key = ApiKey::generate();
        assert!(!format!("{key:?}").contains(&key.reveal()[3..20]));
    }
}
