//! Getting an attempt.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::path::AttemptPath;
use crate::api::state::SharedState;

use super::shape::AttemptOut;

/// How to show an attempt.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GetQuery {
    /// Whether to tell a canceled attempt from a delivered one. No attempt is ever canceled, so it changes nothing.
    #[param(default = false)]
    #[serde(rename = "expanded_statuses")]
    _expanded_statuses: Option<bool>,
}

/// Get an attempt.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}",
    operation_id = "v1.message-attempt.get", tag = "attempt",
    params(AttemptPath, GetQuery),
    responses((status = 200, description = "The attempt.", body = AttemptOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: AttemptPath,
    ApiQuery(_query): ApiQuery<GetQuery>,
) -> Result<HeldAnswer<Json<AttemptOut>>, ApiError> {
    let room = state.room_for_object().await?;
    let record =
        state.history.attempt(path.message, path.attempt).await?.ok_or(ApiError::NoSuch("attempt"))?;
    let body = Json(AttemptOut::of(record, false)?.shown_to(&caller));
    Ok(HeldAnswer { body, room: Some(room) })
}
