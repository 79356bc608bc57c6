//! How an endpoint looks from outside.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::extract::{double_option, present};
use crate::api::conventions::validate::{schedule_ms, schedule_seconds, stored_count};
use crate::api::credential::Caller;
use crate::domain::id::EndpointId;
use crate::store::{EndpointRecord, EndpointSettings};

/// An endpoint to create, or what to replace one with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointIn {
    /// Where requests go: `https://…` or `http://…`, 8 KiB at most.
    #[schema(format = "uri", example = "https://example.com/webhooks")]
    pub url: String,
    /// Your own id for it; it works wherever ours does.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    pub uid: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// The version of the payloads that it expects; 1 when absent.
    #[schema(minimum = 1)]
    pub version: Option<u32>,
    /// Event types that it wants; absent or empty for all.
    #[schema(example = json!(["invoice.paid"]))]
    pub event_types: Option<Vec<String>>,
    /// Another name of `eventTypes`.
    pub filter_types: Option<Vec<String>>,
    /// Channels that it wants, ten at most; absent or empty for all messages, with a channel or without.
    #[schema(max_items = 10)]
    pub channels: Option<Vec<String>>,
    /// At most this many requests a second.
    #[schema(minimum = 1)]
    pub rate_limit: Option<u32>,
    /// Another name of `rateLimit`.
    #[schema(minimum = 1)]
    pub throttle_rate: Option<u32>,
    /// At most this many requests at once; absent for the server's number.
    #[schema(minimum = 1, maximum = 1000)]
    pub max_in_flight: Option<u32>,
    /// The waits before each retry, in seconds. Absent: the application's schedule; empty: no retries.
    #[schema(max_items = 15, example = json!([60, 300, 1800]))]
    pub retry_schedule: Option<Vec<f64>>,
    /// A disabled endpoint holds its deliveries until it is enabled.
    pub disabled: Option<bool>,
    /// Free-form, 4 KiB at most.
    pub metadata: Option<BTreeMap<String, String>>,
    /// For a new endpoint only: its signing secret, `whsec_…` or `whsk_…`. One is made when it is absent.
    pub secret: Option<String>,
    /// For a new endpoint only: headers to add to each request.
    pub headers: Option<BTreeMap<String, String>>,
}

/// What to change of an endpoint; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPatch {
    /// Where requests go.
    #[serde(default, deserialize_with = "present")]
    #[schema(format = "uri", nullable = false)]
    pub url: Option<String>,
    /// Your own id for it; `null` takes it away.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    pub uid: Option<Option<String>>,
    /// For people.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// The version of the payloads that it expects.
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 1, nullable = false)]
    pub version: Option<u32>,
    /// Event types that it wants; `null` or empty for all.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<String>>)]
    pub event_types: Option<Option<Vec<String>>>,
    /// Another name of `eventTypes`.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<String>>)]
    pub filter_types: Option<Option<Vec<String>>>,
    /// Channels that it wants; `null` or empty for all.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    pub channels: Option<Option<Vec<String>>>,
    /// At most this many requests a second; `null` for no limit.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub rate_limit: Option<Option<u32>>,
    /// Another name of `rateLimit`.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub throttle_rate: Option<Option<u32>>,
    /// At most this many requests at once; `null` for the server's number.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub max_in_flight: Option<Option<u32>>,
    /// The waits before each retry, in seconds; `null` for the application's schedule.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<f64>>, max_items = 15)]
    pub retry_schedule: Option<Option<Vec<f64>>>,
    /// A disabled endpoint holds its deliveries until it is enabled.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    pub disabled: Option<bool>,
    /// Free-form, 4 KiB at most; replaces what was there.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub metadata: Option<Option<BTreeMap<String, String>>>,
}

