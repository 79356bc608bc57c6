//! The API's own description: OpenAPI 3.1, derived from the code, and a page to read it on. Both are served by
//! the binary, without the network.

use std::collections::BTreeMap;

use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{IntoParams, IntoResponses, Modify};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::api::conventions::error::{ErrorOut, ValidationErrorOut};

const SPECIFICATION_PATH: &str = "/api/v1/openapi.json";

/// The errors that any operation with credentials can answer.
pub struct Errors;

/// The errors of an operation that takes a body, besides.
pub struct BodyErrors;

const COMMON: [(&str, &str); 6] = [
    ("401", "No credentials, or none that hold."),
    ("403", "The credentials do not allow this operation."),
    ("404", "There is no such object, or it is another's."),
    ("431", "The path and headers are too large."),
    ("500", "Something went wrong on our side."),
    ("503", "Overloaded, or not available for now; see `Retry-After`."),
];

const WITH_BODY: [(&str, &str); 4] = [
    ("408", "The body did not come in time."),
    ("409", "It contradicts what is there."),
    ("413", "The body is too large."),
    ("415", "The body is not declared as JSON."),
];

fn json_of(schema: &str) -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build()
}

fn error(status: &str, description: &str, schema: &str) -> (String, RefOr<Response>) {
    let response =
        ResponseBuilder::new().description(description).content("application/json", json_of(schema)).build();
    (status.to_owned(), RefOr::T(response))
}

impl IntoResponses for Errors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        COMMON
            .iter()
            .map(|(status, description)| error(status, description, "ErrorOut"))
            .chain([error("422", "Something in the input does not validate.", "ValidationErrorOut")])
            .collect()
    }
}

impl IntoResponses for BodyErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let own = WITH_BODY.iter().map(|(status, description)| error(status, description, "ErrorOut"));
        Errors::responses().into_iter().chain(own).collect()
    }
}

/// The path of an endpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EndpointPath {
    /// The application's id or `uid`.
    pub app_id: String,
    /// The endpoint's id or `uid`.
    pub endpoint_id: String,
}

/// What stands above the operations.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Postrider", description = "Sends webhooks: stores them, signs them, delivers them, \
        retries them, and keeps what could not be delivered."),
    components(schemas(ErrorOut, ValidationErrorOut)),
    modifiers(&Bearer),
    tags(
        (name = "application", description = "The tenants of an environment."),
        (name = "endpoint", description = "Where a tenant's messages go."),
        (name = "event-type", description = "The catalogue of an environment."),
        (name = "message", description = "What was accepted, to be sent to the endpoints that want it."),
        (name = "attempt", description = "The requests that were made, and what came back."),
        (name = "dead letter", description = "Deliveries that failed for good, and how they come back."),
        (name = "background task", description = "Long operations with their progress."),
        (name = "operational webhook", description = "What an environment is told about its tenants' endpoints."),
        (name = "statistics", description = "Deliveries over time, and how an environment is used."),
        (name = "admin", description = "What operators see and do."),
        (name = "authentication", description = "Tokens for tenants, and who a credential speaks for."),
        (name = "audit log", description = "Who changed what."),
        (name = "API key", description = "Credentials that can be revoked."),
        (name = "health", description = "Whether the server works."),
    )
)]
pub struct Head;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("bearer", scheme);
        openapi.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    }
}

/// The routes that serve the description and its page.
pub fn routes<S: Clone + Send + Sync + 'static>(specification: OpenApi) -> Router<S> {
    let copy = specification.clone();
    // It would have the description judged by a server elsewhere.
    let page = Config::default().validator_url("none");
    Router::new()
        .route("/openapi.json", get(move || async move { Json(copy) }))
        .merge(SwaggerUi::new("/docs").config(page).url(SPECIFICATION_PATH, specification))
}
