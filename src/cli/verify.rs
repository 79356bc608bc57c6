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

/// How many bytes a secret stands for (Standard Webhooks).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

const NO_MATCH: &str =
    "the signature does not match: it was made with another secret, or of another body, id or timestamp";

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
        let key = secret.strip_prefix("whsec_").context(
            "the secret is malformed: it begins with whsec_ (or whpk_, where the endpoint signs with ed25519)",
        )?;
        let bytes = STANDARD
            .decode(key)
            .context("the secret is malformed: what follows whsec_ is not base64; copy it whole")?;
        ensure!(
            SECRET_BYTES.contains(&bytes.len()),
            "the secret is malformed: it stands for {} bytes, and secrets have {} to {}; copy it whole",
            bytes.len(),
            SECRET_BYTES.start(),
            SECRET_BYTES.end(),
        );
        self.check_form("v1,", 32)?;
        let webhook = Webhook::new(secret).context("the secret is malformed")?;
        let expected = webhook.sign(self.id, self.timestamp, body).context("the body cannot be signed")?;
        ensure!(self.signature.split(' ').any(|entry| entry == expected), "{NO_MATCH}");
        Ok(())
    }

    /// Whether the header has a signature of this kind at all: if not, no secret would match.
    fn check_form(&self, kind: &str, bytes: usize) -> anyhow::Result<()> {
        let mut of_kind = self.signature.split(' ').filter_map(|entry| entry.strip_prefix(kind)).peekable();
        ensure!(
            of_kind.peek().is_some(),
            "the signature is malformed, or of another kind: this secret goes with entries `{kind}…`, and there is none"
        );
        ensure!(
            of_kind.any(|entry| STANDARD.decode(entry).is_ok_and(|decoded| decoded.len() == bytes)),
            "the signature is malformed: no entry `{kind}…` is {bytes} bytes in base64; copy the header whole"
        );
        Ok(())
    }

    fn check_ed25519(&self, key: &str, body: &[u8]) -> anyhow::Result<()> {
        let key = STANDARD.decode(key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = key.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let key =
            key.context("the public key is malformed: it is whpk_ and 32 bytes in base64; copy it whole")?;
        self.check_form("v1a,", 64)?;
        let signed = [format!("{}.{}.", self.id, self.timestamp).as_bytes(), body].concat();
        let matches = self
            .signature
            .split(' ')
            .filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1a,")?).ok())
            .filter_map(|bytes| Signature::from_slice(&bytes).ok())
            .any(|signature| key.verify_strict(&signed, &signature).is_ok());
        ensure!(matches, "{NO_MATCH}");
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
    fn what_is_malformed_is_told_from_what_does_not_match() {
        let good =
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let said = |secret: &str, signature: &str| {
            check(secret, signature, b"{}", 1_614_265_330).unwrap_err().to_string()
        };
        for (secret, signature, expected) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", good.1, "secret is malformed: it begins with whsec_"),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", good.1, "secret is malformed: what follows"),
            ("whsec_MfKQ9r8GKYqr", good.1, "secret is malformed: it stands for 9 bytes"),
            ("whpk_MfKQ", good.1, "public key is malformed"),
            (
                good.0,
                "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                "signature is malformed, or of another kind",
            ),
            (good.0, "v1,g0hM9SsE", "signature is malformed: no entry"),
            (good.0, good.1, "does not match"),
            ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", good.1, "does not match"),
        ] {
            let said = said(secret, signature);
            assert!(said.contains(expected), "{secret} {signature}: {said}");
        }
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
