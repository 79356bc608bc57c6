//! Calls of the API of a running server.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::Remote;
use crate::send::install_tls_provider;

use super::table;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest page that the API gives.
const MAX_PAGE_SIZE: usize = 250;

/// Which server a command calls, as whom, and how it shows the answer.
#[derive(Debug, Args)]
pub(super) struct Server {
    /// The server [env: POSTRIDER_URL] [default: http://127.0.0.1:8071]
    #[arg(long)]
    url: Option<String>,
    /// An environment's token, or a tenant's for its own application [env: POSTRIDER_TOKEN]
    #[arg(long)]
    token: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
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
        Client::new(&Remote::resolve(self.url.clone(), self.token.clone())?)
    }

    /// Prints an answer: as it came, or as `text` says it.
    pub(super) fn print(&self, answer: &Value, text: impl FnOnce(&Value) -> String) -> anyhow::Result<()> {
        super::print(&if self.json { serde_json::to_string_pretty(answer)? } else { text(answer) })
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

/// A server and who calls it.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
}

impl Client {
    fn new(remote: &Remote) -> anyhow::Result<Self> {
        let url = &remote.url;
        install_tls_provider();
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build()?;
        let base: Url = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
        anyhow::ensure!(!base.cannot_be_a_base(), "{url:?} is not the URL of a server");
        Ok(Self { http, base, token: remote.token.clone() })
    }

    pub(super) async fn get(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.call(self.request(Method::GET, path, query)?).await
    }

    /// An answer as it came, byte for byte.
    pub(super) async fn get_raw(&self, path: &[&str]) -> anyhow::Result<Box<RawValue>> {
        self.call(self.request(Method::GET, path, &[])?).await
    }

    pub(super) async fn post(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<Value> {
        self.call(self.request(Method::POST, path, &[])?.json(body)).await
    }

    /// The first entries of a list, page by page.
    pub(super) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        limit: usize,
    ) -> anyhow::Result<Vec<Value>> {
        let mut entries: Vec<Value> = Vec::new();
        let mut iterator: Option<String> = None;
        while entries.len() < limit {
            let mut query = query.to_vec();
            query.push(("limit", (limit - entries.len()).min(MAX_PAGE_SIZE).to_string()));
            query.extend(iterator.take().map(|iterator| ("iterator", iterator)));
            let mut page = self.get(path, &query).await?;
            let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) else {
                bail!("the server's answer is not a list");
            };
            entries.extend(data);
            iterator = page.get("iterator").and_then(Value::as_str).map(str::to_owned);
            if iterator.is_none() || page.get("done") == Some(&Value::Bool(true)) {
                break;
            }
        }
        Ok(entries)
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

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = request.send().await.with_context(|| format!("{} does not answer", self.base))?;
        let status = response.status();
        let no_json = || format!("{status}, without a JSON answer");
        let body = response.bytes().await.with_context(no_json)?;
        if status.is_success() {
            return serde_json::from_slice(&body).with_context(no_json);
        }
        let error: Value = serde_json::from_slice(&body).with_context(no_json)?;
        Err(anyhow!("{}", error_sentence(status.as_u16(), &error)))
    }
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
