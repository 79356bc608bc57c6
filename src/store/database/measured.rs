//! Statements on their way to the database: how long each takes, by the name that its text begins with.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgStatement};
use sqlx::{Execute, Postgres, SqlStr};

use crate::telemetry::metrics::{StatementTimer, time_statement};

/// A statement whose text has been looked at.
pub(super) struct Measured {
    sql: SqlStr,
    statement: Option<PgStatement>,
    arguments: Option<Result<Option<PgArguments>, BoxDynError>>,
    persistent: bool,
}

/// What is measured of a statement under way.
pub(super) struct Measuring {
    timer: Option<StatementTimer>,
}

impl Measured {
    /// Begins to measure a statement.
    pub(super) fn begin<'q, E: Execute<'q, Postgres>>(mut query: E) -> (Self, Measuring) {
        let arguments = Some(query.take_arguments());
        let (statement, persistent) = (query.statement().cloned(), query.persistent());
        let sql = query.sql();
        let timer = time_statement(sql.as_str());
        (Self { sql, statement, arguments, persistent }, Measuring { timer })
    }
}

impl Measuring {
    /// Nothing.
    pub(super) const fn none() -> Self {
        Self { timer: None }
    }

    /// The statement ended, well or not.
    pub(super) fn ended(self, well: bool) {
        if let Some(timer) = self.timer {
            timer.ended(well);
        }
    }
}

impl Execute<'_, Postgres> for Measured {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}
