//! A webhook that came: what it says, and whether that is true.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use http::HeaderMap;

use crate::cli::table::printable;
use crate::cli::verify::Signed;

/// How old or how far ahead a timestamp may be, as the standard has it.
const TOLERANCE: Duration = Duration::from_secs(300);
/// More of a body is not shown.
const MAX_SHOWN_CHARS: usize = 10_000;

/// A webhook that came.
pub(super) struct Arrival {
    id: String,
    body: String,
    at: DateTime<Utc>,
    verdict: Verdict,
}

enum Verdict {
    Verified,
    NotVerified,
    Wrong(anyhow::Error),
}

impl Arrival {
    pub(super) fn of(headers: &HeaderMap, body: &[u8], secret: Option<&str>, at: DateTime<Utc>) -> Self {
        let verdict = secret.map_or(Verdict::NotVerified, |secret| {
            check(headers, body, secret, at.timestamp()).map_or_else(Verdict::Wrong, |()| Verdict::Verified)
        });
        let id = header(headers, "webhook-id").map(printable).unwrap_or_default();
        let body = String::from_utf8_lossy(body).chars().take(MAX_SHOWN_CHARS).collect::<String>();
        Self { id, body: printable(&body), at, verdict }
    }

    /// Whether nothing speaks against it.
    pub(super) const fn is_genuine(&self) -> bool {
        !matches!(self.verdict, Verdict::Wrong(_))
    }

    /// It in a line.
    pub(super) fn told(&self, path: &str) -> String {
        let verdict = match &self.verdict {
            Verdict::Verified => "signature verified".to_owned(),
            Verdict::NotVerified => "signature not checked".to_owned(),
            Verdict::Wrong(error) => format!("NOT GENUINE: {error:#}"),
        };
        let at = self.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("{at}  arrived at {}  {}  {verdict}  {}", printable(path), self.id, self.body)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn check(headers: &HeaderMap, body: &[u8], secret: &str, now: i64) -> anyhow::Result<()> {
    let given = |name| header(headers, name).with_context(|| format!("it has no {name}"));
    let timestamp =
        given("webhook-timestamp")?.parse::<i64>().context("webhook-timestamp is not a number")?;
    let signed = Signed { id: given("webhook-id")?, timestamp, signature: given("webhook-signature")? };
    signed.check(secret, body, TOLERANCE, now)
}

#[cfg(test)]
mod tests {
    use standardwebhooks::Webhook;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn arrival(signed: &[u8], body: &[u8]) -> Arrival {
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let signature = Webhook::new(SECRET).unwrap().sign("msg_1", at.timestamp(), signed).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_1".parse().unwrap());
        headers.insert("webhook-timestamp", "1614265330".parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        Arrival::of(&headers, body, Some(SECRET), at)
    }

    #[test]
    fn what_was_signed_is_genuine_and_nothing_else() {
        let genuine = arrival(b"{\"a\": 1}", b"{\"a\": 1}");
        assert!(genuine.is_genuine());
        assert_eq!(
            genuine.told("/hook"),
            "2021-02-25T15:02:10Z  arrived at /hook  msg_1  signature verified  {\"a\": 1}"
        );
        let forged = arrival(b"{\"a\": 1}", b"{\"a\": 2}");
        assert!(
            !forged.is_genuine() && forged.told("/").contains("NOT GENUINE: the signature does not match")
        );
    }

    #[test]
    fn what_is_missing_is_named_and_without_a_secret_nothing_is_checked() {
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let bare = Arrival::of(&HeaderMap::new(), b"\x1b[31m", Some(SECRET), at);
        assert!(bare.told("/").contains("it has no webhook-timestamp") && !bare.told("/").contains('\x1b'));
        let unchecked = Arrival::of(&HeaderMap::new(), b"x", None, at);
        assert!(unchecked.is_genuine() && unchecked.told("/").contains("not checked"));
    }
}
