//! Which ID tokens count, and how a provider is asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::id_token::{Wanted, claims, key_of};
use super::*;

const NOW: i64 = 1_900_000_000;

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn published(seed: u8, kid: &str) -> Jwk {
    let x = URL_SAFE_NO_PAD.encode(signer(seed).verifying_key().as_bytes());
    let key = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x});
    serde_json::from_value(key).unwrap()
}

fn token(seed: u8, kid: Option<&str>, changes: &Value) -> String {
    let mut said = json!({"iss": "https://id.example", "aud": "us", "sub": "ada", "nonce": "n",
                          "exp": NOW + 300, "iat": NOW});
    for (name, value) in changes.as_object().unwrap() {
        said[name] = value.clone();
    }
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
    let der = signer(seed).to_pkcs8_der().unwrap();
    jsonwebtoken::encode(&header, &said, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
}

fn verified(token: &str, keys: &[Jwk]) -> Result<Map<String, Value>, OpenIdError> {
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let wanted = Wanted { issuer: "https://id.example", client_id: "us", nonce: "n", now };
    let header = jsonwebtoken::decode_header(token)?;
    let key = key_of(&header, keys).ok_or(OpenIdError::NotAccepted("no key"))?;
    claims(token, &header, key, &wanted)
}

#[test]
fn a_token_of_the_providers_for_us_and_this_sign_in_counts() {
    let keys = [published(1, "one"), published(2, "two")];
    assert_eq!(verified(&token(2, Some("two"), &json!({})), &keys).unwrap()["sub"], "ada");
    let several = json!({"aud": ["us", "them"], "azp": "us"});
    assert!(verified(&token(1, Some("one"), &several), &keys).is_ok());
    assert!(verified(&token(1, None, &json!({})), &keys[..1]).is_ok(), "there is but one key");
}

#[test]
fn no_other_token_counts() {
    let keys = [published(1, "one")];
    for (what, changes) in [
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("another client", json!({"aud": "them"})),
        ("several clients, and none is the party", json!({"aud": ["us", "them"]})),
        ("another party", json!({"azp": "them"})),
        ("another sign-in", json!({"nonce": "other"})),
        ("no sign-in", json!({"nonce": null})),
        ("issued in the future", json!({"iat": NOW + 600})),
        ("never issued", json!({"iat": null})),
        ("no end", json!({"exp": null})),
        ("over", json!({"exp": NOW - 61})),
    ] {
        assert!(verified(&token(1, Some("one"), &changes), &keys).is_err(), "{what}");
    }
    assert!(matches!(
        verified(&token(1, Some("one"), &json!({"exp": NOW - 60})), &keys),
        Err(OpenIdError::Expired)
    ));
    assert!(verified(&token(2, Some("one"), &json!({})), &keys).is_err(), "another's signature");
    assert!(verified(&token(1, Some("two"), &json!({})), &keys).is_err(), "a key that is not published");
    let two = [published(1, "one"), published(2, "two")];
    assert!(verified(&token(1, None, &json!({})), &two).is_err(), "it does not say which key");
}

#[test]
fn what_everybody_knows_signs_nothing() {
    let public = signer(1).verifying_key();
    let said = json!({"iss": "https://id.example", "aud": "us", "sub": "ada", "nonce": "n", "exp": NOW + 300, "iat": NOW});
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    let forged = jsonwebtoken::encode(&header, &said, &EncodingKey::from_secret(public.as_bytes())).unwrap();
    assert!(verified(&forged, &[published(1, "one")]).is_err());
    let oct = json!({"kty": "oct", "kid": "one", "k": URL_SAFE_NO_PAD.encode(public.as_bytes())});
    assert!(verified(&forged, &[serde_json::from_value(oct).unwrap()]).is_err());
    let parts: Vec<String> = [json!({"alg": "none", "kid": "one"}), said]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .into();
    assert!(verified(&format!("{}.{}.", parts[0], parts[1]), &[published(1, "one")]).is_err());
}

#[test]
fn another_provider_or_another_meaning_vouches_for_nobody_who_was_vouched_for_before() {
    let options = OpenIdOptions {
        issuer: "https://id.example".to_owned(),
        client_id: "us".to_owned(),
        client_secret: None,
        name: "id".to_owned(),
        scopes: vec!["openid".to_owned()],
        role_claim: "groups".to_owned(),
        roles: vec!["a=operator".parse().unwrap()],
    };
    let own = authority_of(&options);
    assert_eq!(own, authority_of(&OpenIdOptions { name: "other".to_owned(), ..options.clone() }));
    for other in [
        OpenIdOptions { issuer: "https://id2.example".to_owned(), ..options.clone() },
        OpenIdOptions { client_id: "them".to_owned(), ..options.clone() },
        OpenIdOptions { role_claim: "roles".to_owned(), ..options.clone() },
        OpenIdOptions { roles: vec!["b=operator".parse().unwrap()], ..options.clone() },
        OpenIdOptions { roles: Vec::new(), ..options },
    ] {
        assert_ne!(own, authority_of(&other));
    }
}

#[tokio::test]
async fn a_provider_that_could_not_be_asked_is_left_alone_for_a_moment() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (http, providers) = (Http::new().unwrap(), Providers::new(&format!("http://{nobody}")));
    assert!(matches!(providers.current(&http).await, Err(OpenIdError::Unreachable(_))));
    assert!(matches!(providers.current(&http).await, Err(OpenIdError::Away)));
}
