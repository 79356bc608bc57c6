//! How an application looks from outside.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::settings::{read, refuse_unknown, shown};
use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::api::openapi::settings::{answer, change, has_schema, input};
use crate::domain::application::settings::ApplicationSettings;
use crate::domain::id::ApplicationId;
use crate::domain::settings::{Fields, Settings};
use crate::store::ApplicationRecord;

/// An application to create, or what to replace one with.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::api) struct ApplicationIn(Fields);

/// What to change of an application.
#[derive(Debug, Deserialize)]
pub(super) struct ApplicationPatch(Fields);

/// An application.
#[derive(Debug, Serialize)]
pub(super) struct ApplicationOut {
    #[serde(flatten)]
    facts: ApplicationFacts,
    #[serde(flatten)]
    settings: Fields,
}

/// What is told of an application besides its settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ApplicationFacts {
    /// Our id for it.
    #[schema(value_type = String, example = "app_01h455vb4pex5vsknk084sn02q")]
    id: ApplicationId,
    /// Since when it is paused by an operator; its endpoints hold their deliveries.
    paused_at: Option<DateTime<Utc>>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

has_schema!(
    ApplicationIn =>
        input::<ApplicationSettings>("An application to create, or what to replace one with.", Vec::new()),
    ApplicationPatch =>
        change::<ApplicationSettings>("What to change of an application; what is absent stays."),
    ApplicationOut =>
        answer::<ApplicationSettings>("An application.", vec![ApplicationFacts::schema()]),
);

fn check(settings: &mut ApplicationSettings, findings: &mut Findings) {
    findings.name("name", &settings.name);
    findings.uid("uid", settings.uid.as_deref(), ApplicationId::PREFIX);
    findings.metadata("metadata", &settings.metadata);
    findings.rate_limit("rateLimit", settings.policy.rate_limit);
    findings.retry_schedule("retrySchedule", settings.policy.retry_schedule.as_deref());
    findings.retention(&settings.retention);
}

impl ApplicationIn {
    /// The settings that it asks for.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub(in crate::api) fn settings(&self) -> Result<ApplicationSettings, ApiError> {
        read(&Fields::new(), self.0.clone(), check)
    }

    /// Checks it where it stands in another body, and is created under the `uid` in the path.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub(in crate::api) fn check_created_at(&self, app_id: &str) -> Result<(), ApiError> {
        let known = refuse_unknown::<ApplicationSettings>(&self.0);
        let settings =
            known.and_then(|()| self.settings()).map_err(|error| error.within(&["application"]))?;
        let mut findings = Findings::of_body().below("application");
        if settings.uid.is_some_and(|uid| uid != app_id) {
            findings.add("uid", "must be the `uid` in the path");
        }
        findings.finish()
    }
}

impl ApplicationPatch {
    /// What becomes of the settings that are there.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with what is wrong.
    pub(super) fn of(self, there: &ApplicationSettings) -> Result<ApplicationSettings, ApiError> {
        read(&there.fields(), self.0, check)
    }
}

impl From<ApplicationRecord> for ApplicationOut {
    fn from(record: ApplicationRecord) -> Self {
        let facts = ApplicationFacts {
            id: record.id,
            paused_at: record.paused_at,
            created_at: record.created_at,
            updated_at: record.updated_at,
        };
        Self { facts, settings: shown(&record.settings) }
    }
}
