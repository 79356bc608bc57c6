//! Calls of the API of a running server.

use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::{RequestBuilder, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::Remote;
use crate::send::install_tls_provider;

use super::table;

pub(super) use reqwest::Method;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest page that the API gives.
const MAX_PAGE_SIZE: usize = 250;
/// A server that asks to wait is asked again so often.
const MAX_WAITS: u32 = 10;
/// No longer than this at a time, whatever it asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Where it does not say how long.
const USUAL_WAIT: Duration = Duration::from_secs(1);

/// Which server a command calls, as whom, and how it shows the answer.
#[derive(Debug, Args)]
pub(super) struct Server {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Which server a command calls, and as whom.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The server [env: POSTRIDER_URL] [default: http://127.0.0.1:8071]
    #[arg(long)]
    url: Option<String>,
    /// An environment's token, or a tenant's for its own application [env: POSTRIDER_TOKEN]
    #[arg(long)]
    token: Option<String>,
}

/// How much of a list is shown.
#[derive(Debug, Args)]
pub(super) struct Limit {
    /// At most this many
    #[arg(long, default_value_t = 50)]
    pub(super) limit: usize,
}

impl Server {
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        self.place.client()
    }

    /// Prints an answer: as it came, or as `text` says it.
    pub(super) fn print(
        &self,
        answer: &Value,
        text: impl FnOnce(&Value) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        super::print(&if self.json { serde_json::to_string_pretty(answer)? } else { text(answer)? })
    }

    /// Prints a list: as it came, or as a table.
    pub(super) fn print_list(
        &self,
        columns: &[table::Column],
        entries: &[Value],
        when_empty: &str,
    ) -> anyhow::Result<()> {
        super::print(&if self.json {
            serde_json::to_string_pretty(entries)?
        } else {
            table::of(columns, entries, when_empty)
        })
    }
}

impl Place {
    pub(super) const fn of(url: Option<String>, token: Option<String>) -> Self {
        Self { url, token }
    }

    pub(super) fn client(&self) -> anyhow::Result<Client> {
        Client::new(&Remote::resolve(self.url.clone(), self.token.clone())?)
    }
}

/// An answer that is an error.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
struct Refused {
    status: StatusCode,
    sentence: String,
}

/// Whether the server answered with one of these statuses.
pub(super) fn is_refused_with(error: &anyhow::Error, statuses: &[u16]) -> bool {
    error.downcast_ref().is_some_and(|refused: &Refused| statuses.contains(&refused.status.as_u16()))
}

/// Whether the server refused this one request, and might take others.
pub(super) fn is_refused(error: &anyhow::Error) -> bool {
    let one = |refused: &Refused| {
        refused.status.is_client_error()
            && ![StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&refused.status)
    };
    error.downcast_ref().is_some_and(one)
}

/// A server and who calls it.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
}

impl Client {
    pub(super) fn new(remote: &Remote) -> anyhow::Result<Self> {
        let url = &remote.url;
        install_tls_provider();
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build()?;
        let base: Url = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
        anyhow::ensure!(!base.cannot_be_a_base(), "{url:?} is not the URL of a server");
        Ok(Self { http, base, token: remote.token.clone() })
    }

    pub(super) async fn get(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.send(&Method::GET, path, query, None).await
    }

    /// An answer as it came, byte for byte.
    pub(super) async fn get_raw(&self, path: &[&str]) -> anyhow::Result<Box<RawValue>> {
        self.call(&Method::GET, path, &[], None::<&Value>).await
    }

    pub(super) async fn post(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<Value> {
        self.call(&Method::POST, path, &[], Some(body)).await
    }

    /// What is no JSON, such as an image.
    pub(super) async fn get_bytes(&self, path: &[&str]) -> anyhow::Result<Vec<u8>> {
        let response = self.request(Method::GET, path, &[])?.send().await;
        let response = response.with_context(|| format!("{} does not answer", self.base))?;
        let status = response.status();
        anyhow::ensure!(status.is_success(), "the server answers {status} to /{}", path.join("/"));
        Ok(response
            .bytes()
            .await
            .with_context(|| format!("{status}, and an answer that breaks off"))?
            .to_vec())
    }

    /// A list to its end, page by page.
    pub(super) async fn list_all(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<Vec<Value>> {
        self.list(path, query, usize::MAX).await
    }

    /// The first entries of a list, page by page.
    pub(super) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        limit: usize,
    ) -> anyhow::Result<Vec<Value>> {
        let mut found: Vec<Value> = Vec::new();
        let mut iterator: Option<String> = None;
        while found.len() < limit {
            let mut query = query.to_vec();
            query.push(("limit", (limit - found.len()).min(MAX_PAGE_SIZE).to_string()));
            query.extend(iterator.iter().map(|text| ("iterator", text.clone())));
            let mut page = self.get(path, &query).await?;
            let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) else {
                return Err(anyhow!("the server's answer to /{} is no list", path.join("/")));
            };
            found.extend(data);
            let next = page.get("iterator").and_then(Value::as_str).map(str::to_owned);
            if page.get("done").and_then(Value::as_bool) != Some(false) {
                break;
            }
            anyhow::ensure!(
                next.is_some() && next != iterator,
                "the list /{} does not go on",
                path.join("/")
            );
            iterator = next;
        }
        Ok(found)
    }

