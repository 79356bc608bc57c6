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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error
            && database.is_unique_violation()
        {
            return Self::Conflict("the id is taken");
        }
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => {
                Self::Inconsistent(error.to_string())
            }
            other => Self::Unavailable(other),
        }
    }
}
