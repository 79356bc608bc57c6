//! The HTTP API: one file a resource. It validates, asks `store/` or `ingest/`, and shapes answers.
//!
//! Every answer that has a body has a JSON one, whatever went wrong. A trailing slash is optional everywhere.

mod caller_address;
pub mod conventions;
pub mod credential;
mod embedders;
mod endpoint_caps;
pub mod error;
mod inbox_address;
pub mod intake;
mod live_streams;
pub mod openapi;
mod public_names;
mod request_log;
pub mod resource;
mod shared_views;
mod sign_in_failures;
pub mod state;
mod stream_rooms;
mod trials;

use std::any::Any;
use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::request::Parts;
use http::{Method, header};
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use conventions::bounds::BodyBounds;
use conventions::bounds::known_names::QueryNames;
use conventions::idempotency::{IdempotencyLayer, answer_once};
use conventions::take_in::{Intake, take_in};
use conventions::{bounds, in_force, not_served, parameters, target};
use error::ApiError;
use openapi::{docs, errors, examples};
use request_log::RequestLog;
use state::SharedState;

pub use credential::{Authenticator, Cookies, ENVIRONMENT_HEADER, InvalidTokenKey, TokenKey};
pub use embedders::Embedders;
pub use endpoint_caps::EndpointCaps;
pub use intake::answer::TakeBy;
pub use intake::budget::Budgets;
pub use intake::connection::CallerConnection;
pub use intake::content_page::ContentPages;
pub use intake::large_body::BodyReader;
pub use intake::limits::IntakeLimits;
pub use live_streams::LiveStreams;
pub use public_names::PublicNames;
pub use resource::session::{openid_redirect, sign_in_url};
pub use shared_views::ServerPolicies;
pub use shared_views::SharedViews;
pub use sign_in_failures::SignInFailures;
pub use state::ApiState;
pub use stream_rooms::{MaxStreams, StreamRooms};
pub use trials::Trials;

/// All resources.
fn resources() -> OpenApiRouter<SharedState> {
    OpenApiRouter::with_openapi(docs::Head::openapi()).merge(resource::routes())
}

/// The API's description.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described(resources().split_for_parts().1)
}

/// The description of what the routes say of themselves, with what is the same for many of them.
fn described(mut specification: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    parameters::add_idempotency_keys(&mut specification);
    parameters::add_environments(&mut specification);
    errors::add_errors(&mut specification);
    examples::add_examples(&mut specification);
    bounds::add_bounds(specification)
}

/// The API as a service.
pub fn router(state: ApiState) -> Router {
    let cors = cors(&state);
    let base = target::base_of(&state.public_url);
    let request_log = RequestLog { access_log: state.access_log };
    let state = Arc::new(state);
    let (router, specification) = resources().split_for_parts();
    let inputs = bounds::bounded(&specification);
    let query_names = Arc::new(QueryNames::of(&inputs));
    let body_bounds = Arc::new(BodyBounds::of(&inputs));
    let router = router
        .merge(docs::routes(move || described(specification.clone())))
        .merge(not_served::routes())
        .merge(resource::unlisted_routes())
        .fallback(page_or_nothing)
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // From the outside in. One layer of all of them: each that stands alone costs every request two boxes.
        .layer((
            request_log,
            cors,
            Extension(query_names),
            from_fn_with_state(Intake::new(state.clone()), take_in),
            from_fn_with_state(IdempotencyLayer::new(state.clone()), answer_once),
            from_fn_with_state(state.clone(), in_force::answer_in_force),
            Extension(body_bounds),
            CatchPanicLayer::custom(answer_panic as fn(Box<dyn Any + Send>) -> Response),
        ))
        .with_state(state);
    // A layer of the router would run after the path was matched.
    let known = move |request| target::as_routes_know_it(request, &base);
    Router::new().fallback_service(MapRequestLayer::new(known).layer(router))
}

/// What is no route of the API may be a page's.
async fn page_or_nothing(State(state): State<SharedState>, request: Parts) -> Response {
    if let Some(page) = state.documentation.answer(&request) {
        return page;
    }
    let Some(console) = &state.console else { return ApiError::NoSuchPath.into_response() };
    let embed_origins = state.embedders.origins().await;
    let page = console.answer(&request, &embed_origins);
    page.unwrap_or_else(|| ApiError::NoSuchPath.into_response())
}

/// Browsers may call from the listed origins, with a tenant's token.
fn cors(state: &ApiState) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(state.cors_origins.clone())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::RETRY_AFTER, request_log::id::HEADER])
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
