//! Tokens for tenants: a link to the portal with a token in it, and the ways to take tokens back.

mod expire;
mod portal_access;
mod session;

use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

/// One thing that a tenant's token may allow: `ViewBase` to look at everything but secrets; `ViewEndpointSecret` to
/// see endpoints' secrets; `ManageEndpointSecret` to see and rotate them; `ManageTransformations` to change
/// transformations; `CreateAttempts` to have messages sent again; `ManageEndpoint` to do anything to endpoints.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes `Capability`, which the domain owns")]
enum AppPortalCapability {
    ViewBase,
    ViewEndpointSecret,
    ManageEndpointSecret,
    ManageTransformations,
    CreateAttempts,
    ManageEndpoint,
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(portal_access::app_portal_access))
        .routes(routes!(portal_access::dashboard_access))
        .routes(routes!(expire::expire_all))
        .routes(routes!(session::logout))
        .routes(routes!(session::whoami))
}
