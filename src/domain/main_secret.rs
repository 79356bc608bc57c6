//! The main secrets of an installation: the one that it has, and while it moves to another one, the one before. A secret
//! is told by its key id, which says nothing of it and stands with whatever it sealed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

const KEY_ID_BYTES: usize = 8;

/// Tells main secrets apart without showing them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl KeyId {
    /// The id of the key that a main secret stands for.
    #[must_use]
    pub fn of(main_secret: &[u8]) -> Self {
        let hash = derived(b"postrider seal key id 1\0", main_secret);
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        Self(id)
    }

    /// As it is stored.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; KEY_ID_BYTES] {
        &self.0
    }

    /// One that was stored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The main secrets that a process has, and which of them is in use. Cheap to clone; clones share what is in use.
#[derive(Clone)]
pub struct MainSecrets(Arc<Inner>);

struct Inner {
    /// The main secret first.
    secrets: Vec<Secret>,
    /// The place of the one in use.
    current: AtomicUsize,
}

struct Secret {
    id: KeyId,
    bytes: Vec<u8>,
}

impl MainSecrets {
    /// The main secret, and the one before it, if the installation moves from that.
    #[must_use]
    pub fn new(main: &[u8], previous: Option<&[u8]>) -> Self {
        let secrets = std::iter::once(main).chain(previous.filter(|previous| *previous != main));
        let secrets =
            secrets.map(|secret| Secret { id: KeyId::of(secret), bytes: secret.to_vec() }).collect();
        Self(Arc::new(Inner { secrets, current: AtomicUsize::new(0) }))
    }

    /// The ids of all of them, the main secret's first.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.0.secrets.iter().map(|secret| secret.id).collect()
    }

    /// For each of them, in the order of [`MainSecrets::ids`], a key for that purpose.
    #[must_use]
    pub fn derive(&self, purpose: &[u8]) -> Vec<[u8; 32]> {
        self.0.secrets.iter().map(|secret| derived(purpose, &secret.bytes)).collect()
    }

    /// The place of the one in use, in the order of [`MainSecrets::ids`].
    #[must_use]
    pub fn current(&self) -> usize {
        self.0.current.load(Ordering::Acquire)
    }

    /// Puts one of them in use. False when it is none of them.
    #[must_use]
    pub fn switch_to(&self, id: KeyId) -> bool {
        let place = self.0.secrets.iter().position(|secret| secret.id == id);
        if let Some(place) = place {
            self.0.current.store(place, Ordering::Release);
        }
        place.is_some()
    }
}

impl fmt::Debug for MainSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MainSecrets").field(&self.ids()).finish()
    }
}

fn derived(purpose: &[u8], main_secret: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update(main_secret).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_by_its_id_and_never_shown() {
        let secrets = MainSecrets::new(b"the new one", Some(b"the old one"));
        assert_eq!(secrets.ids(), [KeyId::of(b"the new one"), KeyId::of(b"the old one")]);
        assert_eq!(secrets.ids()[0].to_string().len(), 16);
        assert_eq!(KeyId::from_bytes(secrets.ids()[1].bytes()), Some(secrets.ids()[1]));
        assert_eq!(KeyId::from_bytes(b"short"), None);
        assert!(!format!("{secrets:?}").contains("one"));
        assert_eq!(MainSecrets::new(b"same", Some(b"same")).ids().len(), 1);
    }

    #[test]
    fn the_one_in_use_is_shared_and_can_only_be_one_of_them() {
        let secrets = MainSecrets::new(b"new", Some(b"old"));
        assert_eq!(secrets.current(), 0, "the main secret, until something else is known");
        assert!(secrets.clone().switch_to(KeyId::of(b"old")));
        assert_eq!(secrets.current(), 1);
        assert!(!secrets.switch_to(KeyId::of(b"another")));
        assert_eq!(secrets.current(), 1);
        assert_ne!(secrets.derive(b"a")[0], secrets.derive(b"b")[0]);
        assert_ne!(secrets.derive(b"a")[0], secrets.derive(b"a")[1]);
    }
}
