//! How callers say which dead letters they mean: snake_case in a query, camelCase in a body.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::conventions::moment::optional_moment;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::background_task::TaskKind;
use crate::domain::delivery::dead_letter::{DeadLetterFilter, DeadLetterState, DeathReason};
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, EnvironmentId};

use super::Scope;

/// A higher limit would never be reached.
const MAX_RATE_PER_SECOND: u32 = 100_000;

/// Which dead letters to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api::resource::dead_letter) struct FilterQuery {
    /// Of this application, by id or `uid`.
    app_id: Option<String>,
    /// Of this endpoint, by id; by `uid` where the application is known.
    endpoint_id: Option<String>,
    /// Of messages of this event type.
    event_type: Option<String>,
    /// That died for this reason: `exhausted`, `gone`, `unsendable`, `hold_expired`, `endpoint_deleted`,
    /// `unrecordable` or `not_retryable`.
    #[param(value_type = Option<String>)]
    reason: Option<DeathReason>,
    /// Whose last answer had this status.
    status_code: Option<u16>,
    /// That died then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// That died before.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
    /// In this state: `open`, `replayed` or `discarded`.
    #[param(value_type = Option<String>)]
    state: Option<DeadLetterState>,
}

/// Which open dead letters to count.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct OpenFilterQuery {
    /// Of this application, by id or `uid`.
    app_id: Option<String>,
    /// Of this endpoint, by id; by `uid` where the application is known.
    endpoint_id: Option<String>,
    /// Of messages of this event type.
    event_type: Option<String>,
    /// That died for this reason: `exhausted`, `gone`, `unsendable`, `hold_expired`, `endpoint_deleted` or `unrecordable`.
    #[param(value_type = Option<String>)]
    reason: Option<DeathReason>,
    /// Whose last answer had this status.
    status_code: Option<u16>,
    /// That died then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// That died before.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
}

impl OpenFilterQuery {
    /// The filter that is meant, in that environment.
    pub(in crate::api) async fn filter(
        self,
        state: &SharedState,
        environment: &EnvironmentId,
    ) -> Result<DeadLetterFilter, ApiError> {
        let Self { app_id, endpoint_id, event_type, reason, status_code, since, until } = self;
        let all =
            FilterQuery { app_id, endpoint_id, event_type, reason, status_code, since, until, state: None };
        all.filter(state, Some(environment), None).await
    }
}

/// Which dead letters to replay or discard, and how. An unknown field is refused: a filter that is misspelt would
/// mean more than was meant. With no filter at all, every open dead letter is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api::resource::dead_letter) struct BulkIn {
    /// Only these, of those that match.
    #[schema(value_type = Option<Vec<String>>, max_items = 250, example = json!(null))]
    ids: Option<Vec<DeadLetterId>>,
    /// Of this application, by id or `uid`.
    app_id: Option<String>,
    /// Of this endpoint, by id; by `uid` where the application is known.
    endpoint_id: Option<String>,
    /// Of messages of this event type.
    event_type: Option<String>,
    /// That died for this reason: `exhausted`, `gone`, `unsendable`, `hold_expired`, `endpoint_deleted`,
    /// `unrecordable` or `not_retryable`.
    #[schema(value_type = Option<String>)]
    reason: Option<DeathReason>,
    /// Whose last answer had this status.
    status_code: Option<u16>,
    /// That died then or later.
    since: Option<DateTime<Utc>>,
    /// That died before.
    until: Option<DateTime<Utc>>,
    /// `open` (so it is when nothing is said); for a replay also `discarded`.
    #[schema(value_type = Option<String>)]
    state: Option<DeadLetterState>,
    /// Only count.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
    /// For a replay: send them to this endpoint of their application, by id or, where the application is known, by
    /// `uid`, instead of to the one that missed them. What it has got already is left out.
    to_endpoint_id: Option<String>,
    /// At most this many a second.
    #[schema(minimum = 1, maximum = 100000)]
    rate_per_second: Option<u32>,
    /// For a replay: send the oldest of each endpoint alone, wait for its answer, and go on only if it is 2xx. Otherwise the
    /// task fails with the error `first_was_refused`, and the others stay as they are.
    #[serde(default)]
    #[schema(default = false)]
    oldest_first: bool,
    /// Why, in somebody's own words: it is shown with the task and in the audit log.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Where a dead letter is to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = DeadLetterReplayIn)]
pub(in crate::api::resource::dead_letter) struct ReplayIn {
    /// Another endpoint of its application, by id or `uid`, instead of the one that missed it.
    pub(in crate::api::resource::dead_letter) to_endpoint_id: Option<String>,
}

/// A bulk operation whose words are understood.
pub(in crate::api::resource::dead_letter) struct Bulk {
    pub(in crate::api::resource::dead_letter) filter: DeadLetterFilter,
    pub(in crate::api::resource::dead_letter) dry_run: bool,
    pub(in crate::api::resource::dead_letter) rate_per_second: Option<i32>,
    pub(in crate::api::resource::dead_letter) note: Option<String>,
}

impl FilterQuery {
    /// The filter that is meant, in that environment or in all, for that application or for all.
    pub(in crate::api::resource::dead_letter) async fn filter(
        self,
        state: &SharedState,
        environment: Option<&EnvironmentId>,
        own: Option<ApplicationId>,
    ) -> Result<DeadLetterFilter, ApiError> {
        let application_id = application(state, environment, own, self.app_id.as_deref()).await?;
        let named = self.endpoint_id.as_deref();
        Ok(DeadLetterFilter {
            application_id,
            endpoint_id: endpoint(state, application_id, named, "query", "endpoint_id").await?,
            event_type: self.event_type,
            reason: self.reason,
            status_code: self.status_code,
            since: self.since,
            until: self.until,
            state: self.state,
            ..DeadLetterFilter::default()
        })
    }
}

