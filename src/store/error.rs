//! What can go wrong between us and the database, told apart by what a caller can do about it.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The write contradicts what is there: a `uid` that is taken, an `eventId` posted before.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// This node's fence is gone: another took its work over, and it must stop.
    #[error("this node's lease is lost")]
    LeaseLost,
    /// The database cannot be reached, or gave up on the statement; trying again may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// What is stored breaks a promise of the schema or of this code; trying again does not help.
    #[error("the store is inconsistent: {0}")]
    Inconsistent(String),
}

/// SQLSTATE classes after which the same statement may succeed: connection, transaction state, rollback,
/// resources, object state, operator intervention, system.
const PASSING: [&str; 7] = ["08", "25", "40", "53", "55", "57", "58"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Conflict("the id is taken")
            }
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                if PASSING.iter().any(|class| code.starts_with(class)) {
                    Self::Unavailable(error)
                } else {
                    Self::Inconsistent(error.to_string())
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
                Self::Inconsistent(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}
