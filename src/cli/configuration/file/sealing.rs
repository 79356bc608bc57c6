//! Secrets in a file, sealed with a passphrase: Argon2id makes a key of it (RFC 9106), AES-SIV seals (RFC 5297).
//!
//! AES-SIV takes no nonce: what did not change is the same text in the next export, so that the difference of two files
//! shows what changed. Whoever has two files sees by it which secrets are the same, and nothing more of them.

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use anyhow::{Context, anyhow, ensure};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::chance;

/// In front of what is sealed.
pub(in crate::cli::configuration) const SEALED: &str = "sealed:";
/// What the check seals.
const CHECK: &str = "postrider configuration 1";
/// The second recommendation of RFC 9106, section 4, on one thread.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// A file that asks for more was not written by this program.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 64;

/// What a file says of how its secrets are sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::cli::configuration) struct Sealing {
    /// How, for a version of the program that does it otherwise.
    method: Method,
    memory_kib: u32,
    passes: u32,
    /// 16 bytes in base64.
    salt: String,
    /// A known text, sealed: it tells a wrong passphrase before anything is done.
    check: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Method {
    #[serde(rename = "argon2id-aes-siv")]
    Argon2idAesSiv,
}

/// What a secret is for. It is sealed for that and opens for nothing else.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::configuration) enum Purpose<'a> {
    /// The text that tells a wrong passphrase.
    Check,
    /// An endpoint's signing secret.
    SigningSecret,
    /// The credentials in an endpoint's URL.
    UrlCredentials,
    /// Where an alert channel leads to.
    AlertTarget,
    /// The value of the header of that name.
    Header(&'a str),
}

impl Purpose<'_> {
    fn text(self) -> String {
        match self {
            Self::Check => "check".to_owned(),
            Self::SigningSecret => "secret".to_owned(),
            Self::UrlCredentials => "url".to_owned(),
            Self::AlertTarget => "alert target".to_owned(),
            Self::Header(name) => format!("header {}", name.to_ascii_lowercase()),
        }
    }
}

/// Seals and opens with the key of one passphrase and one salt.
pub(in crate::cli::configuration) struct Sealer {
    key: SecretKey,
    sealing: Sealing,
}

type SecretKey = secrecy::SecretBox<[u8; KEY_BYTES]>;

impl Sealer {
    /// For a new file.
    pub(in crate::cli::configuration) fn new(passphrase: &SecretString) -> anyhow::Result<Self> {
        let salt: [u8; SALT_BYTES] = chance::bytes();
        let mut sealing = Sealing {
            method: Method::Argon2idAesSiv,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: STANDARD.encode(salt),
            check: String::new(),
        };
        let key = derive(passphrase, &sealing)?;
        let mut sealer = Self { key, sealing: sealing.clone() };
        sealing.check = sealer.seal(Purpose::Check, CHECK)?;
        sealer.sealing = sealing;
        Ok(sealer)
    }

    /// For what is in a file already.
    ///
    /// # Errors
    /// When the passphrase is another one.
    pub(in crate::cli::configuration) fn of(
        sealing: &Sealing,
        passphrase: &SecretString,
    ) -> anyhow::Result<Self> {
        let sealer = Self { key: derive(passphrase, sealing)?, sealing: sealing.clone() };
        let check = sealer.open(Purpose::Check, &sealing.check);
        ensure!(
            check.is_ok_and(|text| text.expose_secret() == CHECK),
            "the passphrase is not the one that the file was sealed with; nothing was changed"
        );
        Ok(sealer)
    }

    /// What to write into the file.
    pub(in crate::cli::configuration) const fn sealing(&self) -> &Sealing {
        &self.sealing
    }

    /// The sealed text.
    pub(in crate::cli::configuration) fn seal(
        &self,
        purpose: Purpose<'_>,
        plain: &str,
    ) -> anyhow::Result<String> {
        let sealed = self.cipher().encrypt([purpose.text()], plain.as_bytes());
        let sealed = sealed.map_err(|_| anyhow!("a secret is too long to be sealed"))?;
        Ok(format!("{SEALED}{}", STANDARD.encode(sealed)))
    }

    /// What was sealed.
    pub(in crate::cli::configuration) fn open(
        &self,
        purpose: Purpose<'_>,
        text: &str,
    ) -> anyhow::Result<SecretString> {
        let damaged =
            || format!("what is sealed as its {} was changed, or moved from elsewhere", purpose.text());
        let sealed = text.strip_prefix(SEALED).and_then(|sealed| STANDARD.decode(sealed).ok());
        let sealed = sealed.with_context(damaged)?;
        let plain = self.cipher().decrypt([purpose.text()], &sealed).ok().with_context(damaged)?;
        Ok(String::from_utf8(plain).with_context(damaged)?.into())
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new(&(*self.key.expose_secret()).into())
    }
}

fn derive(passphrase: &SecretString, sealing: &Sealing) -> anyhow::Result<SecretKey> {
    let salt = STANDARD.decode(&sealing.salt).context("`sealing.salt` is not base64")?;
    ensure!(
        sealing.memory_kib <= MAX_MEMORY_KIB && sealing.passes <= MAX_PASSES,
        "`sealing` asks for more memory or passes than this program takes ({MAX_MEMORY_KIB} KiB, {MAX_PASSES})"
    );
    let wrong = |error| anyhow!("`sealing` is not valid: {error}");
    let params = Params::new(sealing.memory_kib, sealing.passes, 1, Some(KEY_BYTES)).map_err(wrong)?;
    let mut key = [0; KEY_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose_secret().as_bytes(), &salt, &mut key)
        .map_err(wrong)?;
    Ok(SecretKey::new(Box::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_and_for_its_purpose_alone() {
        let passphrase = SecretString::from("correct horse battery staple");
        let sealer = Sealer::new(&passphrase).unwrap();
        let sealed = sealer.seal(Purpose::Header("Authorization"), "Bearer x").unwrap();
        assert!(!sealed.contains("Bearer"));
        let again = Sealer::of(sealer.sealing(), &passphrase).unwrap();
        assert_eq!(
            again.seal(Purpose::Header("authorization"), "Bearer x").unwrap(),
            sealed,
            "the same text"
        );
        assert_eq!(
            again.open(Purpose::Header("AUTHORIZATION"), &sealed).unwrap().expose_secret(),
            "Bearer x"
        );
        for purpose in [Purpose::Header("x-api-key"), Purpose::SigningSecret, Purpose::UrlCredentials] {
            assert!(again.open(purpose, &sealed).is_err(), "{purpose:?}");
        }
        assert!(again.open(Purpose::SigningSecret, "sealed:AAAA").is_err());

        let wrong = Sealer::of(sealer.sealing(), &"another".into()).err().unwrap().to_string();
        assert!(wrong.contains("not the one"), "{wrong}");
        let other = Sealer::new(&passphrase).unwrap();
        assert!(
            other.open(Purpose::Header("authorization"), &sealed).is_err(),
            "another salt is another key"
        );
        let absurd = Sealing { memory_kib: u32::MAX, ..sealer.sealing().clone() };
        assert!(Sealer::of(&absurd, &passphrase).is_err());
    }
}
