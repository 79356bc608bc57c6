//! What client libraries know, or knew, and we do not serve: each is answered alike, with a `404` whose code and sentence
//! say so. A `501` would be an error of ours to the libraries, which try again then. Nothing of it is in the description.

use axum::Router;
use axum::routing::any;

use crate::api::credential::Caller;
use crate::api::state::SharedState;

use crate::api::error::ApiError;

/// Every method of these paths. `{*rest}` stands for whatever comes.
const PATHS: [&str; 36] = [
    // Payloads are delivered byte for byte; nothing transforms them.
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation",
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}/transformation/{*rest}",
    "/api/v1/transformation-template",
    "/api/v1/transformation-template/{*rest}",
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
    "/api/v1/app/{app_id}/events",
    "/api/v1/app/{app_id}/events/{*rest}",
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
    "/api/v1/environment/settings",
    // Receivers that want more than a signature.
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}/mtls-config",
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}/oauth-config",
    // What older libraries had.
    "/api/v1/app/{app_id}/msg/{msg_id}/raw",
    "/api/v1/app/{app_id}/inbound/{*rest}",
    "/api/v1/auth/one-time-token",
    "/api/v1/event-type/schema/generate-example",
    "/api/v1/broadcast",
    "/api/v1/saved-broadcasts/{*rest}",
    "/api/v1/stats/app/{*rest}",
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
