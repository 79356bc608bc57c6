//! Secrets at rest: XChaCha20-Poly1305 under the main secret. What is sealed is bound to where it stands (`place`), so that
//! a row copied to another endpoint does not open.
//!
//! Its form is the nonce, then what was encrypted. The nonce begins with the id of the key, so that it is known which main
//! secret opens it; its other 128 bits are random. What an earlier version sealed has a nonce of random bytes, and is
//! opened by trying each key.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::domain::chance;
use crate::domain::main_secret::{KeyId, MainSecrets};
use crate::store::StoreError;

const NONCE_BYTES: usize = 24;

/// Seals and opens secrets with the main secrets. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    secrets: MainSecrets,
    /// In the order of the secrets.
    ciphers: Vec<(KeyId, XChaCha20Poly1305)>,
}

impl Sealer {
    /// A sealer whose keys are derived from the operator's main secrets.
    pub fn new(secrets: &MainSecrets) -> Self {
        let keys = secrets.derive(b"postrider seal 1\0");
        let ciphers = keys.iter().map(|key| XChaCha20Poly1305::new(&(*key).into()));
        Self { ciphers: secrets.ids().into_iter().zip(ciphers).collect(), secrets: secrets.clone() }
    }

    /// The main secrets that it has.
    pub(in crate::store) fn secrets(&self) -> &MainSecrets {
        &self.secrets
    }

    /// Seals `plain` for `place`, an id's bytes, with the key that is in use.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the cipher refuses, which only an absurd length makes it do.
    pub fn seal(&self, plain: &[u8], place: &[u8]) -> Result<Vec<u8>, StoreError> {
        let wrong = || StoreError::Inconsistent("a secret could not be sealed".to_owned());
        let (id, cipher) = self.ciphers.get(self.secrets.current()).ok_or_else(wrong)?;
        let mut nonce: [u8; NONCE_BYTES] = chance::bytes();
        nonce.iter_mut().zip(id.bytes()).for_each(|(byte, id)| *byte = *id);
        let sealed =
            cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place }).map_err(|_| wrong())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Sealer::seal`] made for the same place, with whichever key it was.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the main secret is another one, or the bytes were changed.
    pub fn open(&self, sealed: &[u8], place: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.open_with_any(sealed, place).map(|(plain, _)| plain).ok_or_else(|| {
            StoreError::Inconsistent("a secret does not open with this main secret".to_owned())
        })
    }

    /// What was sealed, and the key that opens it.
    pub(in crate::store) fn open_with_any(&self, sealed: &[u8], place: &[u8]) -> Option<(Vec<u8>, KeyId)> {
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let named = |id: &KeyId| nonce.starts_with(id.bytes());
        let tried = self.ciphers.iter().filter(|(id, _)| named(id));
        let tried = tried.chain(self.ciphers.iter().filter(|(id, _)| !named(id)));
        let mut opened = tried.filter_map(|(id, cipher)| {
            let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: place });
            Some((plain.ok()?, *id))
        });
        opened.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(main: &[u8], previous: Option<&[u8]>) -> Sealer {
        Sealer::new(&MainSecrets::new(main, previous))
    }

    /// As a version before key ids sealed.
    fn sealed_without_id(main: &[u8], plain: &[u8], place: &[u8]) -> Vec<u8> {
        let nonce = [7; NONCE_BYTES];
        let key = MainSecrets::new(main, None).derive(b"postrider seal 1\0")[0];
        let cipher = XChaCha20Poly1305::new(&key.into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place }).unwrap();
        [nonce.as_slice(), &sealed].concat()
    }

    #[test]
    fn sealed_opens_only_in_its_place_with_its_secret() {
        let one = sealer(b"one", None);
        let sealed = one.seal(b"whsec_x", b"ep").unwrap();
        assert_eq!(one.open(&sealed, b"ep").unwrap(), b"whsec_x");
        assert!(one.open(&sealed, b"other").is_err());
        assert!(sealer(b"two", None).open(&sealed, b"ep").is_err());
        assert!(one.open(&sealed[..10], b"ep").is_err());
    }

    #[test]
    fn what_is_sealed_begins_with_the_id_of_its_key_and_is_never_the_same() {
        let one = sealer(b"one", None);
        let [first, second] = [0, 1].map(|_| one.seal(b"whsec_x", b"ep").unwrap());
        assert!(first.starts_with(KeyId::of(b"one").bytes()));
        assert_ne!(first, second);
    }

    #[test]
    fn what_was_sealed_without_an_id_goes_on_being_readable() {
        let old = sealed_without_id(b"one", b"whsec_x", b"ep");
        assert_eq!(sealer(b"one", None).open(&old, b"ep").unwrap(), b"whsec_x");
        let (plain, id) = sealer(b"two", Some(b"one")).open_with_any(&old, b"ep").unwrap();
        assert_eq!((plain.as_slice(), id), (b"whsec_x".as_slice(), KeyId::of(b"one")));
    }

    #[test]
    fn both_secrets_open_and_the_one_in_use_seals() {
        let both = sealer(b"new", Some(b"old"));
        let old = sealer(b"old", None).seal(b"x", b"ep").unwrap();
        let new = sealer(b"new", None).seal(b"x", b"ep").unwrap();
        assert_eq!(both.open(&old, b"ep").unwrap(), both.open(&new, b"ep").unwrap());
        assert!(both.secrets().switch_to(KeyId::of(b"old")));
        assert!(both.seal(b"x", b"ep").unwrap().starts_with(KeyId::of(b"old").bytes()));
        assert!(both.secrets().switch_to(KeyId::of(b"new")));
        assert!(both.seal(b"x", b"ep").unwrap().starts_with(KeyId::of(b"new").bytes()));
    }
}
