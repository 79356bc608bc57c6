//! The API's own description: OpenAPI 3.1, derived from the code, and a page to read it on. Both are served by
//! the binary, without the network.

use std::sync::{Arc, OnceLock};

use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use utoipa::Modify;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, SecurityRequirement};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::api::error::{ApiError, ErrorOut, ValidationErrorOut};
use crate::api::intake::answer::InMemoryOnce;

const SPECIFICATION_PATH: &str = "/api/v1/openapi.json";

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
        (name = "alert", description = "When an environment is alerted, and over which channels."),
        (name = "console", description = "What the console's screens show, each in one answer."),
        (name = "portal", description = "How the portal looks to tenants."),
        (name = "test inbox", description = "URLs on Postrider itself that keep what they get for a day."),
        (name = "statistics", description = "Deliveries over time, and how an environment is used."),
        (name = "environment", description = "How the deliveries of all tenants are treated, and how long things are kept."),
        (name = "erasure", description = "Erasing a tenant, a message, or everything with a tag, with proof."),
        (name = "export", description = "Everything of an application, a line of JSON each, as one stream."),
        (name = "admin", description = "What operators see and do."),
        (name = "authentication", description = "Tokens for tenants, and who a credential speaks for."),
        (name = "session", description = "Who is signed in to the console."),
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

/// The routes that serve the description and its page. It is made when it is asked for the first time.
pub fn routes<S: Clone + Send + Sync + 'static>(
    describe: impl Fn() -> OpenApi + Send + Sync + 'static,
) -> Router<S> {
    let text = Arc::new(OnceLock::new());
    let describe = Arc::new(describe);
    let answer = move || {
        let (text, describe) = (text.clone(), describe.clone());
        async move { answer(&text, &*describe) }
    };
    // The validator would send the description to a server elsewhere.
    let page = Config::from(SPECIFICATION_PATH).validator_url("none");
    Router::new()
        .route("/openapi.json", get(answer.clone()))
        .route(SPECIFICATION_PATH, get(answer))
        .merge(SwaggerUi::new("/docs/api").config(page))
}

fn answer(text: &OnceLock<Result<Bytes, String>>, describe: &impl Fn() -> OpenApi) -> Response {
    let made = || serde_json::to_vec(&describe()).map(Bytes::from).map_err(|error| error.to_string());
    match text.get_or_init(made) {
        Ok(text) => {
            (Extension(InMemoryOnce), [(CONTENT_TYPE, "application/json")], text.clone()).into_response()
        }
        Err(error) => {
            tracing::error!(error, "the API's description cannot be written");
            ApiError::Internal.into_response()
        }
    }
}
