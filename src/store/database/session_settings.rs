//! What a session is to be like: the schema that it works in, limits on its waits, and guards of the planner. They are asked
//! for with the connection, and where a pooler in between has not passed them on, set afterwards.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Error, Executor as _};

use crate::domain::database_schema::SchemaName;

/// A setting that Postgres does not know, and so keeps as it is: where it is there, the others have come through as well.
const WITNESS: (&str, &str) = ("postrider.session", "1");
/// Where names are looked for that say no schema. It is compared besides, because a wrong one would be another
/// installation's tables.
const SEARCH_PATH: &str = "search_path";
/// What the names of channels end in. A statement that sends a notice reads it.
const CHANNEL_ENDING: &str = "postrider.cell";

/// How to connect, and what the session is to be like.
#[derive(Debug, Clone)]
pub(in crate::store) struct SessionOptions {
    connect: PgConnectOptions,
    schema: SchemaName,
    settings: Vec<(&'static str, String)>,
}

impl SessionOptions {
    /// Sessions as the server makes them, in this schema.
    pub(in crate::store) fn new(connect: PgConnectOptions, schema: SchemaName) -> Self {
        let settings = [
            (WITNESS.0, WITNESS.1.to_owned()),
            (SEARCH_PATH, schema.as_str().to_owned()),
            (CHANNEL_ENDING, schema.channel_ending()),
        ];
        Self { connect, schema, settings: Vec::new() }.with(&settings)
    }

    /// The same with these settings besides.
    #[must_use]
    pub(in crate::store) fn with(&self, settings: &[(&'static str, String)]) -> Self {
        let connect =
            self.connect.clone().options(settings.iter().map(|(name, value)| (*name, value.as_str())));
        Self { connect, schema: self.schema.clone(), settings: [self.settings.as_slice(), settings].concat() }
    }

    /// How to connect. What a pooler drops is missing then.
    pub(in crate::store) fn connect_options(&self) -> &PgConnectOptions {
        &self.connect
    }

    /// The schema that its sessions work in.
    pub(in crate::store) fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// A session like that.
    pub(super) async fn connect(&self) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::connect_with(&self.connect).await?;
        self.complete(&mut connection).await?;
        Ok(connection)
    }

    /// Sets what did not come through.
    async fn complete(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let (witness, search_path): (Option<String>, String) = sqlx::query_as(
            "-- session::witness
            SELECT nullif(current_setting('postrider.session', true), ''), current_setting('search_path')",
        )
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
        if witness.as_deref() == Some(WITNESS.1) && search_path == self.schema.as_str() {
            return Ok(());
        }
        // Names and values are this program's own, and that of the schema has nothing that would have to be quoted.
        let set: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("SET {name} = '{value}'")).collect();
        connection.execute(AssertSqlSafe(set.join("; "))).await.map(|_| ())
    }
}
