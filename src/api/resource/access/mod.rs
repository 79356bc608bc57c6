//! Who may call, and who did what: API keys, tokens for tenants, the audit log.

pub mod api_key;
pub mod audit;
pub mod tenant_token;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of these resources.
pub fn routes() -> OpenApiRouter<SharedState> {
    audit::routes().merge(tenant_token::routes()).merge(api_key::routes())
}
