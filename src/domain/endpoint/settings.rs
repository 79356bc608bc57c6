//! What callers set on an endpoint. Its secret and its headers are set in other ways.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::policy::DeliveryPolicy;
use crate::domain::settings::{
    Fields, SecondName, Settings, Unreadable, empty_is_absent, fields_of, null_is_default, part,
};

const FIRST_VERSION: u32 = 1;

/// What callers set on an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSettings {
    /// Where requests go: `https://…` or `http://…`, 8 KiB at most.
    #[schema(format = "uri", example = "https://example.com/webhooks")]
    pub url: String,
    /// Your own id for it; it works wherever ours does.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    pub uid: Option<String>,
    /// For people.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schema(value_type = Option<String>)]
    pub description: String,
    /// The version of the payloads that it expects; 1 where none is set.
    #[serde(default = "first_version", deserialize_with = "version")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    pub version: u32,
    /// Event types that it wants; `null`, or an empty list, for all.
    #[serde(default, deserialize_with = "empty_is_absent")]
    #[schema(example = json!(["invoice.paid"]))]
    pub filter_types: Option<Vec<String>>,
    /// Channels that it wants, ten at most; `null`, or an empty list, for all messages, with a channel or without.
    #[serde(default, deserialize_with = "empty_is_absent")]
    #[schema(max_items = 10)]
    pub channels: Option<Vec<String>>,
    /// A disabled endpoint holds its deliveries until it is enabled.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schema(value_type = Option<bool>)]
    pub disabled: bool,
    /// Free-form, 4 KiB at most.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub metadata: BTreeMap<String, String>,
    /// How its deliveries are treated.
    #[serde(skip)]
    pub policy: DeliveryPolicy,
}

const fn first_version() -> u32 {
    FIRST_VERSION
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(FIRST_VERSION))
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            uid: None,
            description: String::new(),
            version: FIRST_VERSION,
            filter_types: None,
            channels: None,
            disabled: false,
            metadata: BTreeMap::new(),
            policy: DeliveryPolicy::default(),
        }
    }
}

impl Settings for EndpointSettings {
    const SECOND_NAMES: &[SecondName] =
        &[SecondName::of("eventTypes", "filterTypes"), SecondName::of("throttleRate", "rateLimit")];

    fn read(fields: &Fields) -> Result<Self, Unreadable> {
        Ok(Self { policy: part(fields)?, ..part(fields)? })
    }

    fn fields(&self) -> Fields {
        fields_of(self).into_iter().chain(fields_of(&self.policy)).collect()
    }

    fn schemas() -> Vec<RefOr<Schema>> {
        vec![Self::schema(), DeliveryPolicy::schema()]
    }
}
