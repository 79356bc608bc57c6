//! Where an environment's alert channels lead to, for an export of its configuration. That it was read is noted in the audit log.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::AlertChannelId;

/// Where a channel leads to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AlertChannelTargetOut {
    /// The channel's id.
    #[schema(value_type = String, example = "achan_01h455vb4pex5vsknk084sn02q")]
    alert_channel_id: AlertChannelId,
    /// The URL of a chat's webhook, or addresses; empty for operational webhooks.
    #[schema(example = "oncall@example.com")]
    target: String,
}

/// Where channels lead to.
#[derive(Serialize, ToSchema)]
struct AlertChannelTargetsOut {
    /// All of them, the oldest channel first.
    #[schema(max_items = 20)]
    data: Vec<AlertChannelTargetOut>,
}

/// List where the environment's alert channels lead to.
///
/// It is for `postrider export`, which seals it. The audit log has that it was read (`environment.secrets.exported`).
#[utoipa::path(
    get, path = "/api/v1/environment/alert-channel-target", operation_id = "v1.environment.list-alert-channel-targets",
    tag = "environment",
    responses((status = 200, description = "All of them.", body = AlertChannelTargetsOut))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
) -> Result<Json<AlertChannelTargetsOut>, ApiError> {
    let targets = state.alerts.export_targets(caller.actor(), caller.whole_environment()?).await?;
    let data = targets.into_iter();
    let data = data.map(|(alert_channel_id, target)| AlertChannelTargetOut { alert_channel_id, target });
    Ok(Json(AlertChannelTargetsOut { data: data.collect() }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}
