//! `postrider verify`: what a receiver does, from the shell. It uses the public `standardwebhooks` crate and not
//! our own signer, so that it can find errors of the signer.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use ed25519_dalek::{Signature, VerifyingKey};
use standardwebhooks::Webhook;

use crate::config::duration;
use crate::domain::clock::Clock;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The body, byte for byte as it arrived; `-` or nothing reads standard input
    #[arg(value_name = "FILE")]
    body: Option<PathBuf>,
    /// The endpoint's secret `whsec_…`, or the public key `whpk_…` of an ed25519 one
    #[arg(long)]
    secret: String,
    /// The header `webhook-id`
    #[arg(long)]
    id: String,
    /// The header `webhook-timestamp`
    #[arg(long, value_name = "SECONDS")]
    timestamp: i64,
    /// The header `webhook-signature`
    #[arg(long)]
    signature: String,
    /// How old or how far ahead the timestamp may be
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    tolerance: Duration,
}

impl Verify {
    pub(super) fn run(&self) -> anyhow::Result<String> {
        let body = read_body(self.body.as_deref())?;
        let signed = Signed { id: &self.id, timestamp: self.timestamp, signature: &self.signature };
        signed.check(&self.secret, &body, self.tolerance, Clock::default().now().timestamp())?;
        Ok(format!("verified: {} bytes, signed by this secret", body.len()))
    }
}

/// What the three headers of a webhook say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) id: &'a str,
    pub(super) timestamp: i64,
    pub(super) signature: &'a str,
}

impl Signed<'_> {
    /// Fails unless the body was signed by this secret, at about this time.
    pub(super) fn check(
        &self,
        secret: &str,
        body: &[u8],
        tolerance: Duration,
        now: i64,
    ) -> anyhow::Result<()> {
        ensure!(
            now.abs_diff(self.timestamp) <= tolerance.as_secs(),
            "the timestamp is {} s away from now, the tolerance is {} s",
            now.abs_diff(self.timestamp),
            tolerance.as_secs(),
        );
        match secret.strip_prefix("whpk_") {
            Some(key) => self.check_ed25519(key, body),
            None => self.check_hmac(secret, body),
        }
    }

    fn check_hmac(&self, secret: &str, body: &[u8]) -> anyhow::Result<()> {
        if secret.starts_with("whsk_") {
            bail!("a whsk_… secret signs; verify with its public key, whpk_…");
        }
        let webhook = Webhook::new(secret).context("the secret is not whsec_ and base64")?;
        let expected = webhook.sign(self.id, self.timestamp, body).context("the body cannot be signed")?;
        ensure!(self.signature.split(' ').any(|entry| entry == expected), "the signature does not match");
        Ok(())
    }

    fn check_ed25519(&self, key: &str, body: &[u8]) -> anyhow::Result<()> {
        let key = STANDARD.decode(key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = key.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let key = key.context("the public key is not whpk_ and 32 bytes in base64")?;
        let signed = [format!("{}.{}.", self.id, self.timestamp).as_bytes(), body].concat();
        let matches = self
            .signature
            .split(' ')
            .filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1a,")?).ok())
            .filter_map(|bytes| Signature::from_slice(&bytes).ok())
            .any(|signature| key.verify_strict(&signed, &signature).is_ok());
        ensure!(matches, "the signature does not match");
        Ok(())
    }
}

/// The bytes of a file, or of standard input where it is `-` or none.
pub(super) fn read_body(file: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    match file.filter(|path| path.as_os_str() != "-") {
        Some(path) => std::fs::read(path).with_context(|| format!("{} cannot be read", path.display())),
        None => {
            let mut body = Vec::new();
            std::io::stdin().lock().read_to_end(&mut body).context("standard input cannot be read")?;
            Ok(body)
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn check(secret: &str, signature: &str, body: &[u8], now: i64) -> anyhow::Result<()> {
        let signed = Signed { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, signature };
        signed.check(secret, body, Duration::from_secs(300), now)
    }

    #[test]
    fn the_standards_own_example_verifies() {
        // The test vector that all Standard Webhooks libraries share.
        let given = |body: &[u8], now| {
            let signature = "v1,Zm9v v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
            check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", signature, body, now)
        };
        let body = br#"{"test": 2432232314}"#;
        assert!(given(body, 1_614_265_330).is_ok());
        assert!(given(br#"{"test": 2432232315}"#, 1_614_265_330).is_err());
        let late = given(body, 1_614_265_330 + 301).unwrap_err().to_string();
        assert!(late.contains("301 s"), "{late}");
    }

    #[test]
    fn an_ed25519_signature_verifies_with_the_public_key_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{}";
        let signature = format!("v1,AAAA v1a,{}", STANDARD.encode(key.sign(signed).to_bytes()));
        let public = |key: &SigningKey| format!("whpk_{}", STANDARD.encode(key.verifying_key().to_bytes()));
        assert!(check(&public(&key), &signature, b"{}", 1_614_265_330).is_ok());
        assert!(check(&public(&key), &signature, b"{ }", 1_614_265_330).is_err());
        let other = SigningKey::from_bytes(&[8; 32]);
        assert!(check(&public(&other), &signature, b"{}", 1_614_265_330).is_err());
    }
}
