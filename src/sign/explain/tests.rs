//! Each mistake is made here, and found.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use super::*;
use crate::domain::clock::Clock;
use crate::domain::endpoint::secret::SigningSecret;
use crate::sign::sign_under;

const ID: &str = "msg_01h455vb4pex5vsknk084sn02q";
const TIMESTAMP: i64 = 1_700_000_000;
const PAYLOAD: &[u8] = r#"{ "amount": 42.0, "name": "ü" }"#.as_bytes();
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

fn key_of(secret: &str) -> SigningKey {
    SigningKey { material: secret.parse::<SigningSecret>().unwrap().key(), expires_at: None }
}

fn bytes_of(secret: &str) -> Vec<u8> {
    STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap()
}

fn explained(keys: &[SigningKey], signature: &str) -> Explanation {
    let endpoint = "ep_01h455vb4pex5vsknk084sn02q";
    let computed = Computed { signature, id: ID, timestamp: TIMESTAMP, payload: PAYLOAD, endpoint };
    explain(keys, &computed, Clock::default().now())
}

fn found(signature: &str) -> (Verdict, Option<Verdict>) {
    let found = explained(&[key_of(SECRET)], signature);
    (found.verdict, found.also)
}

/// HMAC-SHA256 of a text, as Base64.
fn of(key: &[u8], text: impl AsRef<[u8]>) -> String {
    STANDARD.encode(mac::<Hmac<Sha256>>(key, &[text.as_ref()]))
}

fn right_text() -> Vec<u8> {
    [format!("{ID}.{TIMESTAMP}.").as_bytes(), PAYLOAD].concat()
}

