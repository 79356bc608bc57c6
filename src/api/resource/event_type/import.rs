//! Importing event types from the webhooks of an OpenAPI document.

use std::collections::HashSet;
use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::bounded_document;
use crate::api::conventions::extract::UnreadBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::blocking::on_blocking_thread;
use crate::api::intake::content_page::{ContentPage, written};
use crate::api::state::SharedState;
use crate::domain::event_type::openapi_webhooks::{Webhook, webhooks};
use crate::domain::event_type::settings::EventTypeSettings;
use crate::store::{ImportMode, Imported};

use super::shape::check_parts;

/// How long the reading of a document may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// No text of a document is longer.
const MOST_RAW_BYTES: usize = 4 << 20;

/// A document, and what to do with it. Either `spec` or `specRaw` is needed, and not both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"spec": {"webhooks": {"invoice.paid": {"post": {"description": "An invoice was paid."}}}}}))]
struct ImportIn {
    /// Only tell what would be changed.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: Option<bool>,
    /// Archive every event type that is not in the document.
    #[serde(default)]
    #[schema(default = false)]
    replace_all: Option<bool>,
    /// The document.
    #[schema(value_type = Option<Object>)]
    spec: Option<Map<String, Value>>,
    /// The document as text: JSON or YAML.
    spec_raw: Option<String>,
}

/// An event type as the document tells it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportedTypeOut {
    /// Its name.
    name: String,
    /// For people.
    description: String,
    /// JSON Schemas of the payload, by version.
    #[schema(value_type = Option<Object>)]
    schemas: Option<Map<String, Value>>,
    /// Whether it is on its way out.
    deprecated: bool,
    /// The group that it is shown in.
    group_name: Option<String>,
    /// Flags that a tenant must have to see it.
    feature_flags: Option<Vec<String>>,
}

/// What was changed.
#[derive(Debug, Serialize, ToSchema)]
struct ImportDataOut {
    /// Created, changed or brought back; empty for a dry run.
    modified: Vec<String>,
    /// What would be created, changed or brought back; only for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_modify: Option<Vec<ImportedTypeOut>>,
    /// Archived, or to be archived, because the document does not have them.
    archived: Vec<String>,
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
struct ImportOut {
    /// What was changed.
    data: ImportDataOut,
}

impl From<Webhook> for ImportedTypeOut {
    fn from(webhook: Webhook) -> Self {
        Self {
            name: webhook.name,
            description: webhook.description,
            schemas: webhook.schemas,
            deprecated: webhook.deprecated,
            group_name: webhook.group_name,
            feature_flags: webhook.feature_flags,
        }
    }
}

fn refused(field: &str, msg: impl Into<String>) -> ApiError {
    ApiError::invalid(&["body", field], msg, "value_error")
}

impl ImportIn {
    /// The document, and the field that it stands in.
    fn document(&mut self) -> Result<(Value, &'static str), ApiError> {
        match (self.spec.take(), self.spec_raw.take()) {
            (Some(spec), None) => Ok((Value::Object(spec), "spec")),
            (None, Some(text)) if text.len() > MOST_RAW_BYTES => {
                Err(refused("specRaw", format!("may have {MOST_RAW_BYTES} bytes at most")))
            }
            (None, Some(text)) => match bounded_document::read(&text) {
                Ok(document) => Ok((document, "specRaw")),
                Err(unreadable) => Err(refused("specRaw", unreadable.to_string())),
            },
            (None, None) => Err(refused("spec", "`spec` or `specRaw` is needed")),
            (Some(_), Some(_)) => Err(refused("specRaw", "cannot be given together with `spec`")),
        }
    }
}

/// The event types of a document, checked as if each had been given by itself.
fn read(document: &Value, field: &'static str) -> Result<Vec<Webhook>, ApiError> {
    let found = webhooks(document).map_err(|reason| refused(field, reason.to_string()))?;
    for webhook in &found {
        let mut findings = Findings::of_body().below(field).below(&webhook.name);
        findings.path_name("name", &webhook.name);
        findings.text("description", &webhook.description);
        let flags = webhook.feature_flags.as_deref().unwrap_or_default();
        check_parts(&mut findings, webhook.group_name.as_deref(), webhook.schemas.as_ref(), flags);
        findings.finish()?;
    }
    Ok(found)
}

/// What a body asks to import.
struct Asked {
    mode: ImportMode,
    webhooks: Vec<Webhook>,
    event_types: Vec<(String, EventTypeSettings)>,
}

impl Asked {
    fn read(body: UnreadBody<ImportIn>) -> Result<Self, ApiError> {
        let mut input = body.read()?;
        let mode = ImportMode {
            replace_all: input.replace_all.unwrap_or(false),
            dry_run: input.dry_run.unwrap_or(false),
        };
        let (document, field) = input.document()?;
        let webhooks = read(&document, field)?;
        let event_types = webhooks.iter().map(settings).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { mode, webhooks, event_types })
    }
}