impl BulkIn {
    pub(in crate::api::resource::dead_letter) async fn read(
        self,
        state: &SharedState,
        scope: &Scope,
        kind: TaskKind,
    ) -> Result<Bulk, ApiError> {
        self.check(kind)?;
        let environment = Some(&scope.environment);
        let application_id =
            application(state, environment, scope.application, self.app_id.as_deref()).await?;
        let named = self.endpoint_id.as_deref();
        let filter = DeadLetterFilter {
            ids: self.ids,
            application_id,
            endpoint_id: endpoint(state, application_id, named, "body", "endpointId").await?,
            event_type: self.event_type,
            reason: self.reason,
            status_code: self.status_code,
            since: self.since,
            until: self.until,
            state: Some(self.state.unwrap_or(DeadLetterState::Open)),
            to_endpoint_id: endpoint(
                state,
                application_id,
                self.to_endpoint_id.as_deref(),
                "body",
                "toEndpointId",
            )
            .await?,
            oldest_first: self.oldest_first,
        };
        let rate_per_second = self.rate_per_second.map(u32::cast_signed);
        let note = self.note.filter(|note| !note.is_empty());
        Ok(Bulk { filter, dry_run: self.dry_run, rate_per_second, note })
    }

    fn check(&self, kind: TaskKind) -> Result<(), ApiError> {
        let refused = |field, msg: &str| Err(ApiError::invalid(&["body", field], msg, "value_error"));
        match (kind, self.state) {
            (TaskKind::Discard, Some(DeadLetterState::Replayed | DeadLetterState::Discarded)) => {
                return refused("state", "only open dead letters can be discarded");
            }
            (TaskKind::Replay, Some(DeadLetterState::Replayed)) => {
                return refused("state", "only open and discarded dead letters can be replayed");
            }
            _ => {}
        }
        if kind == TaskKind::Discard && self.to_endpoint_id.is_some() {
            return refused("toEndpointId", "is for replays alone");
        }
        if kind == TaskKind::Discard && self.oldest_first {
            return refused("oldestFirst", "is for replays alone");
        }
        if self.note.as_ref().is_some_and(|note| note.contains('\0')) {
            return refused("note", "must not contain the character U+0000");
        }
        if self.rate_per_second.is_some_and(|rate| !(1..=MAX_RATE_PER_SECOND).contains(&rate)) {
            return refused("ratePerSecond", &format!("must be between 1 and {MAX_RATE_PER_SECOND}"));
        }
        Ok(())
    }
}

/// The application that is meant. An id is taken as it is, so that the dead letters of a deleted application can be
/// found; what is not the scope's own does not match anything.
async fn application(
    state: &SharedState,
    environment: Option<&EnvironmentId>,
    own: Option<ApplicationId>,
    named: Option<&str>,
) -> Result<Option<ApplicationId>, ApiError> {
    let Some(named) = named else { return Ok(own) };
    let id = match Reference::parse(named) {
        Reference::Id(id) => id,
        uid @ Reference::Uid(_) => {
            let Some(environment) = environment else {
                let msg = "a `uid` is an application's own within its environment: name the environment, too";
                return Err(ApiError::invalid(&["query", "app_id"], msg, "value_error"));
            };
            let found = state.configuration.application_id(environment, &uid).await?;
            found.ok_or(ApiError::NoSuch("application"))?
        }
    };
    if own.is_none_or(|own| own == id) { Ok(Some(id)) } else { Err(ApiError::NoSuch("application")) }
}

/// The endpoint that is meant, deleted ones included when they are named by id.
async fn endpoint(
    state: &SharedState,
    application: Option<ApplicationId>,
    named: Option<&str>,
    place: &str,
    field: &str,
) -> Result<Option<EndpointId>, ApiError> {
    let Some(named) = named else { return Ok(None) };
    let uid = match Reference::parse(named) {
        Reference::Id(id) => return Ok(Some(id)),
        uid @ Reference::Uid(_) => uid,
    };
    let Some(application) = application else {
        let msg = "a `uid` is an endpoint's own within its application: name the application, too";
        return Err(ApiError::invalid(&[place, field], msg, "value_error"));
    };
    let found = state.configuration.endpoint_id(application, &uid).await?;
    found.map(Some).ok_or(ApiError::NoSuch("endpoint"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::conventions::extract::parse;

    #[test]
    fn a_misspelt_filter_is_refused() {
        assert!(parse::<BulkIn>(br#"{"endpointId":"ep_x","dryRun":true}"#).is_ok());
        for body in [r#"{"endpoint_id":"ep_x"}"#, r#"{"dryrun":true}"#, r#"{"reason":"bored"}"#, "[]"] {
            assert!(parse::<BulkIn>(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn only_states_that_can_be_left_are_taken() {
        let check = |state: &str, kind| {
            let body = format!(r#"{{"state":"{state}"}}"#);
            parse::<BulkIn>(body.as_bytes()).unwrap().check(kind).is_ok()
        };
        assert!(check("open", TaskKind::Replay) && check("discarded", TaskKind::Replay));
        assert!(!check("replayed", TaskKind::Replay));
        assert!(check("open", TaskKind::Discard));
        assert!(!check("replayed", TaskKind::Discard) && !check("discarded", TaskKind::Discard));
    }

    #[test]
    fn a_rate_has_bounds() {
        let check = |rate: &str| {
            let body = format!(r#"{{"ratePerSecond":{rate}}}"#);
            parse::<BulkIn>(body.as_bytes()).and_then(|bulk| bulk.check(TaskKind::Replay)).is_ok()
        };
        assert!(check("1") && check("100000"));
        assert!(!check("0") && !check("100001") && !check("-1"));
    }
}
