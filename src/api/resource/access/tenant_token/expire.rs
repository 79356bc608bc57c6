//! Taking back the tokens of an application.

use axum::extract::State;
use chrono::TimeDelta;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::conventions::extract::OptionalJsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;

const MAX_GRACE_SECONDS: u32 = 7 * 24 * 60 * 60;
const MAX_SESSIONS: usize = 100;

/// Which tokens to take back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"sessionIds": ["user_7"]}))]
pub(super) struct ApplicationTokenExpireIn {
    /// For so many seconds they go on; at once when absent.
    #[schema(minimum = 0, maximum = 604_800)]
    expiry: Option<u32>,
    /// Only those of these sessions.
    #[schema(max_items = 100)]
    session_ids: Option<Vec<String>>,
}

/// Take back the tokens of an application that were issued until now.
///
/// Tokens that you sign yourself count as issued five seconds before their `iat`, because your clock may be ahead: one that is
/// to hold afterwards has to be signed five seconds later, or made by Postrider.
#[utoipa::path(
    post, path = "/api/v1/auth/app/{app_id}/expire-all", operation_id = "v1.authentication.expire-all",
    tag = "authentication",
    params(ApplicationPath),
    request_body(content = Option<ApplicationTokenExpireIn>, description = "May be left out: all of them, at once."),
    responses((status = 204, description = "They hold no longer, on any node."))
)]
pub(super) async fn expire_all(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    OptionalJsonBody(input): OptionalJsonBody<ApplicationTokenExpireIn>,
) -> Result<StatusCode, ApiError> {
    caller.whole_environment()?;
    let input = input.unwrap_or_default();
    let grace = input.expiry.unwrap_or(0);
    let sessions = input.session_ids.unwrap_or_default();
    let mut findings = Findings::of_body();
    if grace > MAX_GRACE_SECONDS {
        findings.add("expiry", format!("may be {MAX_GRACE_SECONDS} at most"));
    }
    findings.event_types("sessionIds", &sessions);
    if sessions.len() > MAX_SESSIONS {
        findings.add("sessionIds", format!("may have {MAX_SESSIONS} entries at most"));
    }
    findings.finish()?;
    let (now, grace) = (state.authenticator.clock().now(), TimeDelta::seconds(i64::from(grace)));
    state.access.expire_tokens(caller.actor(), path.application, &sessions, now, grace).await?;
    state.credentials.forget_tokens(path.application);
    Ok(StatusCode::NO_CONTENT)
}
