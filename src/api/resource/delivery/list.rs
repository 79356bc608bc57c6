//! Listing the deliveries of a message.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::attempt::shown_failure;
use crate::api::resource::path::MessagePath;
use crate::api::shared_views::ServerPolicies;
use crate::api::state::{ApiState, SharedState};
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::policy::EffectivePolicy;
use crate::store::{Capped, Change, DeliveryRecord};

use super::shape::{DeliveryOut, DeliveryWhyOut};
use super::why::{Behind, Position, counted, position};

/// Few messages go to more endpoints.
const DEFAULT_LIMIT: u64 = 250;

/// Which part of the list is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesQuery {
    /// At most this many items.
    #[param(minimum = 1, maximum = 250, default = 250)]
    limit: Option<u64>,
    /// The `iterator` or `prevIterator` of an earlier page.
    iterator: Option<String>,
}

/// A delivery with where it stands.
struct Placed {
    record: DeliveryRecord,
    policy: EffectivePolicy,
    position: Position,
}

/// What is asked of the queue and of the audit log for all of a page at once.
struct Surroundings {
    ahead: HashMap<EndpointId, Capped>,
    who: HashMap<Change, String>,
}

fn place(record: DeliveryRecord, policies: &ServerPolicies) -> Placed {
    let [endpoint, application, environment] = &record.endpoint.policies;
    let policy = EffectivePolicy::resolve(endpoint, application, environment, &policies.deliveries);
    let position = position(&record, &policy, policies);
    Placed { record, policy, position }
}

async fn surroundings(
    state: &ApiState,
    message: MessageId,
    placed: &[Placed],
) -> Result<Surroundings, ApiError> {
    let mut queued = Vec::new();
    let mut with_node = Vec::new();
    for one in placed {
        match one.position.behind {
            Behind::Nobody => {}
            Behind::Queue(due_at) => queued.push((one.record.endpoint.id, due_at)),
            Behind::Node => with_node.push(one.record.endpoint.id),
        }
    }
    let mut changes: Vec<Change> = placed.iter().filter_map(|one| one.position.change.clone()).collect();
    changes.sort_unstable();
    changes.dedup();
    let (mut ahead, in_flight, who) = tokio::try_join!(
        state.history.queued_before(message, &queued),
        state.history.in_flight_before(message, &with_node),
        state.rollups.who_changed_each(&changes),
    )?;
    ahead.extend(in_flight.into_iter().filter(|(_, before)| before.count > 0));
    Ok(Surroundings { ahead, who })
}

fn shape(placed: Placed, around: &Surroundings, caller: &Caller) -> DeliveryOut {
    let Placed { record, policy, position } = placed;
    let ahead = around.ahead.get(&record.endpoint.id).copied();
    // A node has it and others before it, under a limit: it has not been sent.
    let code =
        if position.behind == Behind::Node && ahead.is_some() { "rate_limited" } else { position.code };
    let scheduled = u16::try_from(policy.retry_schedule.waits().len()).unwrap_or(u16::MAX).saturating_add(1);
    // How many were refused as too fast is known while it is in the queue.
    let beyond_schedule = record.attempts.saturating_sub(counted(&record));
    let planned = scheduled.saturating_add(beyond_schedule).max(record.attempts);
    let is_dead = record.state == DeliveryState::Dead;
    DeliveryOut {
        endpoint_id: record.endpoint.id,
        endpoint_url: caller.shown_url(record.endpoint.url),
        endpoint_description: record.endpoint.description,
        endpoint_deleted_at: record.endpoint.deleted_at,
        state: position.state.into(),
        why: DeliveryWhyOut {
            code,
            at: position.at,
            by: position.change.and_then(|change| around.who.get(&change).cloned()),
            ahead: ahead.map(Into::into),
            held_until: position.held_until,
        },
        attempts_made: record.attempts,
        attempts_planned: planned,
        next_attempt_at: position.next_attempt_at,
        later_attempts_at: position.later_attempts_at,
        settled_at: record.settled_at,
        last_status_code: record.last_status,
        last_failure: record.last_failure.map(|failure| shown_failure(caller, failure)),
        dead_letter_id: record.dead_letter.filter(|_| is_dead).map(|letter| letter.id),
    }
}

/// Tell where each delivery of a message stands, and why.
///
/// One for each endpoint that the message went to or is to go to, deleted ones included. Pages go by endpoint, the newest
/// first; within a page, what needs attention comes first: dead, held, waiting, in flight, cancelled, delivered.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/delivery", operation_id = "v1.message.deliveries",
    tag = "message",
    params(MessagePath, DeliveriesQuery),
    responses((status = 200, description = "A page of them.", body = ListOut<DeliveryOut>))
)]
pub(super) async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessagePath,
    ApiQuery(query): ApiQuery<DeliveriesQuery>,
) -> Result<HeldAnswer<Json<ListOut<DeliveryOut>>>, ApiError> {
    let page = PlainPageQuery { limit: query.limit.or(Some(DEFAULT_LIMIT)), iterator: query.iterator };
    let page = page.request::<EndpointId>(Ordering::Descending)?;
    let room = state.room_for_page().await?;
    let records = state.history.deliveries_of_message(path.message, &page.scan).await?;
    let policies = &state.views.policies;
    let placed: Vec<Placed> = records.into_iter().map(|record| place(record, policies)).collect();
    let around = surroundings(&state, path.message, &placed).await?;
    let key = |one: &Placed| one.record.endpoint.id.to_string();
    let shape = |one| Ok::<_, ApiError>(shape(one, &around, &caller));
    let mut list = page.answer_within(state.intake.page_bytes, placed, key, shape)?;
    // In the order of the states: what needs attention comes first.
    list.data.sort_by_key(|delivery| delivery.state);
    Ok(HeldAnswer { body: Json(list), room: Some(room) })
}
