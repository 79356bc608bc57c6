//! What client libraries know and we do not serve: each answers `501` with a JSON body that says so, instead of a
//! `404` that would look like a missing object. Nothing of it is in the description.

use axum::Router;
use axum::routing::any;

use crate::api::credential::Caller;
use crate::api::state::SharedState;

use crate::api::error::ApiError;

/// Every method of these paths. `{*rest}` stands for whatever comes.
const PATHS: [&str; 21] = [
    // Payloads are delivered byte for byte; nothing transforms them.
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation",
    // Endpoints set themselves up.
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}/auto-config",
    "/api/v1/app/{app_id}/autoconfig",
    "/api/v1/app/{app_id}/autoconfig/{*rest}",
    // Destinations other than HTTP.
    "/api/v1/app/{app_id}/destination",
    "/api/v1/app/{app_id}/destination/{*rest}",
    "/api/v1/app/{app_id}/integration",
    "/api/v1/app/{app_id}/integration/{*rest}",
    "/api/v1/connector",
    "/api/v1/connector/{*rest}",
    // Receivers that poll.
    "/api/v1/app/{app_id}/poller/{*rest}",
    "/api/v1/app/{app_id}/polling-endpoint/{*rest}",
    // Streams.
    "/api/v1/stream",
    "/api/v1/stream/{*rest}",
    "/api/v1/auth/stream-logout",
    "/api/v1/auth/stream-portal-access/{stream_id}",
    "/api/v1/auth/stream/{*rest}",
    // Moving an environment's settings.
    "/api/v1/environment/export",
    "/api/v1/environment/import",
    // Receiving webhooks from others.
    "/ingest/api/v1/source",
    "/ingest/api/v1/source/{*rest}",
];

/// Who has no credentials learns nothing.
async fn not_served(_: Caller) -> ApiError {
    ApiError::NotImplemented
}

/// The routes.
pub(in crate::api) fn routes() -> Router<SharedState> {
    PATHS.iter().fold(Router::new(), |router, path| router.route(path, any(not_served)))
}
