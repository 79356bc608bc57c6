//! Erasing: a tenant, a message, or everything with a tag, such as a person's. Background tasks do it, and prove it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::resource::background_task::{BackgroundTaskOut, started};
use crate::api::state::SharedState;
use crate::domain::erasure::ErasureOrder;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EnvironmentId, MessageId};

/// What to erase: an application, one of its messages, or what has a tag.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"tag": "person-4711", "note": "asked for on 2026-11-26"}))]
struct ErasureIn {
    /// Of this application, by id or `uid`; one that is deleted by its id. Without `msgId` and `tag`, everything of it.
    app_id: Option<String>,
    /// This message, by id or `eventId`. It needs `appId`.
    msg_id: Option<String>,
    /// What has this tag: of the application, or of all applications.
    #[schema(max_length = 128, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    tag: Option<String>,
    /// Why, in somebody's own words: it is shown with the task and in the audit log. It should name nobody.
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl ErasureIn {
    fn check(&self) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        if let Some(tag) = &self.tag {
            findings.channels("tag", std::slice::from_ref(tag), 1);
        }
        if self.note.as_ref().is_some_and(|note| note.contains('\0')) {
            findings.add("note", "must not contain the character U+0000");
        }
        match (&self.app_id, &self.msg_id, &self.tag) {
            (None, None, None) => findings.add("appId", "say what to erase: `appId`, `msgId` or `tag`"),
            (None, Some(_), _) => findings.add("msgId", "needs `appId`"),
            (_, Some(_), Some(_)) => findings.add("tag", "cannot be given with `msgId`"),
            _ => {}
        }
        findings.finish()
    }
}

/// Erase an application, a message, or everything with a tag.
///
/// A background task deletes the rows: messages with their payloads, deliveries, attempts with what receivers answered,
/// dead letters, and `eventId`s; of an application also its endpoints, secrets and test inboxes, and the application
/// itself. What waits is called off; a request that is under way at that moment may still arrive, and the task ends when
/// none is. Only what was accepted before is erased. When the task has finished, its `data.erased` counts what went by
/// table, and the audit log has the same (`application.erased`, `message.erased`, `tag.erased`). There a tag is named by
/// the SHA-256 of its text, and so it is in the task from then on.
#[utoipa::path(
    post, path = "/api/v1/erasure", operation_id = "v1.erasure.create", tag = "erasure",
    request_body = ErasureIn,
    responses((status = 202, description = "A background task does it.", body = BackgroundTaskOut), NotFound)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<ErasureIn>,
) -> Result<(StatusCode, Json<BackgroundTaskOut>), ApiError> {
    let environment = caller.whole_environment()?.clone();
    input.check()?;
    let application = match &input.app_id {
        None => None,
        Some(named) => Some(application(&state, &environment, named).await?),
    };
    let order = match (application, input.msg_id, input.tag) {
        (application, None, Some(tag)) => ErasureOrder::of_tag(application, tag),
        (Some(application), Some(named), _) => {
            ErasureOrder::of_message(application, message(&state, application, &named).await?)
        }
        (Some(application), None, None) => {
            // From here on nothing new comes to it, and its tokens end.
            state.configuration.delete_application(caller.actor(), application).await?;
            ErasureOrder::of_application(application)
        }
        (None, ..) => return Err(ApiError::Internal),
    };
    let note = input.note.filter(|note| !note.is_empty());
    let task = state.tasks.create_erasure(caller.actor(), &environment, &order, note).await?;
    started(&state, task).await
}

/// An application of the environment, which may be deleted.
async fn application(
    state: &SharedState,
    environment: &EnvironmentId,
    named: &str,
) -> Result<ApplicationId, ApiError> {
    let found = state.configuration.application_ever(environment, &Reference::parse(named)).await?;
    found.ok_or(ApiError::NoSuch("application"))
}

/// A message of the application, of which no more may be left than a dead letter.
async fn message(
    state: &SharedState,
    application: ApplicationId,
    named: &str,
) -> Result<MessageId, ApiError> {
    let found = state.tasks.message_ever(application, &Reference::parse(named)).await?;
    found.ok_or(ApiError::NoSuch("message"))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(create))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_go_must_be_said_and_only_once() {
        let check = |body: &str| serde_json::from_str::<ErasureIn>(body).unwrap().check().is_ok();
        for good in [
            r#"{"appId":"a"}"#,
            r#"{"appId":"a","msgId":"m"}"#,
            r#"{"tag":"t"}"#,
            r#"{"appId":"a","tag":"t"}"#,
        ] {
            assert!(check(good), "{good}");
        }
        for bad in ["{}", r#"{"msgId":"m"}"#, r#"{"appId":"a","msgId":"m","tag":"t"}"#, r#"{"tag":"a b"}"#] {
            assert!(!check(bad), "{bad}");
        }
    }
}
