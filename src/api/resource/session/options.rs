//! How one may sign in, for those who have not.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

/// How one may sign in, besides with a credential.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"version": "0.1.0", "oidc": {"name": "Example Ltd"}}))]
struct SessionOptionsOut {
    /// The server's.
    version: &'static str,
    /// `null` where it is not set up.
    #[schema(required)]
    oidc: Option<OidcOptionOut>,
}

/// An identity provider.
#[derive(Debug, Serialize, ToSchema)]
struct OidcOptionOut {
    /// What people call it.
    #[schema(example = "Example Ltd")]
    name: String,
}

/// Tell how one may sign in.
#[utoipa::path(
    get, path = "/api/v1/session/options", operation_id = "v1.session.options", tag = "session", security(()),
    responses((status = 200, description = "The ways.", body = SessionOptionsOut))
)]
async fn options(State(state): State<SharedState>) -> Json<SessionOptionsOut> {
    let oidc = state.openid.as_ref().map(|openid| OidcOptionOut { name: openid.name().to_owned() });
    Json(SessionOptionsOut { version: env!("CARGO_PKG_VERSION"), oidc })
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(options))
}
