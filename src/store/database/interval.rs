//! Durations, as Postgres takes them.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// A duration as Postgres takes it. More than a few hundred thousand years do not fit, and are cut there.
pub(in crate::store) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