fn right_mac() -> Vec<u8> {
    mac::<Hmac<Sha256>>(&bytes_of(SECRET), &[&right_text()])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_is_right_is_right_in_every_spelling_that_is() {
    let right = STANDARD.encode(right_mac());
    let quoted = format!("\"{right}\"");
    for signature in [right.clone(), format!("v1,{right}"), format!("v1,AAAA v1,{right}"), quoted] {
        assert_eq!(found(&signature), (Verdict::Matches, None), "{signature}");
    }
}

#[test]
fn a_signature_that_is_written_otherwise_is_read() {
    let mac = right_mac();
    let twice = STANDARD.encode(STANDARD.encode(&mac));
    for (signature, verdict) in [
        (hex(&mac), Verdict::HexNotBase64),
        (format!("sha256={}", hex(&mac).to_uppercase()), Verdict::HexNotBase64),
        (STANDARD.encode(hex(&mac)), Verdict::HexInBase64),
        (twice, Verdict::EncodedTwice),
        (URL_SAFE_NO_PAD.encode(&mac), Verdict::UrlSafeBase64),
    ] {
        assert_eq!(found(&signature), (verdict, None), "{signature}");
    }
}

#[test]
fn a_secret_that_was_read_otherwise_is_found() {
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    // As Node's `Buffer.from(secret, "base64")` reads it: 35 bytes and 5 bits that are left over.
    let along = {
        let text = SECRET.replace('_', "/").trim_end_matches('=').to_owned();
        let whole = text.len() / 4 * 4;
        STANDARD.decode(&text[..whole]).unwrap()
    };
    let text = right_text();
    assert_eq!(found(&of(bare.as_bytes(), &text)).0, Verdict::SecretNotDecoded);
    assert_eq!(found(&of(SECRET.as_bytes(), &text)).0, Verdict::SecretNotDecoded);
    let read = keys::variants(&[key_of(SECRET)], Clock::default().now());
    let begins = read.iter().filter_map(Key::hmac_key).any(|key| key.starts_with(&along) && key.len() <= 37);
    assert!(begins, "the prefix as a part of the key");
    for key in read.iter().filter(|key| key.verdict == Some(Verdict::PrefixNotRemoved)) {
        assert_eq!(found(&of(key.hmac_key().unwrap(), &text)).0, Verdict::PrefixNotRemoved);
    }
}

#[test]
fn another_text_is_found() {
    let key = bytes_of(SECRET);
    let body = std::str::from_utf8(PAYLOAD).unwrap();
    let latin: String = PAYLOAD.iter().copied().map(char::from).collect();
    for (text, verdict) in [
        (body.to_owned(), Verdict::OnlyBody),
        (format!("{TIMESTAMP}.{body}"), Verdict::MissingId),
        (format!("{ID}.{body}"), Verdict::MissingTimestamp),
        (format!("{ID}{TIMESTAMP}{body}"), Verdict::MissingDots),
        (format!("{TIMESTAMP}.{ID}.{body}"), Verdict::WrongOrder),
        (format!("{ID}.{body}.{TIMESTAMP}"), Verdict::WrongOrder),
        (format!("{ID}.{TIMESTAMP}000.{body}"), Verdict::TimestampInMs),
        (format!("{ID}.{}.{body}", TIMESTAMP + 7), Verdict::OtherTimestamp),
        (format!("{ID}.{}.{body}", TIMESTAMP - 7), Verdict::OtherTimestamp),
        (format!("01h455vb4pex5vsknk084sn02q.{TIMESTAMP}.{body}"), Verdict::OtherId),
        (format!("ep_01h455vb4pex5vsknk084sn02q.{TIMESTAMP}.{body}"), Verdict::OtherId),
        (format!("{ID}.{TIMESTAMP}.{body}\n"), Verdict::BodyWithNewline),
        (format!("{ID}.{TIMESTAMP}.{body}\r\n"), Verdict::BodyWithNewline),
        (format!("{ID}.{TIMESTAMP}.{latin}"), Verdict::BodyEncodedAnew),
        (format!("{ID}.{TIMESTAMP}.{{\"amount\":42,\"name\":\"ü\"}}"), Verdict::ReserializedBody),
        (format!("{ID}.{TIMESTAMP}.{{\"amount\": 42.0, \"name\": \"\\u00fc\"}}"), Verdict::ReserializedBody),
    ] {
        assert_eq!(found(&of(&key, &text)), (verdict, None), "{text}");
    }
}

#[test]
fn another_hash_is_found() {
    let (key, text) = (bytes_of(SECRET), right_text());
    for made in [
        mac::<Hmac<Sha1>>(&key, &[&text]),
        mac::<Hmac<Sha512>>(&key, &[&text]),
        Sha256::digest(&text).to_vec(),
        Sha256::new().chain_update(&key).chain_update(&text).finalize().to_vec(),
    ] {
        assert_eq!(found(&STANDARD.encode(&made)), (Verdict::OtherHash, None));
        assert_eq!(found(&hex(&made)), (Verdict::OtherHash, Some(Verdict::HexNotBase64)));
    }
}

#[test]
fn which_secret_it_was_is_found() {
    let now = Clock::default().now();
    let until = |end| SigningKey { expires_at: Some(end), ..key_of(SECRET) };
    let current = SigningKey { material: SigningSecret::generate().key(), expires_at: None };
    let right = STANDARD.encode(right_mac());
    let hour = TimeDelta::hours(1);
    for (key, verdict) in
        [(until(now + hour), Verdict::PreviousSecret), (until(now - hour), Verdict::ExpiredSecret)]
    {
        let keys = [current.clone(), key];
        assert_eq!(explained(&keys, &right), Explanation { verdict, also: None, key: Some(1) });
    }
    assert_eq!(explained(&[current], &right).verdict, Verdict::Unknown, "no other secret is tried");
    assert_eq!(explained(&[], &right).verdict, Verdict::Unknown);
}

#[test]
fn two_mistakes_together_are_both_said() {
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let made = mac::<Hmac<Sha256>>(bare.as_bytes(), &[&right_text()]);
    assert_eq!(found(&hex(&made)), (Verdict::SecretNotDecoded, Some(Verdict::HexNotBase64)));
    let made = mac::<Hmac<Sha256>>(&bytes_of(SECRET), &[PAYLOAD]);
    assert_eq!(found(&hex(&made)), (Verdict::OnlyBody, Some(Verdict::HexNotBase64)));
}

#[test]
fn an_ed25519_signature_is_explained_by_its_text() {
    let secret = SigningSecret::generate_ed25519();
    let key = SigningKey { material: secret.key(), expires_at: None };
    let at = DateTime::from_timestamp(TIMESTAMP, 0).unwrap();
    let signed = |payload: &[u8]| {
        let headers = sign_under(std::slice::from_ref(&key), ID, payload, at).unwrap();
        headers.signature.to_str().unwrap().to_owned()
    };
    let found = |signature: &str| explained(std::slice::from_ref(&key), signature).verdict;
    assert_eq!(found(&signed(PAYLOAD)), Verdict::Matches);
    assert_eq!(found(&signed(&[PAYLOAD, b"\n"].concat())), Verdict::BodyWithNewline);
    assert_eq!(found(&signed(b"{}")), Verdict::Unknown);
}

#[test]
fn whatever_is_pasted_has_an_answer() {
    for signature in ["", " ", "v1,", ",", "=", "%%%", "ü", &"f".repeat(1023), &"v1,AAAA ".repeat(100)] {
        assert_eq!(found(signature).0, Verdict::Unknown, "{signature}");
    }
}
