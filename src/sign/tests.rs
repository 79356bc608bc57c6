//! Against the published vectors, against the `standardwebhooks` crate both ways, and by property.

use chrono::TimeDelta;
use http::HeaderMap;
use proptest::prelude::*;

use crate::domain::clock::Clock;
use crate::domain::endpoint::secret::{KeyMaterial, SigningSecret};

use super::verify::{TOLERANCE, VerifyError, verify, verify_headers};
use super::*;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PRIVATE: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

fn key(secret: &str) -> SigningKey {
    SigningKey { material: SigningSecret::parse(secret).unwrap().key(), expires_at: None }
}

fn header_map(signed: &SignatureHeaders) -> HeaderMap {
    HeaderMap::from_iter([
        (http::HeaderName::from_static(ID_HEADER), signed.id.clone()),
        (http::HeaderName::from_static(TIMESTAMP_HEADER), signed.timestamp.clone()),
        (http::HeaderName::from_static(SIGNATURE_HEADER), signed.signature.clone()),
    ])
}

/// Secret, id, timestamp, body, entry: as other implementations publish them.
const VECTORS: [(&str, &str, &str, &str, &str); 3] = [
    (
        SECRET,
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        "1649367553",
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        PRIVATE,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        r#"{"test": 2432232314}"#,
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    ),
];

#[test]
fn published_vectors_are_made_and_accepted() {
    for (secret, id, timestamp, body, entry) in VECTORS {
        let pieces: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()];
        assert_eq!(scheme::entry(&key(secret).material, &pieces), entry);
        let now = Clock::default().now();
        assert_eq!(verify(secret, id, timestamp, entry, body.as_bytes(), now, None), Ok(()));
        assert!(matches!(
            verify(secret, id, timestamp, entry, body.as_bytes(), now, Some(TOLERANCE)),
            Err(VerifyError::TooOld(_))
        ));
    }
    let (_, id, timestamp, body, entry) = VECTORS[2];
    assert_eq!(verify(PUBLIC, id, timestamp, entry, body.as_bytes(), Clock::default().now(), None), Ok(()));
}

