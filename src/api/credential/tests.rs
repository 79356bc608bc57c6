//! Who gets in, and who does not.

use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use crate::domain::access::capability::Capability;
use crate::domain::id::{ApplicationId, TokenId};

use super::*;

const SECRET: &[u8] = b"a secret for tests";

fn main(secret: &[u8]) -> MainSecrets {
    MainSecrets::new(secret, None)
}

fn authenticator(clock: &Clock) -> Authenticator {
    Authenticator::new(
        &TokenKey::Hs256(SECRET.to_vec()),
        RequiredClaims::default(),
        &main(SECRET),
        clock.clone(),
    )
    .unwrap()
}

fn claims(clock: &Clock, sub: &str, org: Option<&str>) -> Claims {
    let now = clock.now().timestamp();
    Claims {
        sub: sub.to_owned(),
        org: org.map(str::to_owned),
        iat: now,
        nbf: Some(now),
        exp: Some(now + 3600),
        ..Claims::default()
    }
}

fn with_token(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    headers
}

fn signed(claims: &Claims) -> HeaderMap {
    let key = EncodingKey::from_secret(SECRET);
    with_token(&jsonwebtoken::encode(&Header::default(), claims, &key).unwrap())
}

/// As a request with these headers is verified.
fn verify(authenticator: &Authenticator, headers: &HeaderMap) -> Result<Caller, ApiError> {
    authenticator.verify_text(bearer(headers)?, asked_environment(headers))
}

fn is_refused(result: &Result<Caller, ApiError>) -> bool {
    matches!(result, Err(ApiError::Unauthenticated(_)))
}

#[test]
fn the_subject_decides_the_role() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let application = ApplicationId::generate();
    let caller = |sub: &str, org| verify(&authenticator, &signed(&claims(&clock, sub, org)));

    let environment = caller("org_demo", None).unwrap();
    assert_eq!(environment.role, Role::Environment);
    assert_eq!(environment.whole_environment().unwrap().as_str(), "org_demo");
    assert_eq!(environment.operator(), Err(ApiError::Forbidden));
    assert!(environment.sees(application));

    let tenant = caller(&application.to_string(), Some("org_demo")).unwrap();
    assert_eq!((tenant.role, tenant.own_application()), (Role::Application, Some(application)));
    assert_eq!(tenant.whole_environment(), Err(ApiError::Forbidden));
    assert!(tenant.sees(application) && !tenant.sees(ApplicationId::generate()));

    let operator = caller("operator", None).unwrap();
    assert_eq!(operator.environment(), Err(ApiError::EnvironmentRequired));
    assert_eq!(operator.operator(), Ok(None));

    for (sub, org) in [(application.to_string().as_str(), None), ("org_", None), ("somebody", Some("org_a"))]
    {
        assert!(is_refused(&caller(sub, org)), "{sub}");
    }
}

#[test]
fn only_an_operator_chooses_the_environment() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let with_header = |sub: &str, org| {
        let mut headers = signed(&claims(&clock, sub, org));
        headers.insert(ENVIRONMENT_HEADER, HeaderValue::from_static("org_other"));
        verify(&authenticator, &headers).unwrap()
    };
    assert_eq!(with_header("operator", Some("org_a")).environment().unwrap().as_str(), "org_other");
    assert_eq!(with_header("org_demo", None).environment().unwrap().as_str(), "org_demo");
    let application = ApplicationId::generate().to_string();
    assert_eq!(with_header(&application, Some("org_a")).environment().unwrap().as_str(), "org_a");
}

#[test]
fn a_token_holds_from_its_begin_to_its_end() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let headers = signed(&claims(&clock, "org_demo", None));
    assert!(verify(&authenticator, &headers).is_ok());
    clock.advance(TimeDelta::hours(-1));
    assert!(is_refused(&verify(&authenticator, &headers)));
    clock.advance(TimeDelta::hours(3));
    assert!(is_refused(&verify(&authenticator, &headers)));
}

#[test]
fn what_was_not_signed_with_the_key_is_refused() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let claims = claims(&clock, "org_demo", None);
    let other = EncodingKey::from_secret(b"another secret");
    let token = jsonwebtoken::encode(&Header::default(), &claims, &other).unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcmdfZGVtbyIsImlhdCI6MH0.";
    let headers =
        [with_token(&token), with_token(unsigned), with_token("x"), with_token(""), HeaderMap::new()];
    for headers in headers {
        assert!(is_refused(&verify(&authenticator, &headers)));
    }
    let key = EncodingKey::from_secret(SECRET);
    let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
    assert!(is_refused(&verify(&authenticator, &with_token(&hs512))));
}

