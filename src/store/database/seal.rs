//! Secrets at rest: XChaCha20-Poly1305 under the main secret, with a random nonce in front. What is sealed is
//! bound to where it stands (`place`), so that a row copied to another endpoint does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::domain::chance;
use crate::store::StoreError;

const NONCE_BYTES: usize = 24;

/// Seals and opens secrets with the main secret.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    /// A sealer whose key is derived from the operator's main secret.
    pub fn new(main_secret: &[u8]) -> Self {
        let key = Sha256::new().chain_update(b"postrider seal 1\0").chain_update(main_secret).finalize();
        Self { cipher: XChaCha20Poly1305::new(&key) }
    }

    /// Seals `plain` for `place`, an id's bytes.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the cipher refuses, which only an absurd length makes it do.
    pub fn seal(&self, plain: &[u8], place: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE_BYTES] = chance::bytes();
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place })
            .map_err(|_| StoreError::Inconsistent("a secret could not be sealed".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Sealer::seal`] made for the same place.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the main secret is another one, or the bytes were changed.
    pub fn open(&self, sealed: &[u8], place: &[u8]) -> Result<Vec<u8>, StoreError> {
        let wrong = || StoreError::Inconsistent("a secret does not open with this main secret".to_owned());
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place }).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_opens_only_in_its_place_with_its_secret() {
        let sealer = Sealer::new(b"one");
        let sealed = sealer.seal(b"whsec_x", b"ep").unwrap();
        assert_eq!(sealer.open(&sealed, b"ep").unwrap(), b"whsec_x");
        assert!(sealer.open(&sealed, b"other").is_err());
        assert!(Sealer::new(b"two").open(&sealed, b"ep").is_err());
        assert!(sealer.open(&sealed[..10], b"ep").is_err());
    }
}