    /// Calls an operation. What has no body is answered with `null`.
    pub(super) async fn send(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        self.call(method, path, query, body).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let mut waits = 0;
        loop {
            let request = self.request(method.clone(), path, query)?;
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            let response = request.send().await.with_context(|| format!("{} does not answer", self.base))?;
            match wait_before_again(method, &response).filter(|_| waits < MAX_WAITS) {
                None => return answered(response).await,
                Some(wait) => tokio::time::sleep(wait).await,
            }
            waits += 1;
        }
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<RequestBuilder> {
        let url = api_url(&self.base, path, query)?;
        Ok(self.http.request(method, url).bearer_auth(self.token.expose_secret()))
    }
}

async fn answered<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let status = response.status();
    let text = response.text().await.with_context(|| format!("{status}, and an answer that breaks off"))?;
    if status.is_success() {
        let text = if text.is_empty() { "null" } else { &text };
        return serde_json::from_str(text).with_context(|| format!("{status}, without a JSON answer"));
    }
    let sentence = error_sentence(status.as_u16(), &serde_json::from_str(&text).unwrap_or_default());
    Err(Refused { status, sentence }.into())
}

/// How long a server wants to be left alone that did not do what it was asked. One that answers 503 may have done it, so
/// that only what changes nothing is asked again.
fn wait_before_again(method: &Method, response: &Response) -> Option<Duration> {
    let may_go_again = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => *method == Method::GET,
        _ => false,
    };
    let told = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let told = told.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    may_go_again.then(|| told.unwrap_or(USUAL_WAIT).min(LONGEST_WAIT))
}

/// A text of a server's answer.
pub(super) fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let text = answer.get(field).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("the server's answer has no `{field}`"))
}

/// Parts of a path are escaped, whatever a caller's `uid` is.
fn api_url(base: &Url, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| anyhow!("{base} is not the URL of a server"))?
        .pop_if_empty()
        .extend(["api", "v1"])
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// An error of the API as one sentence.
fn error_sentence(status: u16, body: &Value) -> String {
    match body.get("detail") {
        Some(Value::String(detail)) => format!("{detail} ({status})"),
        Some(Value::Array(fields)) => fields.iter().map(field_error_sentence).collect::<Vec<_>>().join("; "),
        _ => format!("the server answers {status}"),
    }
}

fn field_error_sentence(field: &Value) -> String {
    let loc = field.get("loc").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let path: Vec<&str> = loc.iter().skip(1).filter_map(Value::as_str).collect();
    let msg = field.get("msg").and_then(Value::as_str).unwrap_or_default();
    format!("{}: {msg}", path.join("."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_follow_the_server_and_are_escaped() {
        for (base, expected) in [
            ("http://h:1", "http://h:1/api/v1/app/a%2Fb/dead-letter?limit=1"),
            ("http://h:1/", "http://h:1/api/v1/app/a%2Fb/dead-letter?limit=1"),
            ("https://h/below", "https://h/below/api/v1/app/a%2Fb/dead-letter?limit=1"),
        ] {
            let query = [("limit", "1".to_owned())];
            let url = api_url(&base.parse().unwrap(), &["app", "a/b", "dead-letter"], &query).unwrap();
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn errors_read_as_sentences() {
        let conflict = json!({"code": "already_replayed", "detail": "It was replayed."});
        assert_eq!(error_sentence(409, &conflict), "It was replayed. (409)");
        let invalid = json!({"detail": [{"loc": ["body", "since"], "msg": "no time", "type": "x"}]});
        assert_eq!(error_sentence(422, &invalid), "since: no time");
        assert_eq!(error_sentence(502, &json!(null)), "the server answers 502");
    }
}