#[test]
fn an_ed25519_public_key_verifies() {
    let clock = Clock::default();
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    let authenticator = Authenticator::new(
        &TokenKey::EdDsa(public.into_bytes()),
        RequiredClaims::default(),
        &main(SECRET),
        clock.clone(),
    )
    .unwrap();
    let private = EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes());
    let claims = claims(&clock, "org_demo", None);
    let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &private).unwrap();
    assert!(verify(&authenticator, &with_token(&token)).is_ok());
    assert!(is_refused(&verify(&authenticator, &signed(&claims))));
}

#[test]
fn a_tenants_token_may_allow_less_than_everything() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let tenant = ApplicationId::generate().to_string();
    let with = |sub: &str, names: Option<&[&str]>| {
        let capabilities = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let claims = Claims { capabilities, ..claims(&clock, sub, Some("org_demo")) };
        verify(&authenticator, &signed(&claims)).unwrap()
    };
    let whole = with(&tenant, None);
    assert_eq!(whole.capabilities(), Capability::ALL);
    let narrow = with(&tenant, Some(&["ViewBase", "SomethingNew"]));
    assert_eq!(narrow.capabilities(), [Capability::ViewBase]);
    assert_eq!(narrow.require(&[Capability::ManageEndpoint]), Err(ApiError::Forbidden));
    assert_eq!(narrow.require(&[Capability::ManageEndpoint, Capability::ViewBase]), Ok(()));
    assert_eq!(whole.require(&[Capability::ManageEndpoint]), Ok(()));
    assert_ne!(whole.identity(), narrow.identity(), "kept answers are not shared");
    assert_eq!(with(&tenant, Some(&[])).require(&[Capability::ViewBase]), Err(ApiError::Forbidden));
    let environment = with("org_demo", Some(&["ViewBase"]));
    assert_eq!(environment.require(&[Capability::ManageEndpoint]), Ok(()), "it is a tenant's matter alone");
}

#[test]
fn flags_show_what_needs_one_of_them() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let with = |flags: Option<&[&str]>| {
        let feature_flags = flags.map(|flags| flags.iter().map(|flag| (*flag).to_owned()).collect());
        let sub = ApplicationId::generate().to_string();
        let claims = Claims { feature_flags, ..claims(&clock, &sub, Some("org_demo")) };
        verify(&authenticator, &signed(&claims)).unwrap()
    };
    let needed = ["beta".to_owned(), "gamma".to_owned()];
    assert!(with(Some(&["gamma"])).shows(Some(&needed)) && with(None).shows(Some(&needed)));
    assert!(!with(Some(&[])).shows(Some(&needed)) && !with(Some(&["alpha"])).shows(Some(&needed)));
    assert!(with(Some(&[])).shows(None) && with(Some(&[])).shows(Some(&[])));
}

#[test]
fn our_own_tokens_hold_whatever_others_sign_with() {
    let clock = Clock::default();
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap().into_bytes();
    let with = |key: TokenKey, main_secrets: &MainSecrets| {
        Authenticator::new(&key, RequiredClaims::default(), main_secrets, clock.clone()).unwrap()
    };
    let of = |key: TokenKey, main_secret: &[u8]| with(key, &main(main_secret));
    let claims = Claims { jti: Some(TokenId::generate().to_string()), ..claims(&clock, "org_demo", None) };
    let ed = of(TokenKey::EdDsa(public.clone()), b"main");
    let own = ed.sign(&claims).unwrap();
    assert!(verify(&ed, &with_token(&own)).is_ok());
    assert!(is_refused(&verify(&of(TokenKey::EdDsa(public.clone()), b"other"), &with_token(&own))));
    let moving = with(TokenKey::EdDsa(public.clone()), &MainSecrets::new(b"other", Some(b"main")));
    assert!(verify(&moving, &with_token(&own)).is_ok(), "the secret before counts while it is named");
    // A token that claims to be our own, but is signed with what everybody knows.
    let header = Header { kid: Some("postrider".to_owned()), ..Header::default() };
    let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
    assert!(is_refused(&verify(&ed, &with_token(&forged))));
    let hs = of(TokenKey::Hs256(SECRET.to_vec()), b"main");
    assert!(verify(&hs, &with_token(&hs.sign(&claims).unwrap())).is_ok());
    assert!(is_refused(&verify(&hs, &with_token(&own))));
}