/// An endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointOut {
    /// Our id for it.
    #[schema(value_type = String, example = "ep_01h455vb4pex5vsknk084sn02q")]
    pub id: EndpointId,
    /// Your id for it.
    pub uid: Option<String>,
    /// Where requests go.
    #[schema(format = "uri")]
    pub url: String,
    /// For people.
    pub description: String,
    /// The version of the payloads that it expects.
    pub version: i32,
    /// Event types that it wants; `null` for all.
    pub event_types: Option<Vec<String>>,
    /// The same as `eventTypes`.
    pub filter_types: Option<Vec<String>>,
    /// Channels that it wants; `null` for all.
    pub channels: Option<Vec<String>>,
    /// At most this many requests a second.
    pub rate_limit: Option<i32>,
    /// The same as `rateLimit`.
    pub throttle_rate: Option<i32>,
    /// At most this many requests at once, when it has its own number.
    pub max_in_flight: Option<i32>,
    /// The waits before each retry, in seconds, when it has its own.
    pub retry_schedule: Option<Vec<f64>>,
    /// Whether it holds its deliveries.
    pub disabled: bool,
    /// Why: `request`, `gone` when the receiver answered 410, or `failing` when nothing had arrived for too long.
    #[schema(example = "request")]
    pub disabled_reason: Option<String>,
    /// Since when it is paused by an operator; it holds its deliveries as when disabled.
    pub paused_at: Option<DateTime<Utc>>,
    /// Free-form.
    pub metadata: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<EndpointRecord> for EndpointOut {
    fn from(record: EndpointRecord) -> Self {
        let settings = record.settings;
        let listed = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let event_types = listed(settings.event_types);
        Self {
            id: record.id,
            uid: settings.uid,
            url: settings.url,
            description: settings.description,
            version: settings.version,
            filter_types: event_types.clone(),
            event_types,
            channels: listed(settings.channels),
            rate_limit: settings.rate_limit,
            throttle_rate: settings.rate_limit,
            max_in_flight: settings.max_in_flight,
            retry_schedule: settings.retry_schedule_ms.as_deref().map(schedule_seconds),
            disabled: settings.disabled,
            disabled_reason: record.disabled_reason,
            paused_at: record.paused_at,
            metadata: settings.metadata,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl EndpointOut {
    /// As this caller sees it.
    #[must_use]
    pub fn shown_to(mut self, caller: &Caller) -> Self {
        self.url = caller.shown_url(self.url);
        self
    }
}

impl EndpointIn {
    /// The settings that it asks for.
    pub fn settings(&self) -> EndpointSettings {
        let input = self.clone();
        EndpointSettings {
            uid: input.uid,
            url: input.url,
            description: input.description.unwrap_or_default(),
            version: stored_count(input.version.unwrap_or(1)),
            event_types: input.event_types.or(input.filter_types).unwrap_or_default(),
            channels: input.channels.unwrap_or_default(),
            rate_limit: input.rate_limit.or(input.throttle_rate).map(stored_count),
            max_in_flight: input.max_in_flight.map(stored_count),
            retry_schedule_ms: input.retry_schedule.as_deref().map(schedule_ms),
            metadata: input.metadata.unwrap_or_default(),
            disabled: input.disabled.unwrap_or(false),
        }
    }
}

impl EndpointPatch {
    /// Changes what it names.
    pub fn apply(self, settings: &mut EndpointSettings) {
        set(&mut settings.url, self.url);
        set(&mut settings.uid, self.uid);
        set(&mut settings.description, self.description.map(Option::unwrap_or_default));
        set(&mut settings.version, self.version.map(stored_count));
        let event_types = self.event_types.or(self.filter_types);
        set(&mut settings.event_types, event_types.map(Option::unwrap_or_default));
        set(&mut settings.channels, self.channels.map(Option::unwrap_or_default));
        let limit = self.rate_limit.or(self.throttle_rate);
        set(&mut settings.rate_limit, limit.map(|limit| limit.map(stored_count)));
        set(&mut settings.max_in_flight, self.max_in_flight.map(|limit| limit.map(stored_count)));
        let schedule = self.retry_schedule.map(|waits| waits.as_deref().map(schedule_ms));
        set(&mut settings.retry_schedule_ms, schedule);
        set(&mut settings.metadata, self.metadata.map(Option::unwrap_or_default));
        set(&mut settings.disabled, self.disabled);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
