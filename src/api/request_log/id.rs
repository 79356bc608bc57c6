//! Each request has an id, which stands in its answer, in the body of an error, and in every line that is logged on its way.
//! Whoever complains names it. A caller that has one already gives it, and finds the request in both logs by it.

use axum::body::{HttpBody as _, to_bytes};
use axum::response::{IntoResponse as _, Response};
use bytes::{BufMut as _, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::api::error::{AnsweredError, ApiError};
use crate::domain::id::RequestId;

/// The header of the request and of its answer.
pub(in crate::api) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A caller's id is no longer.
const MAX_CHARACTERS: usize = 128;
/// The body of an error that is longer stays as it is; the header names the request all the same.
const MAX_BODY_BYTES: u64 = 256 << 10;

/// The caller's id, if it can stand in a log as it is; a new one otherwise.
pub(super) fn of_request(headers: &HeaderMap) -> String {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    given.filter(|id| is_sane(id)).map_or_else(|| RequestId::generate().to_string(), str::to_owned)
}

fn is_sane(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&byte);
    (1..=MAX_CHARACTERS).contains(&id.len()) && id.bytes().all(allowed)
}

/// The answer with the id: in its head, and in the body if it is an error's.
pub(super) async fn put_into(id: &str, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HEADER, value);
    }
    let is_error = response.extensions().get::<AnsweredError>().is_some();
    let is_short = response.body().size_hint().exact().is_some_and(|bytes| bytes <= MAX_BODY_BYTES);
    if !is_error || !is_short {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is in memory already, and no longer than it said.
    let Ok(body) = to_bytes(body, usize::MAX).await else { return ApiError::Internal.into_response() };
    let Some(object) = body.strip_suffix(b"}") else { return Response::from_parts(parts, body.into()) };
    let mut named = BytesMut::from(object);
    // Its characters need no escapes.
    named.put_slice(b",\"requestId\":\"");
    named.put_slice(id.as_bytes());
    named.put_slice(b"\"}");
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, named.freeze().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_id_is_taken_if_a_log_can_have_it_as_it_is() {
        let of = |id: &str| of_request(&HeaderMap::from_iter([(HEADER, HeaderValue::from_str(id).unwrap())]));
        assert_eq!(of("6f1c-4:a/b"), "6f1c-4:a/b");
        for other in ["", "a b", "a\"b", &"x".repeat(129)] {
            assert!(of(other).starts_with("req_"), "{other}");
        }
        assert!(of_request(&HeaderMap::new()).starts_with("req_"));
    }

    #[tokio::test]
    async fn an_error_names_its_request_and_another_answer_does_not() {
        let body = |response: Response| async { to_bytes(response.into_body(), 10_000).await.unwrap() };
        let error = put_into("a-1", ApiError::NotFound.into_response()).await;
        assert_eq!(error.headers()[HEADER], "a-1");
        let error: serde_json::Value = serde_json::from_slice(&body(error).await).unwrap();
        assert_eq!((&error["code"], &error["requestId"]), (&"not_found".into(), &"a-1".into()));
        let answer = put_into("a-1", axum::Json(serde_json::json!({"code": "x"})).into_response()).await;
        assert_eq!(body(answer).await, "{\"code\":\"x\"}");
    }
}