#[test]
fn a_tokens_hash_does_not_depend_on_how_its_signature_is_spelt() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let claims = claims(&clock, &ApplicationId::generate().to_string(), Some("org_demo"));
    let token = authenticator.sign(&claims).unwrap();
    let hash = |token: &str| verify(&authenticator, &with_token(token)).map(|it| it.token().unwrap().hash);
    let known = hash(&token).unwrap();
    for spelling in [format!("{token}="), format!("{token} "), token.clone()] {
        assert!(hash(&spelling).is_err() || hash(&spelling) == Ok(known), "{spelling}");
    }
}

#[test]
fn a_token_issued_in_the_future_is_refused() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let issued_in = |seconds: i64| {
        let claims = claims(&clock, "org_demo", None);
        verify(&authenticator, &signed(&Claims { iat: claims.iat + seconds, nbf: None, ..claims }))
    };
    assert!(issued_in(2).is_ok(), "clocks differ a little");
    assert!(is_refused(&issued_in(30)) && is_refused(&issued_in(3_600)));
    assert!(is_refused(&issued_in(i64::MAX / 2)));
}

#[test]
fn a_token_cannot_say_by_its_id_that_it_was_issued_later() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let jti = Some(TokenId::generate().to_string());
    let now = clock.now().timestamp();
    let claims = Claims {
        jti,
        iat: now - 3_600,
        ..claims(&clock, &ApplicationId::generate().to_string(), Some("org_a"))
    };
    let caller = verify(&authenticator, &signed(&claims)).unwrap();
    assert!(caller.token().unwrap().issued_at.timestamp() <= now - 3_599);
}

#[test]
fn extensions_that_must_be_understood_are_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let token = |header: &str| {
        let body = serde_json::to_vec(&claims(&clock, "org_demo", None)).unwrap();
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
        let key = EncodingKey::from_secret(SECRET);
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
        with_token(&format!("{text}.{signature}"))
    };
    assert!(verify(&authenticator, &token(r#"{"alg":"HS256"}"#)).is_ok());
    assert!(is_refused(&verify(&authenticator, &token(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#))));
    assert!(is_refused(&verify(&authenticator, &token(r#"{"alg":"HS256","crit":[]}"#))));
}

#[test]
fn audience_and_issuer_can_be_required() {
    let clock = Clock::default();
    let required = RequiredClaims { audience: Some("hooks".to_owned()), issuer: Some("us".to_owned()) };
    let key = TokenKey::Hs256(SECRET.to_vec());
    let authenticator = Authenticator::new(&key, required, &main(SECRET), clock.clone()).unwrap();
    let verified = |more: serde_json::Value| {
        let mut fields = serde_json::to_value(claims(&clock, "org_demo", None)).unwrap();
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let token = jsonwebtoken::encode(&Header::default(), &fields, &EncodingKey::from_secret(SECRET));
        verify(&authenticator, &with_token(&token.unwrap()))
    };
    assert!(verified(serde_json::json!({"aud": "hooks", "iss": "us"})).is_ok());
    assert!(verified(serde_json::json!({"aud": ["other", "hooks"], "iss": "us"})).is_ok());
    for wrong in [
        serde_json::json!({}),
        serde_json::json!({"aud": "hooks"}),
        serde_json::json!({"iss": "us"}),
        serde_json::json!({"aud": "other", "iss": "us"}),
        serde_json::json!({"aud": "hooks", "iss": "them"}),
    ] {
        assert!(is_refused(&verified(wrong.clone())), "{wrong}");
    }
    let own = authenticator.sign(&claims(&clock, "org_demo", None)).unwrap();
    assert!(verify(&authenticator, &with_token(&own)).is_ok(), "our own say both");
}

#[test]
fn a_token_for_a_session_ends_with_it_and_any_other_when_it_says() {
    let clock = Clock::default();
    let authenticator = authenticator(&clock);
    let application = ApplicationId::generate().to_string();
    let issued = |days: i64, session: Option<&str>| {
        let mut claims = claims(&clock, &application, Some("org_test"));
        claims.iat -= days * 86_400;
        (claims.nbf, claims.exp) = (None, None);
        claims.session_id = session.map(str::to_owned);
        verify(&authenticator, &signed(&claims))
    };
    assert!(is_refused(&issued(91, Some("user_7"))));
    let young = issued(89, Some("user_7")).unwrap();
    assert!(young.expires_at().is_some(), "also when it does not say it");
    assert_eq!(issued(1_000, None).unwrap().expires_at(), None);
}
