//! Redeeming a code (RFC 6749, section 4.1.3), and proving who we are as the provider wants it (section 2.3.1).

use secrecy::ExposeSecret;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::http::{Form, Http};
use super::provider::Provider;
use super::{Flow, OpenIdError, OpenIdOptions};

/// What a code is exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: String,
}

pub(super) async fn exchange(
    http: &Http,
    provider: &Provider,
    options: &OpenIdOptions,
    redirect: &Url,
    flow: &Flow,
    code: &str,
) -> Result<Tokens, OpenIdError> {
    let form = form(provider.takes_basic(), options, redirect, flow, code);
    http.post(&provider.token_endpoint, form).await
}

fn form(takes_basic: bool, options: &OpenIdOptions, redirect: &Url, flow: &Flow, code: &str) -> Form {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect.as_str()),
        ("code_verifier", &flow.verifier),
    ];
    let mut basic = None;
    match options.client_secret.as_ref().map(ExposeSecret::expose_secret) {
        Some(secret) if takes_basic => basic = Some((encoded(&options.client_id), encoded(secret))),
        Some(secret) => pairs.extend([("client_id", options.client_id.as_str()), ("client_secret", secret)]),
        None => pairs.push(("client_id", &options.client_id)),
    }
    Form { body: form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish(), basic }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
