//! What an operation on many dead letters would do, told before anything is done: how many, of which event types, where they
//! would go and how it stands there, and what would be left out.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::attempt::shown_failure;
use crate::api::state::ApiState;
use crate::domain::background_task::TaskKind;
use crate::domain::delivery::dead_letter::DeadLetterFilter;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;
use crate::store::ReplayTarget;

use super::Scope;

/// What an operation on many would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountOut {
    /// Always true: nothing was changed.
    pub dry_run: bool,
    /// So many dead letters would be moved.
    pub count: i64,
    /// Whether there are more than were counted; all are.
    pub is_capped: bool,
    /// So many of them were looked at for what follows: all, or 10,000 of more.
    pub looked_at: i64,
    /// What would be left out of a replay, and why; of those that were looked at.
    pub skipped: Vec<SkippedOut>,
    /// The ten event types with most, of those that were looked at.
    pub event_types: Vec<NamedCountOut>,
    /// The ten endpoints with most, of those that were looked at.
    pub endpoints: Vec<ReplayTargetOut>,
}

/// Why a dead letter is left out of a replay.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum SkipReason {
    /// Its endpoint is deleted.
    EndpointDeleted,
    /// Its content was removed.
    PayloadExpunged,
    /// The endpoint that it would go to has it already.
    AlreadyDelivered,
}

/// What would be left out, for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkippedOut {
    /// Why.
    reason: SkipReason,
    /// So many.
    count: i64,
}

/// A count with a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedCountOut {
    /// Of what.
    #[schema(example = "invoice.paid")]
    name: String,
    /// So many.
    count: i64,
}

/// How it stands at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum TargetCondition {
    /// Its last attempt was answered 2xx, within a day.
    Answers,
    /// Its last attempt failed, within a day.
    Fails,
    /// Nothing was sent there within a day.
    Silent,
    /// It is disabled.
    Disabled,
    /// It is paused, or its application is, or everything.
    Paused,
    /// It is deleted.
    Deleted,
}

/// Where dead letters would go, and how it stands there.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayTargetOut {
    /// Its application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// The application's name.
    app_name: String,
    /// Its id.
    #[schema(value_type = String)]
    endpoint_id: EndpointId,
    /// Where it is.
    url: String,
    /// So many would go there.
    count: i64,
    /// Requests a second, as set for it or its application.
    #[schema(required)]
    rate_limit: Option<i32>,
    /// How it stands there.
    condition: TargetCondition,
    /// When something last arrived there, within a week.
    #[schema(required)]
    last_success_at: Option<DateTime<Utc>>,
    /// It has not failed since then; `null` when it fails, or when that is not known.
    #[schema(required)]
    successes_since: Option<DateTime<Utc>>,
    /// The status of its last failure.
    #[schema(required)]
    last_status_code: Option<i16>,
    /// What went wrong at its last failure.
    #[schema(required)]
    last_failure: Option<String>,
    /// 95 of 100 answers of the last hour took no longer, in milliseconds.
    #[schema(required)]
    p95_ms: Option<f64>,
}

fn condition(target: &ReplayTarget, now: DateTime<Utc>) -> TargetCondition {
    let lately = |at: Option<DateTime<Utc>>| at.is_some_and(|at| now - at < TimeDelta::days(1));
    match target.closed.as_deref() {
        Some("deleted") => TargetCondition::Deleted,
        Some("disabled") => TargetCondition::Disabled,
        Some(_) => TargetCondition::Paused,
        None if target.failed_in_row > 0 && lately(target.last_failed_at) => TargetCondition::Fails,
        None if lately(target.last_success_at) => TargetCondition::Answers,
        None => TargetCondition::Silent,
    }
}

fn shape(target: ReplayTarget, p95_ms: Option<f64>, now: DateTime<Utc>, caller: &Caller) -> ReplayTargetOut {
    let condition = condition(&target, now);
    ReplayTargetOut {
        app_id: target.named.application_id,
        app_name: target.named.application_name,
        endpoint_id: target.named.endpoint_id,
        url: caller.shown_url(target.named.url),
        count: target.count,
        rate_limit: target.rate_limit,
        condition,
        last_success_at: target.last_success_at,
        successes_since: target.last_failed_at.filter(|_| condition == TargetCondition::Answers),
        last_status_code: target.last_status,
        last_failure: target.last_failure.map(|failure| shown_failure(caller, failure)),
        p95_ms,
    }
}

/// What the operation would meet.
pub(super) async fn preview(
    state: &ApiState,
    scope: &Scope,
    kind: TaskKind,
    filter: &DeadLetterFilter,
) -> Result<CountOut, ApiError> {
    let (count, found, now) = tokio::try_join!(
        state.history.count_dead_letters(&scope.environment, kind, filter),
        state.rollups.replay_preview(&scope.environment, kind, filter),
        state.history.database_time(),
    )?;
    let ids: Vec<Uuid> = found.targets.iter().map(|target| target.named.endpoint_id.uuid()).collect();
    let lately = state.rollups.tallies(&ids, &Range::Hour.buckets(now)).await?;
    let p95 = |target: &ReplayTarget| {
        let mut sum = Tally::default();
        let tallies = lately.get(&target.named.endpoint_id.uuid());
        tallies.into_iter().flatten().for_each(|tally| sum.merge(tally));
        sum.receiver.percentile(0.95)
    };
    let skipped = [
        (SkipReason::EndpointDeleted, found.endpoint_deleted),
        (SkipReason::PayloadExpunged, found.payload_expunged),
        (SkipReason::AlreadyDelivered, found.already_delivered),
    ];
    let skipped = skipped.into_iter().filter(|(_, count)| *count > 0);
    let named = found.event_types.into_iter().map(|(name, count)| NamedCountOut { name, count });
    let targets = found.targets.into_iter().map(|target| {
        let p95 = p95(&target);
        shape(target, p95, now, &scope.caller)
    });
    Ok(CountOut {
        dry_run: true,
        count,
        is_capped: false,
        looked_at: found.looked_at,
        skipped: skipped.map(|(reason, count)| SkippedOut { reason, count }).collect(),
        event_types: named.collect(),
        endpoints: targets.collect(),
    })
}
