//! How an event type looks from outside.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::conventions::extract::unreadable;
use crate::api::conventions::settings::read;
use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::api::openapi::settings::{answer, change, has_schema, input};
use crate::domain::event_type::settings::EventTypeSettings;
use crate::domain::settings::{Fields, Settings, part};
use crate::store::EventTypeRecord;

/// An event type to create.
#[derive(Debug, Deserialize)]
pub(super) struct EventTypeIn(Fields);

/// What to replace an event type with.
#[derive(Debug, Deserialize)]
pub(super) struct EventTypeUpdate(Fields);

/// What to change of an event type.
#[derive(Debug, Deserialize)]
pub(super) struct EventTypePatch(Fields);

/// What is taken for a new event type besides its settings.
#[derive(Debug, Deserialize, ToSchema)]
struct NameOfNew {
    /// Its name.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$", example = "invoice.paid")]
    name: String,
}

/// An event type. A catalogue can be large, so that its schemas are answered as they are stored, without being read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventTypeOut {
    #[serde(flatten)]
    facts: EventTypeFacts,
    #[serde(flatten)]
    settings: EventTypeSettings,
    feature_flag: Option<String>,
}

/// What is told of an event type besides its settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventTypeFacts {
    /// Its name.
    name: String,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

has_schema!(
    EventTypeIn => input::<EventTypeSettings>("An event type to create.", vec![NameOfNew::schema()]),
    EventTypeUpdate => input::<EventTypeSettings>("What to replace an event type with.", Vec::new()),
    EventTypePatch => change::<EventTypeSettings>("What to change of an event type; what is absent stays."),
    EventTypeOut => answer::<EventTypeSettings>("An event type.", vec![EventTypeFacts::schema()]),
);

fn check(settings: &mut EventTypeSettings, findings: &mut Findings) {
    findings.text("description", &settings.description);
    let schemas = settings.schemas.as_ref().and_then(|schemas| serde_json::from_str(schemas.get()).ok());
    let flags = settings.feature_flags.as_deref().unwrap_or_default();
    check_parts(findings, settings.group_name.as_deref(), schemas.as_ref(), flags);
}

/// Notes what is wrong with what event types have in common.
pub(super) fn check_parts(
    findings: &mut Findings,
    group_name: Option<&str>,
    schemas: Option<&Map<String, Value>>,
    flags: &[String],
) {
    if let Some(group_name) = group_name {
        findings.event_type("groupName", group_name);
    }
    findings.event_types("featureFlags", flags);
    if let Some(schemas) = schemas {
        if schemas.values().any(|schema| !schema.is_object()) {
            findings.add("schemas", "each schema must be an object");
        } else if schemas.iter().any(|(key, value)| key.contains('\0') || has_nul(value)) {
            findings.add("schemas", "must not contain the character U+0000");
        }
    }
}

/// The database's JSON cannot hold U+0000. The depth is bounded by the parser.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl EventTypeIn {
    /// The name and the settings that it asks for.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub(super) fn read(self) -> Result<(String, EventTypeSettings), ApiError> {
        let NameOfNew { name } = part(&self.0).map_err(|wrong| unreadable(&wrong))?;
        let settings = read(&Fields::new(), self.0, |settings, findings| {
            findings.path_name("name", &name);
            check(settings, findings);
        })?;
        Ok((name, settings))
    }
}

impl EventTypeUpdate {
    /// The settings that it asks for.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub(super) fn settings(self) -> Result<EventTypeSettings, ApiError> {
        read(&Fields::new(), self.0, check)
    }
}

impl EventTypePatch {
    /// What becomes of the settings that are there.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub(super) fn of(self, there: &EventTypeSettings) -> Result<EventTypeSettings, ApiError> {
        read(&there.fields(), self.0, check)
    }
}

impl From<EventTypeRecord> for EventTypeOut {
    fn from(record: EventTypeRecord) -> Self {
        let facts = EventTypeFacts {
            name: record.name,
            created_at: record.created_at,
            updated_at: record.updated_at,
        };
        let feature_flag = record.settings.feature_flags.as_ref().and_then(|flags| flags.first().cloned());
        Self { facts, settings: record.settings, feature_flag }
    }
}
