//! The moved clock. The database's clock rules due times, so a test lets time pass by moving what is due.

use std::time::Duration;

use super::postgres::Database;
use super::until::until;

/// A delivery that waits, seen from two sides, so that no time that the test takes matters.
#[derive(Debug)]
pub struct Wait {
    /// From the beginning of the last attempt until it is due: never shorter than the wait.
    pub since_attempt: f64,
    /// From now until it is due: never longer than the wait.
    pub from_now: f64,
}

/// The wait of the only delivery, after its `attempts`th attempt, in seconds.
pub async fn wait_after(database: &Database, attempts: i16) -> Wait {
    until("the delivery waits", || async {
        sqlx::query_as::<_, (f64, f64)>(
            "SELECT extract(epoch FROM due_at - (SELECT uuid_moment(id) FROM attempt ORDER BY id DESC LIMIT 1))::float8,
                    extract(epoch FROM due_at - now())::float8
             FROM pending WHERE attempts = $1 AND owner IS NULL",
        )
        .bind(attempts)
        .fetch_optional(&database.pool)
        .await
        .unwrap()
    })
    .await
    .into()
}

impl From<(f64, f64)> for Wait {
    fn from((since_attempt, from_now): (f64, f64)) -> Self {
        Self { since_attempt, from_now }
    }
}

/// Lets time pass for everything that waits, and wakes the server.
pub async fn time_passes(database: &Database, by: Duration) {
    sqlx::query("UPDATE pending SET due_at = due_at - make_interval(secs => $1) WHERE owner IS NULL")
        .bind(by.as_secs_f64())
        .execute(&database.pool)
        .await
        .unwrap();
    sqlx::query("SELECT pg_notify('postrider_due', '')").execute(&database.pool).await.unwrap();
}
