//! What goes wrong, as clients see it: `{"code", "detail"}`, or a list of fields for what does not validate.
//! This is the boundary where a source is logged, once; nothing of it reaches the client.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

/// An error that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No credentials, or none that hold.
    Unauthenticated(&'static str),
    /// The credentials hold, but not for this.
    Forbidden,
    /// 403, for a reason of its own.
    Refused {
        /// In `snake_case`.
        code: &'static str,
        /// A sentence.
        detail: &'static str,
    },
    /// An operator has to say which environment is meant.
    EnvironmentRequired,
    /// It is not there, or not the caller's.
    NotFound,
    /// The same, when it is known what kind of object that is: `application`, `endpoint`.
    NoSuch(&'static str),
    /// Nothing is served at this path.
    NoSuchPath,
    /// Client libraries know it, and we do not serve it. It is answered as what is not there, because client libraries try
    /// again what looks like an error of ours.
    NotImplemented,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The write contradicts what is there.
    Conflict {
        /// In `snake_case`.
        code: &'static str,
        /// A sentence.
        detail: &'static str,
    },
    /// Fields that do not validate.
    Invalid(Vec<FieldError>),
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// 431, when the request's path and headers are larger than this many bytes.
    HeadTooLarge(usize),
    /// The body did not come in time.
    BodyTimeout,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// Too many failed attempts; come back after this many seconds.
    TooManyFailures(u32),
    /// This is asked for too often; come back after this many seconds.
    TooManyRequests(u32),
    /// Too much at once; come back after this many seconds.
    Overloaded(u32),
    /// Something that we need is not there for now.
    Unavailable,
    /// Ours to repair.
    Internal,
}

/// One field that does not validate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The way to it, from `body`, `query`, `path` or `header` on.
    #[schema(example = json!(["body", "url"]))]
    pub loc: Vec<String>,
    /// What is wrong with it.
    pub msg: String,
    /// The kind of error, for programs.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// An answer that is an error carries its code, for those who count and name requests.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredError {
    /// The kind of error.
    pub code: &'static str,
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorOut {
    /// The kind of error, for programs.
    #[schema(example = "not_found")]
    pub code: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// The request's id, as in the header `x-request-id`.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    #[schema(example = "req_01k5c3pzr5e6vb7h8m9n0p1q2r")]
    pub request_id: Option<String>,
}

/// An input that does not validate.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidationErrorOut {
    /// Every field that is wrong.
    pub detail: Vec<FieldError>,
    /// The request's id, as in the header `x-request-id`.
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

const UNAVAILABLE_RETRY_SECONDS: u32 = 2;

impl ApiError {
    /// A single field that does not validate.
    pub fn invalid(loc: &[&str], msg: impl Into<String>, kind: &'static str) -> Self {
        let loc = loc.iter().map(|part| (*part).to_owned()).collect();
        Self::Invalid(vec![FieldError { loc, msg: msg.into(), kind }])
    }

    /// The same, with the fields as parts of what stands at `place`.
    pub fn within(self, place: &[&str]) -> Self {
        let Self::Invalid(mut fields) = self else { return self };
        for field in &mut fields {
            let rest = field.loc.split_off(field.loc.len().min(1));
            field.loc.extend(place.iter().map(|part| (*part).to_owned()).chain(rest));
        }
        Self::Invalid(fields)
    }

    /// The same, with what is said of the field `of` said of `name`.
    pub fn renamed(self, of: &str, name: &str) -> Self {
        let Self::Invalid(mut fields) = self else { return self };
        for part in fields.iter_mut().filter_map(|field| field.loc.get_mut(1)).filter(|part| *part == of) {
            name.clone_into(part);
        }
        Self::Invalid(fields)
    }

    /// The same, where it is now known what was not found.
    #[must_use]
    pub fn about(self, object: &'static str) -> Self {
        if self == Self::NotFound { Self::NoSuch(object) } else { self }
    }

    /// Whether it says that something is not there.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound | Self::NoSuch(_))
    }

    /// The status of its answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Refused { .. } => StatusCode::FORBIDDEN,
            Self::EnvironmentRequired => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoSuch(_) | Self::NoSuchPath | Self::NotImplemented => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadTooLarge(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyFailures(_) | Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded(_) | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code_and_detail(&self) -> (&'static str, String) {
        match self {
            Self::Unauthenticated(detail) => ("authentication_failed", (*detail).to_owned()),
            Self::Forbidden => ("forbidden", "These credentials do not allow this operation.".to_owned()),
            Self::EnvironmentRequired => (
                "environment_required",
                "Name the environment in the `postrider-environment` header.".to_owned(),
            ),
            Self::NotFound => ("not_found", "There is no such object.".to_owned()),
            Self::NoSuch(object) => ("not_found", format!("There is no such {object}.")),
            Self::NoSuchPath => ("not_found", "There is nothing at this path; see /docs.".to_owned()),
            Self::NotImplemented => {
                ("not_implemented", "Postrider does not serve this operation.".to_owned())
            }
            Self::MethodNotAllowed => {
                ("method_not_allowed", "This path does not take that method.".to_owned())
            }
            Self::Conflict { code, detail } | Self::Refused { code, detail } => (code, (*detail).to_owned()),
            Self::TooManyFailures(_) => {
                ("too_many_failures", "Too many failed attempts from this address; wait a moment.".to_owned())
            }
            Self::Invalid(_) => ("validation", "The input does not validate.".to_owned()),
            Self::HeadTooLarge(limit) => {
                ("head_too_large", format!("The path and headers may have {limit} bytes at most."))
            }
            Self::TooLarge(limit) => {
                ("payload_too_large", format!("The body may have {limit} bytes at most."))
            }
            Self::BodyTimeout => ("body_timeout", "The body did not come in time.".to_owned()),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", "The body must be `application/json`.".to_owned())
            }
            Self::TooManyRequests(_) => {
                ("too_many_requests", "This is asked for too often; see `Retry-After`.".to_owned())
            }
            Self::Overloaded(_) => ("overloaded", "Too much at once; try again in a moment.".to_owned()),
            Self::Unavailable => ("unavailable", "The service is unavailable; try again soon.".to_owned()),
            Self::Internal => ("internal_error", "Something went wrong on our side.".to_owned()),
        }
    }

    /// Its kind, for programs.
    pub fn code(&self) -> &'static str {
        self.code_and_detail().0
    }

    const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Overloaded(seconds) | Self::TooManyFailures(seconds) | Self::TooManyRequests(seconds) => {
                Some(*seconds)
            }
            Self::Unavailable => Some(UNAVAILABLE_RETRY_SECONDS),
            _ => None,
        }
    }
}

