//! The channels that an environment's alerts are sent over.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::Conflict;
use crate::api::state::SharedState;

use super::channel_shape::{AlertChannelIn, AlertChannelOut, AlertChannelsOut};
use super::path::ChannelPath;

/// What is sent to try a channel out.
const TEST_TEXT: &str = "This tries the channel out; nothing happened.";

/// List the environment's alert channels. Each alert is sent over all that take its severity.
#[utoipa::path(
    get, path = "/api/v1/alert-channel", operation_id = "v1.alert-channel.list", tag = "alert",
    responses((status = 200, description = "All of them.", body = AlertChannelsOut))
)]
async fn list(State(state): State<SharedState>, caller: Caller) -> Result<Json<AlertChannelsOut>, ApiError> {
    let channels = state.alerts.channels(caller.whole_environment()?).await?;
    Ok(Json(AlertChannelsOut { data: channels.into_iter().map(Into::into).collect() }))
}

/// Create an alert channel: operational webhooks, a chat (Slack or Teams), or e-mail.
///
/// E-mail takes the operator's `smtp_url` and `smtp_from`. Chats are reached as endpoints are, under the same egress policy. An
/// environment may have 20.
#[utoipa::path(
    post, path = "/api/v1/alert-channel", operation_id = "v1.alert-channel.create", tag = "alert",
    request_body = AlertChannelIn,
    responses((status = 201, description = "The channel.", body = AlertChannelOut), Conflict)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<AlertChannelIn>,
) -> Result<(StatusCode, Json<AlertChannelOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let settings = input.settings(&state.egress, true)?;
    let created = state.alerts.create_channel(caller.actor(), environment, &settings).await?;
    let channel = created.ok_or(ApiError::Conflict {
        code: "too_many_alert_channels",
        detail: "There are as many alert channels as there may be; delete one.",
    })?;
    Ok((StatusCode::CREATED, Json(channel.into())))
}

/// Get an alert channel, and how it works.
#[utoipa::path(
    get, path = "/api/v1/alert-channel/{alert_channel_id}", operation_id = "v1.alert-channel.get", tag = "alert",
    params(ChannelPath),
    responses((status = 200, description = "The channel.", body = AlertChannelOut))
)]
async fn get(ChannelPath { channel }: ChannelPath) -> Json<AlertChannelOut> {
    Json(channel.into())
}

/// Replace an alert channel's settings.
#[utoipa::path(
    put, path = "/api/v1/alert-channel/{alert_channel_id}", operation_id = "v1.alert-channel.update", tag = "alert",
    params(ChannelPath), request_body = AlertChannelIn,
    responses((status = 200, description = "As it is now.", body = AlertChannelOut))
)]
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    ChannelPath { channel }: ChannelPath,
    JsonBody(input): JsonBody<AlertChannelIn>,
) -> Result<Json<AlertChannelOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let keeps_target = input.keeps_target(channel.kind);
    let settings = input.settings(&state.egress, !keeps_target)?;
    let (actor, id) = (caller.actor(), channel.id);
    let changed = state.alerts.change_channel(actor, environment, id, &settings, keeps_target).await?;
    changed.map(|channel| Json(channel.into())).ok_or(ApiError::NoSuch("alert channel"))
}

/// Delete an alert channel, with what was still to be sent over it.
#[utoipa::path(
    delete, path = "/api/v1/alert-channel/{alert_channel_id}", operation_id = "v1.alert-channel.delete", tag = "alert",
    params(ChannelPath),
    responses((status = 204, description = "It is gone."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    ChannelPath { channel }: ChannelPath,
) -> Result<StatusCode, ApiError> {
    match state.alerts.delete_channel(caller.actor(), caller.whole_environment()?, channel.id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NoSuch("alert channel")),
    }
}

/// Try an alert channel out.
///
/// A text that says so is sent over it, once, within a few seconds; `lastSentAt` or `lastError` then says how that went.
#[utoipa::path(
    post, path = "/api/v1/alert-channel/{alert_channel_id}/test", operation_id = "v1.alert-channel.test", tag = "alert",
    params(ChannelPath),
    responses((status = 202, description = "It will be sent.", body = AlertChannelOut))
)]
async fn test(
    State(state): State<SharedState>,
    ChannelPath { channel }: ChannelPath,
) -> Result<(StatusCode, Json<AlertChannelOut>), ApiError> {
    state.alerts.write_test_notice(channel.id, TEST_TEXT).await?;
    Ok((StatusCode::ACCEPTED, Json(channel.into())))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(test))
}
