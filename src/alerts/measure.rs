//! Measures what rules are compared with: most of it in one statement for many rules, and what concerns single endpoints for
//! each environment that asks for it.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use crate::domain::alert::condition::{Condition, Measurements, Ongoing};
use crate::domain::id::EnvironmentId;
use crate::domain::rollup::incident::IncidentKind;
use crate::domain::rollup::node_state::NodeState;
use crate::store::{AlertRule, AlertStore, RollupStore, StoreError, TroubledEndpoint};

/// What each of these rules is compared with, in their order.
pub(super) async fn measure(
    alerts: &AlertStore,
    rollups: &RollupStore,
    rules: &[AlertRule],
    now: DateTime<Utc>,
) -> Result<Vec<Measurements>, StoreError> {
    let watched = |rule: &AlertRule| elapsed(rule.watched_since, now);
    let mut measured: Vec<Measurements> =
        rules.iter().map(|rule| Measurements { watched: watched(rule), ..Measurements::default() }).collect();
    count_in_rollups(alerts, rules, &mut measured, now).await?;
    count_dead_letters(alerts, rules, &mut measured, now).await?;
    find_overdue(alerts, rules, &mut measured, now).await?;
    find_incidents(rollups, rules, &mut measured, now).await?;
    Ok(measured)
}

async fn count_in_rollups(
    alerts: &AlertStore,
    rules: &[AlertRule],
    measured: &mut [Measurements],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (asking, found): (Vec<_>, Vec<_>) = rules
        .iter()
        .zip(measured)
        .filter(|(rule, _)| {
            matches!(
                rule.settings.condition,
                Condition::DeadLetters { .. }
                    | Condition::FailureShare { .. }
                    | Condition::NothingAccepted { .. }
            )
        })
        .map(|(rule, found)| ((&rule.environment, window_start(rule, now)), found))
        .unzip();
    for (found, sums) in found.into_iter().zip(alerts.rollup_sums(&asking).await?) {
        found.accepted = sums.accepted;
        found.attempts = sums.attempts;
        found.failed = sums.attempts.saturating_sub(sums.succeeded);
        found.dead = sums.dead;
    }
    Ok(())
}

/// Rollups know of deliveries that died by an attempt, and of those that a replay could not save; the dead letters themselves,
/// of all others. What both know of is the larger number.
async fn count_dead_letters(
    alerts: &AlertStore,
    rules: &[AlertRule],
    measured: &mut [Measurements],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (asking, found): (Vec<_>, Vec<_>) = rules
        .iter()
        .zip(measured)
        .filter(|(rule, _)| matches!(rule.settings.condition, Condition::DeadLetters { .. }))
        .map(|(rule, found)| ((&rule.environment, window_start(rule, now)), found))
        .unzip();
    for (found, dead) in found.into_iter().zip(alerts.new_dead_letters(&asking).await?) {
        found.dead = found.dead.max(dead);
    }
    Ok(())
}

async fn find_overdue(
    alerts: &AlertStore,
    rules: &[AlertRule],
    measured: &mut [Measurements],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let is_asking = |rule: &AlertRule| matches!(rule.settings.condition, Condition::QueueAge { .. });
    let asking: Vec<&EnvironmentId> =
        rules.iter().filter(|rule| is_asking(rule)).map(|rule| &rule.environment).collect();
    if asking.is_empty() {
        return Ok(());
    }
    let first_due = alerts.first_due(&asking).await?;
    for (rule, found) in rules.iter().zip(measured).filter(|(rule, _)| is_asking(rule)) {
        found.overdue =
            first_due.get(rule.environment.as_str()).map(|due| elapsed(*due, now)).unwrap_or_default();
    }
    Ok(())
}

/// Each environment is looked at once, however many of its rules ask.
async fn find_incidents(
    rollups: &RollupStore,
    rules: &[AlertRule],
    measured: &mut [Measurements],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut disabled, mut incidents) = (HashMap::new(), HashMap::new());
    for (rule, found) in rules.iter().zip(measured) {
        let environment = &rule.environment;
        match rule.settings.condition {
            Condition::EndpointDisabled { .. } => {
                if !disabled.contains_key(environment) {
                    let endpoints = rollups.disabled_by_answers(environment, None).await?;
                    let ongoing: Vec<_> = endpoints.iter().map(|it| ongoing_at(it, now)).collect();
                    disabled.insert(environment, ongoing);
                }
                found.disabled = disabled.get(environment).cloned().unwrap_or_default();
            }
            Condition::IncidentOpen { .. } => {
                if !incidents.contains_key(environment) {
                    incidents.insert(environment, open_incidents(rollups, environment, now).await?);
                }
                found.incidents = incidents.get(environment).cloned().unwrap_or_default();
            }
            Condition::DeadLetters { .. }
            | Condition::FailureShare { .. }
            | Condition::QueueAge { .. }
            | Condition::NothingAccepted { .. } => {}
        }
    }
    Ok(())
}

/// The incidents of an environment that nobody has acknowledged.
async fn open_incidents(
    rollups: &RollupStore,
    environment: &EnvironmentId,
    now: DateTime<Utc>,
) -> Result<Vec<Ongoing>, StoreError> {
    let (failing, disabled, overdue, nodes, pause, acknowledged) = tokio::try_join!(
        rollups.failing_now(environment, None),
        rollups.disabled_by_answers(environment, None),
        rollups.overdue(environment, None),
        rollups.nodes_seen(),
        rollups.dispatching_pause(),
        rollups.acknowledgements(environment),
    )?;
    let mut open = Vec::new();
    let mut note = |kind: IncidentKind, object: &str, since, of: &str| {
        if !acknowledged.contains_key(&kind.id(object, since)) {
            let name = format!("{}{of}", kind.name().replace('_', " "));
            open.push(Ongoing { name, elapsed: elapsed(since, now) });
        }
    };
    for node in nodes.iter().filter(|node| node.state == NodeState::Stopped && !node.left) {
        note(IncidentKind::NodeStopped, &node.writer.to_string(), node.seen_at, "");
    }
    if let Some(pause) = pause {
        note(IncidentKind::DispatchingPaused, "all", pause.since, "");
    }
    for (kind, endpoints) in [
        (IncidentKind::Overdue, overdue),
        (IncidentKind::EndpointFailing, failing),
        (IncidentKind::EndpointDisabled, disabled),
    ] {
        for endpoint in endpoints {
            let of = format!(" ({})", name_of(&endpoint));
            note(kind, &endpoint.named.endpoint_id.to_string(), endpoint.since, &of);
        }
    }
    Ok(open)
}

fn ongoing_at(endpoint: &TroubledEndpoint, now: DateTime<Utc>) -> Ongoing {
    Ongoing { name: name_of(endpoint), elapsed: elapsed(endpoint.since, now) }
}

/// An endpoint is called by its application and its id: its URL may have a secret in it.
fn name_of(endpoint: &TroubledEndpoint) -> String {
    format!("{} {}", endpoint.named.application_name, endpoint.named.endpoint_id)
}

/// The beginning of the minute in which a rule's window begins, so that what was counted in that minute is not missed however
/// late it was written.
fn window_start(rule: &AlertRule, now: DateTime<Utc>) -> DateTime<Utc> {
    let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    minute - TimeDelta::minutes(rule.settings.condition.window_minutes().into())
}

fn elapsed(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}
