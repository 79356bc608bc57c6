//! Who may call, and who did what: API keys, tokens for tenants, the audit log.

mod api_key;
mod audit;
mod tenant_token;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of these resources.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    audit::routes().merge(tenant_token::routes()).merge(api_key::routes())
}
