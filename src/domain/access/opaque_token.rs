//! Opaque tokens: 256 random bits as 43 characters of base64url. A session's cookie and a link that signs in once are
//! such tokens. Only their SHA-256 is kept: with so many random bits nothing slower is needed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::chance;

/// The SHA-256 of a token.
pub type OpaqueTokenHash = [u8; 32];

/// A token. It is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueToken(String);

impl OpaqueToken {
    /// A new token.
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(chance::bytes::<32>()))
    }

    /// The token that somebody presents, if the text looks like one at all.
    pub fn parse(text: &str) -> Option<Self> {
        let bits = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bits.len() == 32).then(|| Self(text.to_owned()))
    }

    /// What is kept of it.
    pub fn hash(&self) -> OpaqueTokenHash {
        Sha256::digest(&self.0).into()
    }

    /// Another secret that follows from this one, for that purpose alone.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Self {
        let digest = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(&self.0).finalize();
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    /// The token itself, for the one whom it is made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_never_shown_by_the_way() {
        let token = OpaqueToken::generate();
        assert_eq!(token.reveal().len(), 43);
        assert_eq!(OpaqueToken::parse(token.reveal()), Some(token.clone()));
        assert_ne!(token, OpaqueToken::generate());
        assert!(!format!("{token:?}").contains(token.reveal()));
        for other in ["", "short", &"A".repeat(42), &"A".repeat(44), &format!("{}=", token.reveal())] {
            assert_eq!(OpaqueToken::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_derived_differs_by_token_and_by_purpose() {
        let token = OpaqueToken::generate();
        assert_eq!(token.derived("a"), token.derived("a"));
        assert_ne!(token.derived("a"), token.derived("b"));
        assert_ne!(token.derived("a"), OpaqueToken::generate().derived("a"));
        assert_ne!(token.derived("a").reveal(), token.reveal());
    }
}
