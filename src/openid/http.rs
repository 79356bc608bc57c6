//! Requests to the provider. Each has a deadline, follows no redirect, and reads a bounded answer.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::send::install_tls_provider;

use super::OpenIdError;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 256 << 10;
/// Of an error code, so much is logged.
const MAX_CODE_CHARACTERS: usize = 64;

pub(super) struct Http(Client);

/// A form, and who sends it.
pub(super) struct Form {
    pub(super) body: String,
    /// Name and password.
    pub(super) basic: Option<(String, String)>,
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

    pub(super) async fn post<T: DeserializeOwned>(&self, url: &Url, form: Form) -> Result<T, OpenIdError> {
        let mut request = self.0.post(url.clone());
        if let Some((name, password)) = form.basic {
            request = request.basic_auth(name, Some(password));
        }
        ask(request.header("content-type", "application/x-www-form-urlencoded").body(form.body)).await
    }
}

async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, OpenIdError> {
    let mut response = request.header("accept", "application/json").send().await?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(OpenIdError::NotAccepted("the answer is too large"));
        }
        body.extend_from_slice(&part);
    }
    if !response.status().is_success() {
        let refusal = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.error).ok();
        let code = refusal.unwrap_or_default().chars().take(MAX_CODE_CHARACTERS).collect();
        return Err(OpenIdError::Refused { status: response.status().as_u16(), code });
    }
    serde_json::from_slice(&body)
        .map_err(|_| OpenIdError::NotAccepted("the answer is not what was asked for"))
}
