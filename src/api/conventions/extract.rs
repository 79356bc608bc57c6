//! What handlers take out of a request. Each extractor refuses with the API's own errors, so that a client
//! never meets an answer that is not JSON.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use url::form_urlencoded;

use crate::api::state::SharedState;
use crate::domain::settings::Unreadable;

use super::bounds::known_names;
use super::bounds::{self, BodyBounds};
use crate::api::error::ApiError;

/// The database's texts cannot hold U+0000, so nothing has it in its name.
const ENCODED_NUL: &str = "%00";

/// A JSON body of that shape.
pub struct JsonBody<T>(pub T);

/// A JSON body that is read when its handler says so.
pub struct UnreadBody<T> {
    bytes: Bytes,
    method: Method,
    path: Option<MatchedPath>,
    bounds: Arc<BodyBounds>,
    shape: PhantomData<fn() -> T>,
}

/// A JSON body's bytes, as they came: declared as JSON and within the limit, but not yet read.
pub struct RawBody(pub Bytes);

/// The query parameters of that shape. Those that the operation does not have were refused before.
pub struct ApiQuery<T>(pub T);

impl FromRequest<SharedState> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &SharedState) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        // It was read before, within its limit: see `intake`.
        to_bytes(request.into_body(), usize::MAX).await.map(Self).map_err(|_| ApiError::Internal)
    }
}

/// Clients that send no content type at all are believed.
fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json { Ok(()) } else { Err(ApiError::UnsupportedMediaType) }
}

impl<T> FromRequest<SharedState> for UnreadBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &SharedState) -> Result<Self, ApiError> {
        let method = request.method().clone();
        let path = request.extensions().get::<MatchedPath>().cloned();
        let bounds = request.extensions().get::<Arc<BodyBounds>>().cloned().ok_or(ApiError::Internal)?;
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        Ok(Self { bytes, method, path, bounds, shape: PhantomData })
    }
}

impl<T: DeserializeOwned> UnreadBody<T> {
    /// Reads it. That takes a while if it is large.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub fn read(self) -> Result<T, ApiError> {
        let Self { bytes, method, path, bounds, .. } = self;
        let (method, path) = (method.as_str(), path.as_ref().map_or("", MatchedPath::as_str));
        bounds.check_values(method, path, &bytes)?;
        // What is made of the body to check it has gone before the body is read, so that it is in memory once.
        let within_bounds = bounds.check(method, path, &bytes);
        let value = parse(&bytes)?;
        within_bounds.map(|()| value)
    }
}

impl<T: DeserializeOwned + Send + 'static> FromRequest<SharedState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &SharedState) -> Result<Self, ApiError> {
        let body = UnreadBody::<T>::from_request(request, state).await?;
        state.bodies.read(body.bytes.len(), || body.read().map(Self)).await
    }
}

/// The same for a body that may be left out.
pub struct OptionalJsonBody<T>(pub Option<T>);

impl<T: DeserializeOwned + Send + 'static> FromRequest<SharedState> for OptionalJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &SharedState) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.map_err(|_| ApiError::Internal)?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        let JsonBody(value) = JsonBody::from_request(Request::from_parts(head, bytes.into()), state).await?;
        Ok(Self(Some(value)))
    }
}

/// Reads a JSON body; what is wrong is named by its place.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ApiError> {
    require_object(bytes)?;
    // To follow the path costs as much as to read, so only what is wrong is read a second time.
    serde_json::from_slice(bytes).or_else(|_| {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| refused_json(error.path(), error.inner()))?;
        deserializer.end().map_err(|error| refused_syntax(&error))?;
        Ok(value)
    })
}

/// A list would be taken for the fields in their order.
fn require_object(bytes: &[u8]) -> Result<(), ApiError> {
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return Ok(());
    }
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| refused_syntax(&error))?;
    Err(ApiError::invalid(&["body"], "must be an object", "type_error"))
}

fn refused_syntax(error: &serde_json::Error) -> ApiError {
    let msg = format!("the body is not JSON (line {}, column {})", error.line(), error.column());
    ApiError::invalid(&["body"], msg, "json_invalid")
}

/// Fields that cannot be read, as a 422 that names the place.
pub(in crate::api) fn unreadable(wrong: &Unreadable) -> ApiError {
    refused_json(wrong.path(), wrong.inner())
}

