//! The settings in force on the node that answers.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::config::{Setting, SettingSource};

/// The settings of a node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"nodeName": "hooks-1:8071", "version": "0.1.0", "data": [{
    "name": "retention", "value": "30d", "from": "default", "isSecret": false,
    "description": "How long messages and attempts are kept, 3d at least"
}]}))]
struct SettingsOut {
    /// Whose they are.
    node_name: String,
    /// The version that it runs.
    version: &'static str,
    /// All of them.
    data: Vec<SettingOut>,
}

/// A setting.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "jwt_secret", "value": "••••", "from": "environment", "isSecret": true,
    "description": "Verifies tokens signed with HS256; 16 characters at least"
}))]
struct SettingOut {
    /// As in `postrider.toml`.
    name: &'static str,
    /// As text; `null` when it is not set, `••••` for a secret that is set.
    #[schema(required)]
    value: Option<String>,
    /// Where it came from.
    from: SettingSourceOut,
    /// Whether it is never shown.
    is_secret: bool,
    /// What it is for.
    description: &'static str,
}

/// Where a setting came from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SettingSourceOut {
    /// Nobody set it.
    Default,
    /// `postrider.toml`, or the file of generated secrets.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

impl From<&Setting> for SettingOut {
    fn from(setting: &Setting) -> Self {
        let from = match setting.source {
            SettingSource::Default => SettingSourceOut::Default,
            SettingSource::File => SettingSourceOut::File,
            SettingSource::Environment => SettingSourceOut::Environment,
            SettingSource::Flag => SettingSourceOut::Flag,
        };
        Self {
            name: setting.name,
            value: setting.value.clone(),
            from,
            is_secret: setting.is_secret,
            description: setting.description,
        }
    }
}

/// Show the settings in force on the node that answers, secrets masked.
#[utoipa::path(
    get, path = "/api/v1/admin/settings", operation_id = "v1.admin.settings", tag = "admin",
    responses((status = 200, description = "The settings.", body = SettingsOut))
)]
async fn settings(State(state): State<SharedState>, caller: Caller) -> Result<Json<SettingsOut>, ApiError> {
    caller.operator()?;
    Ok(Json(SettingsOut {
        node_name: state.node_name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        data: state.settings.iter().map(Into::into).collect(),
    }))
}

/// The routes of this resource.
pub(in crate::api::resource::admin) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(settings))
}