#[test]
fn another_implementation_accepts_ours_and_we_accept_theirs() {
    let (id, body, now) = (MessageId::generate(), br#"{"b":1,"a":1e400}"#, Clock::default().now());
    let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();

    let keys = [key(PRIVATE), key(&SigningSecret::generate().to_text()), key(SECRET)];
    let signed = sign(&keys, id, body, now).unwrap();
    theirs.verify(body, &header_map(&signed)).unwrap();

    let signature = theirs.sign(&id.to_string(), now.timestamp(), body).unwrap();
    let timestamp = now.timestamp().to_string();
    assert_eq!(verify(SECRET, &id.to_string(), &timestamp, &signature, body, now, Some(TOLERANCE)), Ok(()));
}

#[test]
fn each_live_key_signs_in_order_and_expired_ones_do_not() {
    let now = Clock::default().now();
    let ending =
        |secret, seconds| SigningKey { expires_at: Some(now + TimeDelta::seconds(seconds)), ..key(secret) };
    let (old, current) = (SigningSecret::generate().to_text(), SigningSecret::generate().to_text());
    let id = MessageId::generate();
    let keys = [key(&current), ending(PRIVATE, 1), ending(&old, 0), ending(SECRET, -1)];
    let signed = sign(&keys, id, b"{}", now).unwrap();

    let versions: Vec<&str> =
        signed.signature.to_str().unwrap().split(' ').map(|entry| entry.split_once(',').unwrap().0).collect();
    assert_eq!(versions, ["v1", "v1a"]);
    assert_eq!(signed.id, id.to_string());
    assert_eq!(signed.timestamp, now.timestamp().to_string());
    let check = |secret: &str| verify_headers(secret, &header_map(&signed), b"{}", now, Some(TOLERANCE));
    assert_eq!(check(&current), Ok(()));
    assert_eq!(check(PUBLIC), Ok(()));
    assert_eq!(check(&old), Err(VerifyError::NoMatch));

    assert_eq!(sign(&[ending(SECRET, 0)], id, b"{}", now), Err(SignError::NoLiveKey));
    assert_eq!(sign(&[], id, b"{}", now), Err(SignError::NoLiveKey));
}

#[test]
fn what_is_wrong_is_said() {
    let (id, now) = (MessageId::generate(), Clock::default().now());
    let signed = sign(&[key(SECRET)], id, b"{}", now).unwrap();
    let (id, timestamp) = (id.to_string(), now.timestamp().to_string());
    let good = signed.signature.to_str().unwrap();
    let check = |secret: &str, timestamp: &str, list: &str| {
        verify(secret, &id, timestamp, list, b"{}", now, Some(TOLERANCE))
    };

    assert_eq!(check(SECRET, &timestamp, good), Ok(()));
    assert_eq!(check(SECRET, &timestamp, &format!("v2,? v1a,AAAA {good}")), Ok(()));
    assert_eq!(check(SECRET, "", good), Err(VerifyError::MissingHeader(TIMESTAMP_HEADER)));
    assert_eq!(check(SECRET, &timestamp, " "), Err(VerifyError::MissingHeader(SIGNATURE_HEADER)));
    assert_eq!(check(SECRET, "soon", good), Err(VerifyError::MalformedTimestamp("soon".to_owned())));
    for list in ["v1", "v1,", "v1,abc", "v1,*"] {
        assert_eq!(
            check(SECRET, &timestamp, &format!("{good} {list}")),
            Err(VerifyError::MalformedSignature(2)),
            "{list}"
        );
    }
    assert_eq!(check(PUBLIC, &timestamp, good), Err(VerifyError::NoEntryOfThisKind("v1a")));
    assert_eq!(check("whpk_AAAA", &timestamp, good), Err(VerifyError::PublicKey));
    assert!(matches!(check("whsec_x", &timestamp, good), Err(VerifyError::Secret(_))));
    let mut headers = header_map(&signed);
    headers.remove(ID_HEADER);
    assert_eq!(
        verify_headers(SECRET, &headers, b"{}", now, None),
        Err(VerifyError::MissingHeader(ID_HEADER))
    );
}

#[test]
fn only_timestamps_within_the_tolerance_pass() {
    let (id, now) = (MessageId::generate(), Clock::default().now());
    let signed = sign(&[key(SECRET)], id, b"{}", now).unwrap();
    let at = |seconds| {
        let later = now + TimeDelta::seconds(seconds);
        verify_headers(SECRET, &header_map(&signed), b"{}", later, Some(TOLERANCE))
    };
    assert_eq!(at(300), Ok(()));
    assert_eq!(at(-300), Ok(()));
    assert_eq!(at(301), Err(VerifyError::TooOld(301)));
    assert_eq!(at(-301), Err(VerifyError::TooNew(301)));
}

fn keys() -> impl Strategy<Value = KeyMaterial> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 24..=64).prop_map(KeyMaterial::Hmac),
        any::<[u8; 32]>().prop_map(KeyMaterial::Ed25519),
    ]
}

/// The secret's text for a key, by way of its own alphabet.
fn text_of(key: &KeyMaterial) -> String {
    use base64::Engine;
    let standard = base64::engine::general_purpose::STANDARD;
    match key {
        KeyMaterial::Hmac(key) => format!("whsec_{}", standard.encode(key)),
        KeyMaterial::Ed25519(seed) => format!("whsk_{}", standard.encode(seed)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_verify_and_any_changed_byte_does_not(
        material in keys(),
        body in proptest::collection::vec(any::<u8>(), 1..300),
        place in any::<proptest::sample::Index>(),
        flip in 1u8..,
    ) {
        let (id, now) = (MessageId::generate(), Clock::default().now());
        let secret = text_of(&material);
        let signed = sign(&[SigningKey { material, expires_at: None }], id, &body, now).unwrap();
        let (id, timestamp) = (id.to_string(), now.timestamp().to_string());
        let list = signed.signature.to_str().unwrap();
        let check = |id: &str, timestamp: &str, body: &[u8]| verify(&secret, id, timestamp, list, body, now, None);
        prop_assert_eq!(check(&id, &timestamp, &body), Ok(()));

        let mut other = body.clone();
        other[place.index(body.len())] ^= flip;
        prop_assert_eq!(check(&id, &timestamp, &other), Err(VerifyError::NoMatch));

        let mut other = id.clone().into_bytes();
        let at = place.index(other.len());
        other[at] = if other[at] == b'0' { b'1' } else { b'0' };
        prop_assert_eq!(check(std::str::from_utf8(&other).unwrap(), &timestamp, &body), Err(VerifyError::NoMatch));

        let mut other = timestamp.clone().into_bytes();
        let at = place.index(other.len());
        other[at] = if other[at] == b'7' { b'8' } else { b'7' };
        prop_assert_eq!(check(&id, std::str::from_utf8(&other).unwrap(), &body), Err(VerifyError::NoMatch));
    }
}