/// Reads a body on a thread that serves nobody else. The turn comes back with what was found; while a reading that took too
/// long goes on, it keeps its turn.
async fn on_thread<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    timeout: Duration,
    reading: impl FnOnce() -> T + Send + 'static,
) -> Result<(OwnedSemaphorePermit, T), ApiError> {
    let reading = on_blocking_thread(move || {
        let found = reading();
        (turn, found)
    });
    let read = tokio::time::timeout(timeout, reading).await;
    read.unwrap_or_else(|_| Err(refused("specRaw", "takes too long to read")))
}

fn settings(webhook: &Webhook) -> Result<(String, EventTypeSettings), ApiError> {
    let schemas = webhook.schemas.as_ref().map(to_raw_value).transpose().map_err(|_| ApiError::Internal)?;
    let settings = EventTypeSettings {
        description: webhook.description.clone(),
        group_name: webhook.group_name.clone(),
        schemas,
        feature_flags: webhook.feature_flags.clone().filter(|flags| !flags.is_empty()),
        archived: false,
        deprecated: webhook.deprecated,
    };
    Ok((webhook.name.clone(), settings))
}

/// Import event types from an OpenAPI document.
///
/// Each of its `webhooks` (or `x-webhooks`) becomes an event type, or changes the one of its name, in one commit. An
/// archived one comes back. What is like the document already stays untouched.
#[utoipa::path(
    post, path = "/api/v1/event-type/import/openapi", operation_id = "v1.event-type.import-openapi",
    tag = "event-type",
    request_body = ImportIn,
    responses((status = 200, description = "What was changed, or would be.", body = ImportOut))
)]
async fn import(
    State(state): State<SharedState>,
    caller: Caller,
    body: UnreadBody<ImportIn>,
) -> Result<ContentPage, ApiError> {
    let environment = caller.whole_environment()?;
    // Until its turn a body is bytes.
    let turn = state.imports.clone().acquire_owned().await.map_err(|_| ApiError::Unavailable)?;
    let (turn, asked) = on_thread(turn, READ_TIMEOUT, || Asked::read(body)).await?;
    let Asked { mode, webhooks, event_types } = asked?;
    let imported =
        state.configuration.import_event_types(caller.actor(), environment, &event_types, mode).await?;
    drop(event_types);
    let mut answer = on_blocking_thread(move || written(&told(imported, webhooks, mode), None)).await??;
    drop(turn);
    if mode.dry_run {
        answer.room = Some(state.budgets.room_for_written(answer.body.1.len()).await?);
    }
    Ok(answer)
}

/// What an import did, or would do.
fn told(imported: Imported, webhooks: Vec<Webhook>, mode: ImportMode) -> ImportOut {
    let Imported { modified, archived } = imported;
    if !mode.dry_run {
        return ImportOut { data: ImportDataOut { modified, to_modify: None, archived } };
    }
    let modified: HashSet<String> = modified.into_iter().collect();
    let changed = webhooks.into_iter().filter(|webhook| modified.contains(&webhook.name));
    let to_modify = Some(changed.map(Into::into).collect());
    ImportOut { data: ImportDataOut { modified: Vec::new(), to_modify, archived } }
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(import))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_reading_that_takes_too_long_keeps_its_turn_until_it_ends() {
        let imports = Arc::new(Semaphore::new(1));
        let (end, ended) = mpsc::channel::<()>();
        let turn = imports.clone().acquire_owned().await.unwrap();
        let answer = on_thread(turn, Duration::from_millis(20), move || ended.recv().unwrap()).await;
        assert!(matches!(answer, Err(ApiError::Invalid(_))), "it took too long");
        assert!(imports.try_acquire().is_err(), "its thread still works, and the next import waits");
        end.send(()).unwrap();
        let turn = imports.clone().acquire_owned().await.unwrap();
        let (turn, found) = on_thread(turn, READ_TIMEOUT, || 7).await.ok().unwrap();
        assert_eq!(found, 7);
        assert!(imports.try_acquire().is_err(), "the turn lasts until the import is stored");
        drop(turn);
        assert!(imports.try_acquire().is_ok());
    }
}