/// An error without its status, as a part of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ErrorBody {
    /// An input that does not validate.
    Validation(ValidationErrorOut),
    /// Any other.
    Other(ErrorOut),
}

impl From<ApiError> for ErrorBody {
    fn from(error: ApiError) -> Self {
        let (code, detail) = error.code_and_detail();
        match error {
            // The outermost layer puts the id in: who answers does not know it.
            ApiError::Invalid(detail) => Self::Validation(ValidationErrorOut { detail, request_id: None }),
            _ => Self::Other(ErrorOut { code, detail, request_id: None }),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry_after = self.retry_after();
        let answered = AnsweredError { code: self.code() };
        let mut response = (status, Json(ErrorBody::from(self))).into_response();
        response.extensions_mut().insert(answered);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl From<Arc<StoreError>> for ApiError {
    fn from(error: Arc<StoreError>) -> Self {
        Self::of_store(&error)
    }
}

impl ApiError {
    fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::Conflict(detail) => Self::Conflict { code: "conflict", detail },
            StoreError::Unavailable(source) => {
                tracing::warn!(error = source as &dyn std::error::Error, "the database is unavailable");
                Self::Unavailable
            }
            StoreError::LeaseLost => {
                tracing::warn!("a request met a lost lease");
                Self::Unavailable
            }
            StoreError::ValueRefused(source) => {
                tracing::error!(error = source as &dyn std::error::Error, "the database refused a value");
                Self::Internal
            }
            StoreError::Inconsistent(what) => {
                tracing::error!(what, "the store is inconsistent");
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body_of(error: ApiError) -> (StatusCode, Option<HeaderValue>, serde_json::Value) {
        let response = error.into_response();
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, retry_after, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_conflict_of_the_store_is_409_with_code_and_detail() {
        let (status, _, body) = body_of(StoreError::Conflict("The id is taken.").into()).await;
        assert_eq!(status, 409);
        assert_eq!(body, serde_json::json!({"code": "conflict", "detail": "The id is taken."}));
    }

    #[tokio::test]
    async fn an_inconsistent_store_shows_nothing_of_itself() {
        let (status, _, body) = body_of(StoreError::Inconsistent("SELECT secret".to_owned()).into()).await;
        assert_eq!(status, 500);
        assert!(!body.to_string().contains("SELECT"));
    }

    #[tokio::test]
    async fn what_may_pass_says_when_to_come_back() {
        let (status, retry_after, body) = body_of(StoreError::LeaseLost.into()).await;
        assert_eq!((status.as_u16(), body["code"].as_str()), (503, Some("unavailable")));
        assert_eq!(retry_after.unwrap(), "2");
    }

    #[tokio::test]
    async fn validation_names_each_field() {
        let error = ApiError::invalid(&["body", "url"], "is not a URL", "value_error");
        let (status, _, body) = body_of(error).await;
        assert_eq!(status, 422);
        assert_eq!(body["detail"][0]["loc"], serde_json::json!(["body", "url"]));
        assert_eq!(body["detail"][0]["type"], "value_error");
    }
}
