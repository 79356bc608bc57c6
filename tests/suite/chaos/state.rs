//! What the database says in the end, read whole.

use std::collections::{HashMap, HashSet};

use postrider::domain::delivery::DeliveryState;
use postrider::domain::id::{ApplicationId, EndpointId, MessageId};
use sqlx::PgPool;
use uuid::Uuid;

use super::payload::Label;

/// A delivery's row, with what stands in the queue for it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub state: DeliveryState,
    pub owner: Option<i64>,
    pub pending: Option<Pending>,
}

/// A row of the queue.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// Due, or its lease is over.
    pub is_due: bool,
    /// Its endpoint is open: not paused, not disabled, not deleted.
    pub is_open: bool,
}

/// All of it.
pub struct State {
    pub deliveries: HashMap<(MessageId, EndpointId), Row>,
    /// The messages of this run: application and number.
    pub messages: HashMap<MessageId, (ApplicationId, Option<u32>)>,
    pub nodes: HashSet<i64>,
}

type DeliveryRow = (Uuid, Uuid, String, Option<i64>, Option<bool>, bool);

impl State {
    pub async fn read(pool: &PgPool, run: u64) -> Self {
        let deliveries = sqlx::query_as::<_, DeliveryRow>(
            "SELECT d.message_id, d.endpoint_id, d.state::text, d.owner, p.due_at <= now(),
                    (e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL AND a.paused_at IS NULL
                     AND NOT EXISTS (SELECT FROM dispatching WHERE singleton AND paused_at IS NOT NULL)) IS TRUE
             FROM delivery d
             LEFT JOIN pending p ON p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id
             LEFT JOIN endpoint e ON e.id = d.endpoint_id
             LEFT JOIN application a ON a.id = e.application_id",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let deliveries = deliveries.into_iter().map(|(message, endpoint, state, owner, is_due, is_open)| {
            let state = DeliveryState::from_name(&state).unwrap();
            let pending = is_due.map(|is_due| Pending { is_due, is_open });
            ((message.into(), endpoint.into()), Row { state, owner, pending })
        });
        let messages = sqlx::query_as::<_, (Uuid, Uuid, Option<Vec<u8>>)>(
            "SELECT id, application_id, substring(payload FROM 1 FOR 80) FROM message",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let messages = messages.into_iter().map(|(id, application, start)| {
            let label = start.and_then(|start| Label::read(&start)).filter(|label| label.run == run);
            (id.into(), (application.into(), label.map(|label| label.number)))
        });
        let nodes: Vec<i64> = sqlx::query_scalar("SELECT epoch FROM node").fetch_all(pool).await.unwrap();
        Self {
            deliveries: deliveries.collect(),
            messages: messages.collect(),
            nodes: nodes.into_iter().collect(),
        }
    }
}
