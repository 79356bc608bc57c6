//! What callers set on an endpoint. Its secret and its headers are set in other ways.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::policy::DeliveryPolicy;
use crate::domain::settings::{
    Fields, SecondName, Settings, Unreadable, empty_is_absent, fields_of, null_is_default, part,
};

const FIRST_VERSION: u32 = 1;

/// What callers set on an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSettings {
    /// Where requests go: `https://…` or `http://…`, 8 KiB at most. A `user:password@` in it is sent as `Authorization:
    /// Basic` and shown as `********@`, which stands for what is there when it is given back.
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
    /// The credentials that the URL was given with. It stands here without them.
    #[serde(skip)]
    pub url_credentials: UrlCredentials,
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
            url_credentials: UrlCredentials::None,
        }
    }
}

impl EndpointSettings {
    /// Whether the credentials that these settings leave as they are, are there to be left: those of a URL to the same
    /// place. They are never sent elsewhere.
    pub fn keeps_credentials_of(&self, there: &Self) -> bool {
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        self.url_credentials != UrlCredentials::Kept
            || there.url_credentials != UrlCredentials::None && origin(&self.url) == origin(&there.url)
    }
}

impl Settings for EndpointSettings {
    const SECOND_NAMES: &[SecondName] =
        &[SecondName::of("eventTypes", "filterTypes"), SecondName::of("throttleRate", "rateLimit")];

    fn read(fields: &Fields) -> Result<Self, Unreadable> {
        Ok(Self { policy: part(fields)?, ..part(fields)? })
    }

    fn fields(&self) -> Fields {
        let mut fields: Fields = fields_of(self).into_iter().chain(fields_of(&self.policy)).collect();
        fields.insert("url".to_owned(), self.url_credentials.shown_in(&self.url).into());
        fields
    }

    fn schemas() -> Vec<RefOr<Schema>> {
        vec![Self::schema(), DeliveryPolicy::schema()]
    }

    fn changed_in(&self, other: &Self) -> Vec<String> {
        let before = self.fields();
        let changed = |name: &str, value: &Value| {
            before.get(name) != Some(value)
                || name == "url" && matches!(other.url_credentials, UrlCredentials::Given(_))
        };
        other
            .fields()
            .into_iter()
            .filter(|(name, value)| changed(name, value))
            .map(|(name, _)| name)
            .collect()
    }
}
