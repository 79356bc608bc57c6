//! How an endpoint looks from outside.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::conventions::extract::unreadable;
use crate::api::conventions::settings::{read, shown};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::settings::{answer, change, has_schema, input};
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::id::EndpointId;
use crate::domain::settings::{Fields, Settings, part};
use crate::store::EndpointRecord;

use super::check::{Rules, in_place_of, wrong_headers};

/// An endpoint to create, or what to replace one with.
#[derive(Debug, Deserialize)]
pub(in crate::api::resource) struct EndpointIn(Fields);

/// What is taken for a new endpoint besides its settings.
#[derive(Debug, Deserialize, ToSchema)]
struct PartsOfNew {
    /// For a new endpoint only: its signing secret, `whsec_…` or `whsk_…`. One is made when it is absent.
    secret: Option<String>,
    /// For a new endpoint only: headers to add to each request.
    headers: Option<BTreeMap<String, String>>,
}

/// What to change of an endpoint.
#[derive(Debug, Deserialize)]
pub(super) struct EndpointPatch(Fields);

/// An endpoint to create, checked.
pub(in crate::api::resource) struct NewEndpoint {
    pub(super) settings: EndpointSettings,
    pub(super) secret: Option<SigningSecret>,
    pub(super) headers: Option<BTreeMap<String, String>>,
}

/// An endpoint.
#[derive(Debug, Serialize)]
pub(in crate::api) struct EndpointOut {
    #[serde(flatten)]
    facts: EndpointFacts,
    #[serde(flatten)]
    settings: Fields,
}

/// What is told of an endpoint besides its settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointFacts {
    /// Our id for it.
    #[schema(value_type = String, example = "ep_01h455vb4pex5vsknk084sn02q")]
    id: EndpointId,
    /// Why it is disabled: `request`, `gone` when the receiver answered 410, or `failing` when nothing had arrived for too
    /// long.
    #[schema(example = "request")]
    disabled_reason: Option<String>,
    /// Since when it is paused by an operator; it holds its deliveries as when disabled.
    paused_at: Option<DateTime<Utc>>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// Since when its receiver says, now and then, that it is asked too often (429, or 503 with a `Retry-After`); `null` when
    /// it has not said so for ten minutes.
    throttled_since: Option<DateTime<Utc>>,
    /// The receiver asked to wait until then, and nothing is sent before.
    throttled_until: Option<DateTime<Utc>>,
    /// While it is throttled: the requests a second that it is sent, as learned from its answers.
    #[schema(example = 4.5)]
    learned_rate: Option<f64>,
}

has_schema!(
    EndpointIn => input::<EndpointSettings>(
        "An endpoint to create, or what to replace one with.",
        vec![PartsOfNew::schema()],
    ),
    EndpointPatch => change::<EndpointSettings>("What to change of an endpoint; what is absent stays."),
    EndpointOut => answer::<EndpointSettings>("An endpoint.", vec![EndpointFacts::schema()]),
);

impl EndpointIn {
    /// What it asks for.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with everything that is wrong.
    pub(in crate::api::resource) fn read(self, rules: &Rules<'_>) -> Result<NewEndpoint, ApiError> {
        let parts: PartsOfNew = part(&self.0).map_err(|wrong| unreadable(&wrong))?;
        let secret = parts.secret.as_deref().map(SigningSecret::parse).transpose();
        let wrong_headers = parts.headers.as_ref().and_then(wrong_headers);
        let settings = read(&Fields::new(), self.0, |settings, findings| {
            rules.check(settings, findings);
            findings.note("secret", secret.as_ref().err().map(ToString::to_string));
            findings.note("headers", wrong_headers.clone());
        })?;
        Ok(NewEndpoint { settings, secret: secret.ok().flatten(), headers: parts.headers })
    }
}

impl EndpointPatch {
    /// What becomes of the settings that are there.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with everything that is wrong.
    pub(super) fn of(
        self,
        there: &EndpointSettings,
        rules: &Rules<'_>,
    ) -> Result<EndpointSettings, ApiError> {
        let changed = read(&there.fields(), self.0, |settings, findings| rules.check(settings, findings))?;
        in_place_of(changed, there)
    }
}

impl From<EndpointRecord> for EndpointOut {
    fn from(record: EndpointRecord) -> Self {
        let facts = EndpointFacts {
            id: record.id,
            disabled_reason: record.disabled_reason,
            paused_at: record.paused_at,
            created_at: record.created_at,
            updated_at: record.updated_at,
            throttled_since: record.throttle.map(|throttle| throttle.since),
            throttled_until: record.throttle.and_then(|throttle| throttle.until),
            learned_rate: record.throttle.map(|throttle| throttle.rate),
        };
        Self { facts, settings: shown(&record.settings) }
    }
}

impl EndpointOut {
    /// As this caller sees it.
    #[must_use]
    pub(in crate::api) fn shown_to(mut self, caller: &Caller) -> Self {
        if let Some(Value::String(url)) = self.settings.get_mut("url") {
            *url = caller.shown_url(std::mem::take(url));
        }
        self
    }
}
