//! A request and its answer, as people look at them side by side.

use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::resource::attempt::exchange::HeaderOut;
use crate::api::resource::attempt::request::RequestOut;
use crate::domain::endpoint::custom_header;
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// What proves a request is meant to be seen, though its name says that it is a secret.
const SHOWN: [&str; 3] = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];

/// A request and its answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExchangeOut {
    /// The request.
    pub(super) request: RequestOut,
    /// The answer's status; `null` when there was none.
    #[schema(required)]
    pub(super) response_status_code: Option<u16>,
    /// The answer's headers, 64 at most.
    pub(super) response_headers: Vec<HeaderOut>,
    /// The start of the answer's body, 16 KiB at most.
    #[schema(example = "out of order")]
    pub(super) response_body: String,
}

/// Headers as they are shown: without values that are secrets by their names.
pub(super) fn shown_headers(headers: &HeaderMap) -> Vec<HeaderOut> {
    let shown =
        |name: &http::HeaderName| SHOWN.contains(&name.as_str()) || !custom_header::is_sensitive(name);
    headers
        .iter()
        .map(|(name, value)| HeaderOut {
            name: name.as_str().to_owned(),
            value: shown(name).then(|| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_signatures_shown() {
        let headers = [("authorization", "Bearer x"), ("webhook-signature", "v1,x"), ("x-tenant", "a")];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let shown = shown_headers(&HeaderMap::from_iter(headers));
        let value = |name: &str| shown.iter().find(|header| header.name == name).unwrap().value.as_deref();
        assert_eq!(value("authorization"), None);
        assert_eq!((value("webhook-signature"), value("x-tenant")), (Some("v1,x"), Some("a")));
    }
}
