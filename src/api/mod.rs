//! The HTTP API: one file a resource. It validates, asks `store/` or `ingest/`, and shapes answers.
//!
//! Every answer that has a body has a JSON one, whatever went wrong. A trailing slash is optional everywhere.

pub mod conventions;
pub mod credential;
mod endpoint_caps;
pub mod error;
pub mod intake;
pub mod openapi;
pub mod resource;
mod shared_views;
pub mod state;

use std::any::Any;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::{Method, Request, Uri, header};
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use conventions::bounds::BodyBounds;
use conventions::idempotency::{IdempotencyLayer, answer_once};
use conventions::take_in::{Intake, take_in};
use conventions::{bounds, in_force, not_served, parameters};
use error::ApiError;
use openapi::{docs, errors, examples};
use state::SharedState;

pub use credential::{Authenticator, ENVIRONMENT_HEADER, InvalidTokenKey, TokenKey};
pub use endpoint_caps::EndpointCaps;
pub use intake::budget::Budgets;
pub use intake::connection::CallerConnection;
pub use intake::limits::IntakeLimits;
pub use shared_views::ServerPolicies;
pub use shared_views::SharedViews;
pub use state::ApiState;

/// All resources.
fn resources() -> OpenApiRouter<SharedState> {
    OpenApiRouter::with_openapi(docs::Head::openapi()).merge(resource::routes())
}

/// The API's description.
pub fn openapi() -> utoipa::openapi::OpenApi {
    parts().1
}

/// The routes, and their description with examples.
fn parts() -> (Router<SharedState>, utoipa::openapi::OpenApi) {
    let (router, mut specification) = resources().split_for_parts();
    parameters::add_idempotency_keys(&mut specification);
    errors::add_errors(&mut specification);
    examples::add_examples(&mut specification);
    (router, bounds::add_bounds(specification))
}

/// The API as a service.
pub fn router(state: ApiState) -> Router {
    let cors = cors(&state);
    let state = Arc::new(state);
    let (router, specification) = parts();
    let body_bounds = Arc::new(BodyBounds::of(&specification));
    let router = router
        .merge(docs::routes(specification))
        .merge(not_served::routes())
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // From the outside in. One layer of all of them: each that stands alone costs every request two boxes.
        .layer((
            cors,
            from_fn_with_state(Intake::new(state.clone()), take_in),
            from_fn_with_state(IdempotencyLayer::new(state.clone()), answer_once),
            from_fn_with_state(state.clone(), in_force::answer_in_force),
            Extension(body_bounds),
            CatchPanicLayer::custom(answer_panic as fn(Box<dyn Any + Send>) -> Response),
        ))
        .with_state(state);
    // A layer of the router would run after the path was matched.
    Router::new().fallback_service(MapRequestLayer::new(trim_slash).layer(router))
}

/// Takes slashes off the end of a path of the API. The readable page is left alone: its own links need one.
fn trim_slash<B>(mut request: Request<B>) -> Request<B> {
    let path = request.uri().path();
    let trimmed = path.trim_end_matches('/');
    if path.starts_with("/api/") && trimmed.len() < path.len() {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = format!("{trimmed}{query}").parse().ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Browsers may call from the listed origins, with a tenant's token.
fn cors(state: &ApiState) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(state.cors_origins.clone())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::RETRY_AFTER])
        .max_age(std::time::Duration::from_secs(3600))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let what = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = what.unwrap_or("of an unknown kind"), "a request panicked");
    ApiError::Internal.into_response()
}

#[cfg(test)]
mod tests;
