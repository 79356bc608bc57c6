//! Getting an attempt.

use axum::Json;
use axum::extract::State;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::AttemptPath;
use crate::api::state::SharedState;

use super::shape::AttemptOut;

/// Get an attempt.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}",
    operation_id = "v1.message-attempt.get", tag = "attempt",
    params(AttemptPath),
    responses((status = 200, description = "The attempt.", body = AttemptOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: AttemptPath,
) -> Result<Json<AttemptOut>, ApiError> {
    let record = state.history.attempt(path.message, path.attempt).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(AttemptOut::of(record, false)?.shown_to(&caller)))
}
