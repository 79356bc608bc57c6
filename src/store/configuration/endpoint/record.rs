//! An endpoint as it is stored, and the columns that it is read from.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::id::EndpointId;
use crate::store::StoreError;
use crate::store::database::stored_policy::stored_policy;

/// An endpoint as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointRecord {
    /// Its id.
    pub id: EndpointId,
    /// What was set.
    pub settings: EndpointSettings,
    /// `request`, `gone` or `failing`, when it is disabled.
    pub disabled_reason: Option<String>,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// What its receiver asked for, if it said not long ago that it is asked too often.
    pub throttle: Option<ThrottleRecord>,
}

/// What a receiver asked for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct ThrottleRecord {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when nothing is sent at all.
    pub until: Option<DateTime<Utc>>,
    /// Requests a second.
    pub rate: f64,
}

/// The columns of one.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) uid: Option<String>,
    pub(super) url: String,
    pub(super) description: String,
    pub(super) version: i32,
    pub(super) event_types: Option<Vec<String>>,
    pub(super) channels: Option<Vec<String>>,
    pub(super) policy: Value,
    pub(super) metadata: Json<BTreeMap<String, String>>,
    pub(super) disabled_reason: Option<String>,
    pub(super) paused_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) has_credentials: bool,
    pub(super) throttle: Option<Json<ThrottleRecord>>,
}

impl TryFrom<Row> for EndpointRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            settings: EndpointSettings {
                policy: stored_policy(row.policy, EndpointId::from(row.id))?,
                uid: row.uid,
                url: row.url,
                description: row.description,
                version: row.version.unsigned_abs(),
                filter_types: row.event_types,
                channels: row.channels,
                metadata: row.metadata.0,
                disabled: row.disabled_reason.is_some(),
                url_credentials: if row.has_credentials {
                    UrlCredentials::Kept
                } else {
                    UrlCredentials::None
                },
            },
            disabled_reason: row.disabled_reason,
            paused_at: row.paused_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            throttle: row.throttle.map(|throttle| throttle.0),
        })
    }
}