fn refused_json(path: &serde_path_to_error::Path, error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        return refused_syntax(error);
    }
    let mut loc = vec!["body".to_owned()];
    loc.extend(path.iter().map(ToString::to_string).filter(|part| part != "?"));
    let text = error.to_string();
    let msg = text.rsplit_once(" at line ").map_or(text.as_str(), |(msg, _)| msg);
    if let Some((unknown, known)) = unknown_field(msg) {
        loc.retain(|part| part != unknown);
        let place: Vec<&str> = loc.iter().map(String::as_str).collect();
        return known_names::unknown(&place, unknown, known);
    }
    let missing = msg.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let parts: Vec<&str> = loc.iter().map(String::as_str).chain(missing).collect();
    match missing {
        Some(_) => ApiError::invalid(&parts, "field required", "missing"),
        None => ApiError::invalid(&parts, msg, "type_error"),
    }
}

/// The name in a message such as "unknown field `a`, expected one of `b`, `c`", and those that are known.
fn unknown_field(msg: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let mut names = msg.strip_prefix("unknown field `")?.split('`');
    Some((names.next()?, names.skip(1).step_by(2)))
}

impl<T: DeserializeOwned> FromRequestParts<SharedState> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &SharedState) -> Result<Self, ApiError> {
        if parts.uri.query().is_some_and(|query| query.contains(ENCODED_NUL)) {
            return Err(ApiError::invalid(
                &["query"],
                "must not contain the character U+0000",
                "value_error",
            ));
        }
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        for (name, value) in pairs.filter(|(name, _)| !name.starts_with("event_types")) {
            let most = bounds::text_bound(&name);
            if value.chars().count() > most {
                let msg = format!("may have {most} characters at most");
                return Err(ApiError::invalid(&["query", &name], msg, "value_error"));
            }
        }
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| refused_query(&rejection.body_text()))
    }
}

/// The message is `Failed to …: field: what`.
fn refused_query(text: &str) -> ApiError {
    let what = text.split_once(": ").map_or(text, |(_, what)| what);
    match what.split_once(": ") {
        Some((field, what)) => ApiError::invalid(&["query", field], what, "value_error"),
        None => ApiError::invalid(&["query"], what, "value_error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters")]
        count: u32,
    }

    fn refused(body: &str) -> (String, &'static str) {
        let ApiError::Invalid(mut fields) = parse::<Shape>(body.as_bytes()).unwrap_err() else { panic!() };
        let field = fields.remove(0);
        (field.loc.join("."), field.kind)
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        assert_eq!(refused("{}"), ("body.name".to_owned(), "missing"));
        assert_eq!(refused(r#"{"name":1}"#), ("body.name".to_owned(), "type_error"));
        assert_eq!(refused(r#"{"name":"a","inner":{}}"#), ("body.inner.count".to_owned(), "missing"));
        assert_eq!(refused("{"), ("body".to_owned(), "json_invalid"));
        assert_eq!(refused(r#"{"name":"a"} x"#), ("body".to_owned(), "json_invalid"));
        assert_eq!(refused(r#"["a", null, null]"#), ("body".to_owned(), "type_error"));
        assert_eq!(refused(""), ("body".to_owned(), "json_invalid"));
        assert_eq!(refused(r#"{"nmae":"a"}"#), ("body.nmae".to_owned(), "extra_forbidden"));
        assert!(parse::<Shape>(br#"{"name":"a"}"#).unwrap().inner.is_none());
        assert_eq!(parse::<Shape>(br#"{"name":"a"}"#).unwrap().name, "a");
    }

    #[test]
    fn a_field_that_is_not_known_is_named_with_the_one_that_was_meant() {
        let refused = parse::<Shape>(br#"{"name":"a","iner":{}}"#).unwrap_err();
        let ApiError::Invalid(fields) = refused else { panic!() };
        assert_eq!(fields[0].msg, "is not known; did you mean `inner`?");
    }

    #[test]
    fn only_json_is_taken() {
        let check = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(value));
            require_json(&headers)
        };
        assert!(check("application/json; charset=utf-8").is_ok());
        assert!(check("application/cloudevents+json").is_ok());
        assert_eq!(check("text/plain"), Err(ApiError::UnsupportedMediaType));
        assert!(require_json(&HeaderMap::new()).is_ok());
    }
}
