//! The logos themselves, which browsers load without a credential, under names that cannot be guessed.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};

use crate::api::error::ApiError;
use crate::api::state::SharedState;

const PATH: &str = "/api/v1/portal/logo/{name}";

/// Whatever the bytes are, they are shown as an image and run nothing.
const FIXED: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
];

const NO_LOGO: ApiError = ApiError::NoSuch("logo");

async fn show(
    State(state): State<SharedState>,
    name: Result<Path<String>, PathRejection>,
    request: Parts,
) -> Result<Response, ApiError> {
    // A name that is not UTF-8 is nobody's.
    let Path(name) = name.map_err(|_| NO_LOGO)?;
    let name = name.parse().map_err(|_| NO_LOGO)?;
    let question = state.public_names.ask(&request, &state.trusted_proxies)?;
    let logo = state.portal.logo(&name).await?.ok_or(NO_LOGO)?;
    question.found();
    let mut response = Body::from(logo.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(logo.kind.content_type()));
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The route.
pub(super) fn unlisted_routes() -> Router<SharedState> {
    Router::new().route(PATH, get(show))
}
