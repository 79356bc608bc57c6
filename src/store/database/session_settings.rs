//! What a session is to be like: limits on its waits, and guards of the planner. They are asked for with the connection,
//! and where a pooler in between has not passed them on, set afterwards.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Error, Executor as _};

/// A setting that Postgres does not know, and so keeps as it is: where it is there, the others have come through as well.
const WITNESS: (&str, &str) = ("postrider.session", "1");

/// How to connect, and what the session is to be like.
#[derive(Debug, Clone)]
pub(in crate::store) struct SessionOptions {
    connect: PgConnectOptions,
    settings: Vec<(&'static str, String)>,
}

impl SessionOptions {
    /// Sessions as the server makes them.
    pub(in crate::store) fn new(connect: PgConnectOptions) -> Self {
        Self { connect: connect.options([WITNESS]), settings: vec![(WITNESS.0, WITNESS.1.to_owned())] }
    }

    /// The same with these settings besides.
    #[must_use]
    pub(in crate::store) fn with(&self, settings: &[(&'static str, String)]) -> Self {
        let connect =
            self.connect.clone().options(settings.iter().map(|(name, value)| (*name, value.as_str())));
        Self { connect, settings: [self.settings.as_slice(), settings].concat() }
    }

    /// How to connect. What a pooler drops is missing then.
    pub(in crate::store) fn connect_options(&self) -> &PgConnectOptions {
        &self.connect
    }

    /// Sets what did not come through.
    pub(super) async fn complete(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let witness: Option<String> = sqlx::query_scalar(
            "-- session::witness\nSELECT nullif(current_setting('postrider.session', true), '')",
        )
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
        if witness.as_deref() == Some(WITNESS.1) {
            return Ok(());
        }
        // Names and values are this program's own.
        let set: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("SET {name} = '{value}'")).collect();
        connection.execute(AssertSqlSafe(set.join("; "))).await.map(|_| ())
    }
}
