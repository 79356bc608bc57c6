//! One sign-in, between the redirect to the provider and the way back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::access::opaque_token::OpaqueToken;

/// What the browser that began keeps, and nobody else knows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Comes back in the URL: whoever comes back is the one who began.
    pub state: String,
    /// Comes back in the ID token: it was made for this flow.
    pub nonce: String,
    /// Shown with the code: whoever redeems it is the one who asked for it.
    pub verifier: String,
}

impl Flow {
    /// A new one.
    pub fn generate() -> Self {
        let random = || OpaqueToken::generate().reveal().to_owned();
        Self { state: random(), nonce: random(), verifier: random() }
    }

    /// What the provider holds the verifier against: S256 (RFC 7636, section 4.2).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standards_example() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let flow = Flow { verifier, ..Flow::generate() };
        assert_eq!(flow.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn each_flow_has_secrets_of_its_own() {
        let (one, other) = (Flow::generate(), Flow::generate());
        assert!(one.state != other.state && one.nonce != other.nonce && one.verifier != other.verifier);
        assert!(one.state != one.nonce && one.nonce != one.verifier);
    }
}
