//! Alerts: the channels that they are sent over, the rules and their state, what rules are compared with, and what is to be
//! sent.

pub(in crate::store) mod channel;
pub(in crate::store) mod evaluation;
pub(in crate::store) mod measure;
pub(in crate::store) mod notice;
pub(in crate::store) mod rule;
pub(in crate::store) mod stored_rule;

use crate::domain::id::EnvironmentId;

use super::database::connection::Connection;
use super::database::pool::Pool;
use super::{Sealer, StoreError};

/// Alerts.
#[derive(Clone)]
pub struct AlertStore {
    pub(super) pool: Pool,
    pub(super) sealer: Sealer,
}

/// Has those who create rules or channels in one environment wait for one another, so that these are counted rightly.
async fn one_at_a_time(tx: &mut Connection, environment: &EnvironmentId) -> Result<(), StoreError> {
    sqlx::query!(
        "-- alert::one_at_a_time
            SELECT pg_advisory_xact_lock(hashtextextended('postrider alert ' || current_schema() || ' ' || $1::text, 0))",
        environment.as_str(),
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}
