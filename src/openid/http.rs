//! Requests to the provider. Each has a deadline, follows no redirect, and reads a bounded answer.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use crate::send::install_tls_provider;

use super::provider::Provider;
use super::{Flow, OpenIdError, OpenIdOptions};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const MOST_ANSWER_BYTES: usize = 256 << 10;
/// Of an error code, so much is logged.
const MOST_CODE_CHARACTERS: usize = 64;

pub(super) struct Http(Client);

/// What a code is exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Http {
    pub(super) fn new() -> Result<Self, OpenIdError> {
        install_tls_provider();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()?;
        Ok(Self(client))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, OpenIdError> {
        ask(self.0.get(url.clone())).await
    }

    pub(super) async fn userinfo<T: DeserializeOwned>(
        &self,
        url: &Url,
        token: &str,
    ) -> Result<T, OpenIdError> {
        ask(self.0.get(url.clone()).bearer_auth(token)).await
    }

    /// Redeems a code (RFC 6749, section 4.1.3), proving who we are as the provider wants it (section 2.3.1).
    pub(super) async fn exchange(
        &self,
        provider: &Provider,
        options: &OpenIdOptions,
        redirect: &Url,
        flow: &Flow,
        code: &str,
    ) -> Result<Tokens, OpenIdError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", &flow.verifier),
        ];
        let mut request = self.0.post(provider.token_endpoint.clone());
        match options.client_secret.as_ref().map(ExposeSecret::expose_secret) {
            Some(secret) if provider.takes_basic() => {
                request = request.basic_auth(encoded(&options.client_id), Some(encoded(secret)));
            }
            Some(secret) => {
                form.extend([("client_id", options.client_id.as_str()), ("client_secret", secret)])
            }
            None => form.push(("client_id", &options.client_id)),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        ask(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, OpenIdError> {
    let mut response = request.header("accept", "application/json").send().await?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > MOST_ANSWER_BYTES {
            return Err(OpenIdError::NotAccepted("the answer is too large"));
        }
        body.extend_from_slice(&part);
    }
    if !response.status().is_success() {
        let refusal = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.error).ok();
        let code = refusal.unwrap_or_default().chars().take(MOST_CODE_CHARACTERS).collect();
        return Err(OpenIdError::Refused { status: response.status().as_u16(), code });
    }
    serde_json::from_slice(&body)
        .map_err(|_| OpenIdError::NotAccepted("the answer is not what was asked for"))
}
