//! What callers set on an event type. Its name is set once, when it is created.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::settings::{
    Fields, SecondName, Settings, Unreadable, empty_is_absent, fields_of, null_is_default, part,
};

/// The JSON Schemas of an event type, by version: a JSON object as text.
pub type Schemas = Box<RawValue>;

/// What callers set on an event type.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeSettings {
    /// For people.
    pub description: String,
    /// The group that it is shown in.
    pub group_name: Option<String>,
    /// JSON Schemas of the payload, by version.
    #[serde(default, deserialize_with = "schemas_as_text")]
    #[schema(value_type = Option<Object>)]
    pub schemas: Option<Schemas>,
    /// Flags that a tenant must have to see it.
    #[serde(default, deserialize_with = "empty_is_absent")]
    pub feature_flags: Option<Vec<String>>,
    /// Left out of lists.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schema(value_type = Option<bool>)]
    pub archived: bool,
    /// Shown as on its way out.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schema(value_type = Option<bool>)]
    pub deprecated: bool,
}

fn schemas_as_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Schemas>, D::Error> {
    let schemas = Option::<Map<String, Value>>::deserialize(deserializer)?;
    schemas.map(|schemas| to_raw_value(&schemas)).transpose().map_err(D::Error::custom)
}

impl Settings for EventTypeSettings {
    const SECOND_NAMES: &[SecondName] = &[SecondName::of_single_entry("featureFlag", "featureFlags")];

    fn read(fields: &Fields) -> Result<Self, Unreadable> {
        part(fields)
    }

    fn fields(&self) -> Fields {
        fields_of(self)
    }

    fn schemas() -> Vec<RefOr<Schema>> {
        vec![Self::schema()]
    }
}
